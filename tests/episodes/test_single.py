"""When the episode of one robot ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.episodes.single import run_loop
from ros_mbmrl.safety.types import Level


class Loop:
    """Latches in its third step."""

    def __init__(self, latches: bool = False) -> None:
        self.count, self.latches = 0, latches

    def step(self, period: float) -> Any:
        self.count += 1
        latched = self.latches and self.count == 3
        return SimpleNamespace(checked=SimpleNamespace(level=Level.LATCHED if latched else 0))


@pytest.mark.parametrize(("latches", "done", "expected"), [(0, 99, 5), (1, 99, 3), (0, 2, 2)])
def test_time_a_latched_stop_and_a_finished_task_end_it(
    latches: int, done: int, expected: int
) -> None:
    loop: Any = Loop(bool(latches))
    seen, steps = run_loop(loop, 0.1, 0.5, lambda: loop.count, lambda: loop.count >= done)
    assert seen == list(range(expected)) and len(steps) == expected  # the truth before each step
