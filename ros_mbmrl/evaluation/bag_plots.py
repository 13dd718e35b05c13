"""Pictures of any bag's topics: every number over time, those of one field together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ros_mbmrl.data.numeric_fields import Series
from ros_mbmrl.evaluation.html import Image
from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.robots.spec import Array

WIDTH, HEIGHT = 4.6, 2.4  # of a panel [inch]
LINES = 8  # of a panel
PANELS = 60  # of a picture
BREAK = 5.0  # median steps without a message, where a line is interrupted


def draw_topics(series: Mapping[str, Series], out: Path) -> list[Image]:
    """Draw a picture a topic into a folder. Raises OSError."""
    return [_draw(name, each, out / f"{_file_name(name)}.png") for name, each in series.items()]


def groups_of(places: list[str]) -> list[tuple[str, list[str]]]:
    """Return places by the field that they are parts of, at most `LINES` together."""
    groups: dict[str, list[str]] = {}
    for place in places:
        inner = re.sub(r"(\.[^.\[\]]+|\[[^\]]*\])$", "", place)
        groups.setdefault(inner if inner != place else "", []).append(place)
    return [
        (inner, members[k : k + LINES])
        for inner, members in groups.items()
        for k in range(0, len(members), LINES)
    ]


def _draw(topic: str, series: Series, file: Path) -> Image:
    values = series.values()
    groups = groups_of(list(values))
    shown = groups[:PANELS]
    figure, grid = panels(len(shown), WIDTH, HEIGHT, 3)
    for (inner, places), axes in zip(shown, grid, strict=True):
        for k, place in enumerate(places):
            label = place.removeprefix(inner).lstrip(".")
            colour = COLOURS[k % len(COLOURS)]
            axes.plot(*_broken(np.array(series.times), values[place]), label=label, color=colour)
        axes.set_title(inner, fontsize="small")
        axes.set_xlabel("time [s]")
        axes.legend(fontsize="x-small")
    save(figure, file)
    left_out = f", {len(groups) - PANELS} fields more" if len(groups) > PANELS else ""
    thinned = f", every {series.every}. message" if series.every > 1 else ""
    return Image(file, f"{topic}, {series.type_name}: {series.count} messages{thinned}{left_out}")


def _broken(times: Array, values: Array) -> tuple[Array, Array]:
    """Return a line that is interrupted where there were no messages."""
    steps = np.diff(times)
    if not len(steps):
        return times, values
    gaps = np.flatnonzero(steps > BREAK * np.median(steps)) + 1
    return np.insert(times, gaps, times[gaps - 1]), np.insert(values, gaps, np.nan)


def _file_name(topic: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", topic).strip("_") or "topic"
