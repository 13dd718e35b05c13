"""The sentence that a report opens with: how well a robot did after a fault, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ros_mbmrl.safety.types import Level

Figures = Mapping[str, Any]  # of one method, as in `report.json`

# Name of a fault -> what happened; the first pattern that fits the whole name counts.
_HAPPENED = (
    (r"leg_(?:left|right)_\w+", "the leg was lost"),
    (r"leg_(\d)_crippled", "leg {0} was crippled"),
    (r"(\w+)_disabled", "the motor of the {0} failed"),
    (r"payload\w*", "a payload was added"),
    (r"slope\w*", "the ground was tilted"),
    (r"yaw_offset\w*", "the measured heading was turned"),
    (r"weak_(left|right)", "the {0} motor became weak"),
    (r"weak_(\w+)", "the {0} became weak"),
    (r"stiff_(\w+)", "the {0} became stiff"),
    (r"push\w*", "the arm was pushed"),
    (r"low_battery", "the battery's voltage fell"),
    (r"lost_mocap", "motion capture was lost"),
    (r"lost_packets", "packets were lost"),
    (r"broken_physics", "the physics broke down"),
    (r"(\w+)_lost", "the {0} was lost"),
)


@dataclass(frozen=True)
class _Measure:
    """A figure that says how well a robot did.

    Args:
        before, after: its keys.
        text: format of its value.
        scale: from the figure to the value that is shown.
        more: whether more of it is better.
    """

    before: str
    after: str
    text: str
    scale: float = 1.0
    more: bool = False


# In the order of preference: a run has all of which it knows something.
_MEASURES = (
    _Measure(
        "cross_track_before_fault_m",
        "cross_track_after_fault_m",
        "{:.1f} cm from the path",
        scale=100.0,
    ),
    _Measure(
        "distance_before_fault_m", "distance_after_fault_m", "{:.1f} cm from the goal", scale=100.0
    ),
    _Measure("speed_before_fault_m_s", "speed_after_fault_m_s", "{:.2f} m/s", more=True),
    _Measure("cost_before_fault", "cost_after_fault", "a cost of {:.3g} a step"),
)


def happened(fault: str) -> str:
    """Return what the fault called `fault` did, as a clause in the past tense."""
    for pattern, words in _HAPPENED:
        found = re.fullmatch(pattern, fault)
        if found:
            return words.format(*(each.replace("_", " ") for each in found.groups()))
    return f"the fault {fault} set in"


def sentence(methods: Mapping[str, Figures], fault: str = "") -> str:
    """Return how well each method did after the fault, and where adaptation did not help.

    Args:
        methods: figures by method, as in `report.json`.
        fault: NAME@SECONDS; empty for none.
    """
    name = fault.partition("@")[0]
    what = happened(name) if name not in ("", "none") else ""
    after = [(each, each.after) for each in _MEASURES]
    before = [(each, each.before) for each in _MEASURES]
    opening, keys = (f"After {what}", after) if what else ("Over the whole run", before)
    measure, values = _known(methods, keys)
    if what and measure is None:
        opening = f"The run ended before {what}"
        measure, values = _known(methods, before)
    if measure is None:
        text = "What the robot did was not measured." if not what else f"{opening}."
    else:
        text = f"{opening}: {_compared(methods, measure, values)}."
    return " ".join([text, *_stopped(methods)])


def _known(
    methods: Mapping[str, Figures], keys: list[tuple[_Measure, str]]
) -> tuple[_Measure | None, dict[str, float]]:
    """Return the first measure that is known of any method, and its values by method."""
    for measure, key in keys:
        values = {
            name: measure.scale * figures[key]
            for name, figures in methods.items()
            if figures.get(key) is not None
        }
        if values:
            return measure, values
    return None, {}


def _compared(
    methods: Mapping[str, Figures], measure: _Measure, values: Mapping[str, float]
) -> str:
    plain = [name for name in values if not methods[name].get("adapts", True)]
    others = [name for name in values if name not in plain]
    one_each = len(plain) == len(others) == 1
    names = {name: "with it" if one_each else f"with {name}" for name in others}
    names |= {name: "without adaptation" if len(plain) == 1 else f"with {name}" for name in plain}
    shown = {name: measure.text.format(values[name]) for name in values}
    unit = measure.text.partition("}")[2]
    parts = [f"{shown[name]} {names[name]}" for name in (*plain, *others)]
    short = " cm" if unit.startswith(" cm") else unit
    parts[1:] = [part.replace(unit, short, 1) for part in parts[1:]]
    text = ", ".join(parts)
    if len(plain) != 1 or not others:
        return text
    return text + _verdict(measure, values, shown, plain[0], others)


def _verdict(
    measure: _Measure,
    values: Mapping[str, float],
    shown: Mapping[str, str],
    plain: str,
    others: list[str],
) -> str:
    """Return which methods did no better than without adaptation; empty if all did."""
    same = [name for name in others if shown[name] == shown[plain]]
    worse = [
        name
        for name in others
        if name not in same and (values[name] > values[plain]) is not measure.more
    ]
    said = []
    for names, what in ((worse, "did not help"), (same, "made no difference")):
        if names:
            which = "" if len(others) == 1 else f" by {' and by '.join(names)}"
            said.append(f"adaptation{which} {what}")
    return f"; {', '.join(said)}" if said else ""


def _stopped(methods: Mapping[str, Figures]) -> list[str]:
    """Return sentences on runs that the safety monitor stopped: their figures mean less."""
    said = []
    for level, how in ((Level.STOP, "for a while"), (Level.LATCHED, "for good")):
        names = [name for name, each in methods.items() if each.get("worst_level") == level.name]
        if names:
            runs = f"run{'s' * (len(names) > 1)} with {' and '.join(names)}"
            said.append(f"The safety monitor stopped the robot {how} in the {runs}.")
    return said
