"""Counts of an import, by hand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from ros_mbmrl.data.import_summary import ImportSummary, summarise
from ros_mbmrl.data.rollout import Mark, Rollout


@pytest.fixture
def summary(rollouts: list[Rollout]) -> ImportSummary:
    """Three runs of 40 transitions in two sessions; the first has three marked ones."""
    marks = np.zeros(40, np.uint8)
    marks[[0, 1]], marks[2] = Mark.GAP, Mark.GAP | Mark.WILD
    tags = [("turf", "turf_0"), ("carpet", "carpet_0"), ("carpet", "carpet_0")]
    runs = [
        replace(rollout, tags={"terrain": terrain, "session": session})
        for rollout, (terrain, session) in zip(rollouts, tags, strict=False)
    ]
    runs[0] = replace(runs[0], marks=marks)
    return summarise(runs, Counter({"step time": 3, "gyro": 1}))


def test_runs_transitions_and_marks_are_counted(summary: ImportSummary) -> None:
    assert (summary.total.runs, summary.total.transitions, summary.total.marked) == (3, 120, 3)
    assert summary.total.marks["gap"] == 3
    assert summary.total.marks["wild"] == 1  # beside a gap: both count
    assert summary.total.marks["jump"] == 0
    assert list(summary.terrains) == ["carpet", "turf"]
    assert (summary.terrains["carpet"].runs, summary.terrains["carpet"].marked) == (2, 0)
    assert summary.sessions["turf_0"].marked == 3


def test_json_gives_it_back(summary: ImportSummary) -> None:
    told = json.loads(json.dumps(summary.as_dict()))
    assert told == summary.as_dict()
    assert told["reasons"] == {"step time": 3, "gyro": 1}
    assert told["terrains"]["turf"]["marks"]["gap"] == 3


def test_a_row_for_each_terrain_and_reason(summary: ImportSummary) -> None:
    out = StringIO()
    console = Console(file=out, width=200)
    for table in summary.tables():
        console.print(table)
    rows = [row.replace("│", " ").split() for row in out.getvalue().splitlines()]
    assert ["carpet", "1", "2", "80", "0", *["0"] * 5] in rows
    assert ["turf", "1", "1", "40", "3", "3", "0", "1", "0", "0"] in rows
    assert ["all", "2", "3", "120", "3", "3", "0", "1", "0", "0"] in rows
    assert ["step", "time", "3"] in rows


def test_nothing_is_counted_of_nothing() -> None:
    assert summarise([], Counter()).total.transitions == 0
