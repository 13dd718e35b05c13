"""Summary of an import: marks and reasons. Nothing is dropped, so everything can be counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.data.rollout import Mark, Rollout

if TYPE_CHECKING:
    from rich.table import Table

MARKS = tuple(mark for mark in Mark if mark)


@dataclass(frozen=True)
class Count:
    """Runs and transitions under one tag; marks: transitions that carry each mark."""

    runs: int
    transitions: int
    marked: int
    marks: Mapping[str, int]


@dataclass(frozen=True)
class ImportSummary:
    """Counts in total, for each terrain and session; reasons: intervals found for each reason."""

    total: Count
    terrains: Mapping[str, Count]
    sessions: Mapping[str, Count]
    reasons: Mapping[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return the counts, ready for JSON."""
        return {
            "total": _plain(self.total),
            "terrains": {name: _plain(count) for name, count in self.terrains.items()},
            "sessions": {name: _plain(count) for name, count in self.sessions.items()},
            "reasons": dict(self.reasons),
        }

    def tables(self) -> tuple[Table, Table]:
        """Return tables of marked transitions for each terrain, and of reasons."""
        from rich.table import Table

        names = [_name(mark) for mark in MARKS]
        marks = Table("terrain", "sessions", "runs", "transitions", "marked", *names)
        for terrain, count in self.terrains.items():
            sessions = sum(name.startswith(f"{terrain}_") for name in self.sessions)
            marks.add_row(terrain, str(sessions), *_cells(count))
        marks.add_section()
        marks.add_row("all", str(len(self.sessions)), *_cells(self.total))

        reasons = Table("reason", "intervals")
        for reason, found in self.reasons.items():
            reasons.add_row(reason, str(found))
        return marks, reasons


def summarise(rollouts: Sequence[Rollout], reasons: Counter[str]) -> ImportSummary:
    """Count the marks of rollouts tagged with `terrain` and `session`."""
    return ImportSummary(
        total=_count(rollouts),
        terrains=_grouped(rollouts, "terrain"),
        sessions=_grouped(rollouts, "session"),
        reasons=dict(reasons),
    )


def _grouped(rollouts: Sequence[Rollout], tag: str) -> dict[str, Count]:
    groups: dict[str, list[Rollout]] = {}
    for rollout in rollouts:
        groups.setdefault(rollout.tags[tag], []).append(rollout)
    return {name: _count(groups[name]) for name in sorted(groups)}


def _count(rollouts: Sequence[Rollout]) -> Count:
    marks = np.concatenate([np.zeros(0, np.uint8), *(rollout.marks for rollout in rollouts)])
    return Count(
        runs=len(rollouts),
        transitions=len(marks),
        marked=int((marks != 0).sum()),
        marks={_name(mark): int((marks & np.uint8(mark) != 0).sum()) for mark in MARKS},
    )


def _name(mark: Mark) -> str:
    return str(mark.name).lower()


def _plain(count: Count) -> dict[str, object]:
    return {
        "runs": count.runs,
        "transitions": count.transitions,
        "marked": count.marked,
        "marks": dict(count.marks),
    }


def _cells(count: Count) -> list[str]:
    return [str(n) for n in (count.runs, count.transitions, count.marked, *count.marks.values())]
