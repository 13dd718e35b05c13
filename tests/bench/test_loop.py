"""`bench loop`: a step is its adaptation, its plan and the rest; physics is none of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mujoco")

from ros_mbmrl.bench import loop
from ros_mbmrl.bench.timing import Times


def test_a_step_is_split_into_its_parts() -> None:
    def step(adapt: float, plan: float) -> Any:
        return SimpleNamespace(adapt_seconds=adapt, plan_seconds=plan)

    times = Times({loop.STEP: (1.0, 2.0), loop.PLAN: (0.5, 0.25)})
    parts = loop.split(times, [(step(0.125, 0.25), 0.5), (step(0.25, 0.5), 1.0)])
    assert parts.seconds[loop.STEP] == (0.5, 1.0)
    assert parts.seconds[loop.REST] == (0.125, 0.25)
    values = {figure.name: figure.value for figure in loop.figures(parts)}
    assert values == {
        "step_over_plan": 2.5,  # of 1 and 4
        "less_plan_over_plan": 1.25,  # of 0.5 and 2
        "rest_over_plan": 0.625,  # of 0.25 and 1
    }


def test_results_have_the_parts_of_every_round() -> None:
    findings = loop.run(loop.QUICK)
    seconds = findings.times.seconds
    assert {len(each) for each in seconds.values()} == {loop.QUICK.repeats}
    for name in (loop.STEP, "adapting", "planning", loop.REST, loop.PLAN):
        assert min(seconds[name]) > 0
    for name in ("step_over_plan", "less_plan_over_plan", "rest_over_plan", "rest_ms"):
        assert findings.results[name] > 0
