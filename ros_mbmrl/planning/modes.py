"""Modes of a plan: how much of it there was time for, from all to none."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """Kinds of plans: a label for records, and its meaning for people.

    While the clock runs a planner can only stop early. A shorter horizon is chosen before planning
    begins, by the duration of the latest blocks; the previous plan if not even one step fits.
    """

    FULL = "full", "as configured"
    FINISHED = "finished", "the task is done: the robot rests"
    FEWER_CANDIDATES = "fewer_candidates", "time ended before all candidates were imagined"
    SHORTER_HORIZON = "shorter_horizon", "no time to look as far ahead as configured"
    PREVIOUS_PLAN = "previous_plan", "no time to plan: the previous plan goes on"
    NONE = "none", "no plan: safety holds the robot, and stops it if that goes on"

    def __init__(self, label: str, meaning: str) -> None:
        self.label, self.meaning = label, meaning

    @property
    def degraded(self) -> bool:
        """Return whether there was too little time for a whole plan."""
        return self not in (Mode.FULL, Mode.FINISHED)
