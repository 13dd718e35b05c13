"""The controller node and the worker: what they try before, and what they say about each plan."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
import torch
from rclpy.parameter import Parameter

from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.bench.problem import Problem, make_problem
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.adaptive import ADAPTING, LATEST, AdaptiveWorker
from ros_mbmrl.nodes.controller import ControllerNode
from ros_mbmrl.nodes.dynamics import StateSeen
from ros_mbmrl.nodes.messages import OK, WARN
from ros_mbmrl.planning.base import NoFinitePlan, Plan
from ros_mbmrl.planning.modes import Mode

REPORT = AdaptReport(0, 0.0, 0.0, 0.0, False, "")


@pytest.fixture
def problem() -> Problem:
    return make_problem((8,), "silu", torch.Generator().manual_seed(0))


@pytest.fixture
def make(context: Any) -> Iterator[Any]:
    nodes: list[ControllerNode] = []

    def controller(**parameters: Any) -> ControllerNode:
        given = [Parameter(name, value=value) for name, value in parameters.items()]
        nodes.append(ControllerNode(context=context, parameter_overrides=given))
        return nodes[-1]

    yield controller
    for node in nodes:
        node.close()
        node.destroy_node()


def adapted(problem: Problem) -> Adapted:
    return Adapted(problem.parameters, REPORT)


def test_a_plan_that_fits_is_let_through(make: Any, problem: Problem) -> None:
    node = make()
    model = node.prepare(problem.model, adapted(problem), problem.state, left=1e3)
    assert model.precision is torch.float32


def test_a_period_that_is_too_short_is_one_line(make: Any, problem: Problem) -> None:
    with pytest.raises(UserError, match=r"^a plan of 500 candidates and 5 steps takes .* leaves"):
        make().prepare(problem.model, adapted(problem), problem.state, left=1e-9)


def test_a_plan_that_does_not_fit_is_made_smaller_and_told_once(
    make: Any, problem: Problem, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    from ros_mbmrl.nodes import controller
    from ros_mbmrl.nodes.messages import path_message

    node = make()
    node._on_reference(path_message([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 1))  # before it is tried
    slow = node._planner
    monkeypatch.setattr(
        controller.DryRun, "_seconds", lambda self, planner, *_: 1e-4 * planner.config.num_samples
    )
    node.prepare(problem.model, adapted(problem), problem.state, left=0.03)
    planner = node.controller(problem.state)._planner
    assert planner is node._planner is not slow
    count = planner.config.num_samples
    assert 260 < count <= 300
    err = capfd.readouterr().err
    told = f"planning with {count} candidates and 5 steps: 500 candidates and 5 steps take 50 ms"
    assert err.count(told) == 1 and "the period leaves 30 ms" in err


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_in_lockstep_nothing_hangs_on_the_machine(
    make: Any, problem: Problem, precision: str, expected: torch.dtype
) -> None:
    node = make(lockstep=True, precision=precision)
    model = node.prepare(problem.model, adapted(problem), problem.state, left=1e-9)
    assert model.precision is expected


def test_an_unknown_precision_is_a_user_error(make: Any) -> None:
    with pytest.raises(UserError, match="unknown precision 'half'"):
        make(precision="half")


@pytest.mark.parametrize("mode", list(Mode))
def test_a_degraded_mode_is_published_as_a_warning(make: Any, mode: Mode) -> None:
    node, sent = make(), []
    node._diagnostics = SimpleNamespace(publish=sent.append)
    node.publish(1, mode, {"plan_ms": 1.0})
    (line,) = sent[0].status
    assert line.name == "controller: timing"
    assert line.level == (OK if mode in (Mode.FULL, Mode.FINISHED) else WARN)
    assert {pair.key: pair.value for pair in line.values}["mode"] == mode.label
    assert line.message == mode.meaning


class Parts:
    """A worker between fakes, with a clock by hand; `told` is what was published, in order."""

    def __init__(self, lockstep: bool, plan: Any) -> None:
        self.now, self.told, self.left = 10.0, [], []  # type: ignore[var-annotated]
        self.plan = plan
        spec = SimpleNamespace(period=0.1, rest=np.zeros(2))
        online = SimpleNamespace(model="exact", adapt=lambda: None, observe=lambda *_: None)
        self.dynamics: Any = SimpleNamespace(
            robot=SimpleNamespace(spec=spec),
            online=online,
            publish=lambda *_: None,
            delay=0.02,
        )
        self.controller = SimpleNamespace(plan=self._plan)
        self.node: Any = SimpleNamespace(
            settings=SimpleNamespace(lockstep=lockstep),
            controller=lambda state: self.controller,
            prepare=self._prepare,
            propose=lambda stamp, action: self.told.append(("proposed", action)),
            publish=lambda stamp, mode, values: self.told.append(("mode", mode)),
            publish_plan=lambda *_: None,
            stopped=False,
        )
        self.worker = AdaptiveWorker(self.dynamics, self.node, clock=lambda: self.now)

    def _prepare(self, model: str, adapted: Any, state: Any, left: float) -> str:
        self.left.append(left)
        self.now += 1.0  # it takes its time
        return "rough"

    def _plan(self, model: str, adapted: Any, state: Any, deadline: Any, delay: Any) -> Any:
        self.told.append(("planned with", model, deadline and round(deadline(), 6)))
        if self.plan is None:
            raise NoFinitePlan
        return self.plan

    def turn(self, stamp: int) -> None:
        self.worker.turn([StateSeen(stamp, np.zeros(2), self.now)])


def a_plan(mode: Mode) -> Plan:
    return Plan(torch.zeros(2), torch.zeros(5, 2), 0.0, 0.0, 1, 1, mode)


def test_planning_is_tried_once_and_the_first_state_is_too_old_by_then() -> None:
    parts = Parts(lockstep=False, plan=a_plan(Mode.FEWER_CANDIDATES))
    parts.turn(1)
    assert parts.told == []
    assert parts.left == [pytest.approx((LATEST - ADAPTING) * 0.1)]
    parts.turn(2)
    assert [entry[0] for entry in parts.told] == ["planned with", "proposed", "mode"]
    assert parts.told[0] == ("planned with", "rough", pytest.approx(LATEST * 0.1))
    assert parts.told[2] == ("mode", Mode.FEWER_CANDIDATES)
    assert len(parts.left) == 1


def test_in_lockstep_the_first_state_is_answered_without_a_deadline() -> None:
    parts = Parts(lockstep=True, plan=a_plan(Mode.FULL))
    parts.turn(1)
    assert parts.told[0] == ("planned with", "rough", None)


def test_no_plan_is_told_as_such() -> None:
    parts = Parts(lockstep=True, plan=None)
    parts.turn(1)
    assert parts.told[1:] == [("proposed", None), ("mode", Mode.NONE)]


def test_while_safety_says_stop_nothing_is_planned() -> None:
    parts = Parts(lockstep=False, plan=None)
    parts.turn(1)
    parts.node.stopped = True
    parts.turn(2)
    (told,) = parts.told
    assert told[0] == "proposed" and told[1].tolist() == [0.0, 0.0]
