"""Diagnostics as numbers: their values travel as text, which no plot can draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.safety.types import Level
from ros_mbmrl.view.things import Figures

WORDS: Mapping[str, bool] = MappingProxyType({"True": True, "False": False})
SAFETY = "safety: state"
TRACKING = "/view/tracking"


def figures(name: str, values: Mapping[str, str]) -> Figures:
    """Return a line's values as numbers, truths and texts, without numbers that are not finite.

    Args:
        name: of the line, as `safety: state`, which gets its level as a number, too (`severity`).
        values: by key.
    """
    found: dict[str, float | bool | str] = {}
    for key, text in values.items():
        if text in WORDS:
            found[key] = WORDS[text]
            continue
        try:
            number = float(text)
        except ValueError:
            found[key] = text
        else:
            if math.isfinite(number):
                found[key] = number
    if name == SAFETY and found.get("level") in Level.__members__:
        found["severity"] = int(Level[str(found["level"])])
    return found


def topic_of(name: str) -> str:
    """Return where the line called `<node>: <task>` is shown."""
    return f"/view/{name.replace(': ', '/').replace(' ', '_')}"


def _sample(numbers: str, truths: str = "", texts: str = "") -> Figures:
    """Return figures of these names, to tell viewers their kinds."""
    return {
        **dict.fromkeys(numbers.split(), 0.0),
        **dict.fromkeys(truths.split(), False),
        **dict.fromkeys(texts.split(), ""),
    }


# What can be plotted, by where it is shown; later messages may have more.
FIGURES: Mapping[str, Figures] = MappingProxyType(
    {
        TRACKING: _sample("cross_track_m progress_m"),
        topic_of("dynamics: adaptation"): _sample(
            "error_before error_after change transitions probability ms", "accepted", "reason cause"
        ),
        topic_of("controller: timing"): _sample(
            "adapt_ms plan_ms wait_ms delay_s dropped skipped cost_min cost_mean finite samples",
            texts="mode",
        ),
        topic_of("driver: timing"): _sample(
            "period_s offset_s delay_s missed missed_deadlines overruns limited"
        ),
        topic_of("driver: plant"): _sample("", texts="fault"),
        topic_of(SAFETY): _sample("severity foreign", texts="level reasons"),
    }
)
