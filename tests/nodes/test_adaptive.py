"""AdaptiveWorker and the controller node by themselves: messages and the clock are handed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
import torch
from rclpy.parameter import Parameter

from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.agents.live import LiveAgent
from ros_mbmrl.bench.problem import Problem, make_problem
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.nodes.adaptive import ADAPTING, LATEST, AdaptiveWorker
from ros_mbmrl.nodes.controller import ControllerNode
from ros_mbmrl.nodes.dynamics import StateSeen
from ros_mbmrl.nodes.messages import OK, WARN
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import Deadline, NoFinitePlan, Plan
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots.spec import Array, Robot

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
    model, planner = node.prepare(problem.model, adapted(problem), problem.state, left=1e3)
    assert model.precision is torch.float32
    assert planner is node.planner


def test_a_period_that_is_too_short_is_one_line(make: Any, problem: Problem) -> None:
    with pytest.raises(UserError, match=r"^a plan of 500 candidates and 5 steps takes .* leaves"):
        make().prepare(problem.model, adapted(problem), problem.state, left=1e-9)


def test_a_plan_that_does_not_fit_is_made_smaller_and_told_once(
    make: Any, problem: Problem, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    from ros_mbmrl.nodes import controller

    node = make()
    monkeypatch.setattr(
        controller.DryRun, "_seconds", lambda self, planner, *_: 1e-4 * planner.config.num_samples
    )
    _, planner = node.prepare(problem.model, adapted(problem), problem.state, left=0.03)
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
    model, planner = node.prepare(problem.model, adapted(problem), problem.state, left=1e-9)
    assert model.precision is expected
    assert planner is node.planner


def test_there_is_a_task_while_the_node_is_active(make: Any, problem: Problem) -> None:
    from ros_mbmrl.nodes.messages import path_message

    node = make()
    assert node.task(problem.state) is None
    for end in (1.0, 2.0):
        node._on_reference(path_message([(0.0, 0.0, 0.0), (end, 0.0, 0.0)], 1))
        first = node.task(problem.state)
        assert first is not None and first is node.task(problem.state)
    node.trigger_deactivate()
    assert node.task(problem.state) is None
    node.trigger_activate()
    assert node.task(problem.state) is first


def test_an_unknown_precision_is_a_user_error(make: Any) -> None:
    with pytest.raises(UserError, match="unknown precision 'half'"):
        make(precision="half")


@pytest.mark.parametrize("mode", list(Mode))
def test_a_degraded_mode_is_published_as_a_warning(make: Any, mode: Mode) -> None:
    node, sent = make(), []
    node._diagnostics = SimpleNamespace(publish=sent.append)
    node.publish(1, mode, {"plan_ms": 1.0})
    (line,) = sent[0].status
    assert line.name == "hexapod/controller: timing"
    assert line.level == (OK if mode in (Mode.FULL, Mode.FINISHED) else WARN)
    assert {pair.key: pair.value for pair in line.values}["mode"] == mode.label
    assert line.message == mode.meaning


class Commands:
    """`command/safe` by the stamp that it answers: when it comes, and the command."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.coming: dict[int, tuple[float, Array]] = {}

    def wait(self, stamp: int, timeout: float) -> Array | None:
        """Return the command if it comes in time; waiting moves the clock."""
        last = self._parts.now + timeout
        when, command = self.coming.get(stamp, (np.inf, np.zeros(2)))
        self._parts.now = max(self._parts.now, min(when, last))
        return command if when <= last else None


class Planner:
    """Finds a plan in a mode, takes a second half of nothing, and keeps what it was asked."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self.mode = parts, Mode.FULL
        self.left: list[float | None] = []
        self.previous: list[list[float]] = []
        self.starts: list[Any] = []

    def plan(
        self, predict: Any, cost: Any, state: Any, reference: Any, warm_start: Any,
        generator: Any, deadline: Deadline | None = None,
    ) -> Plan:  # fmt: skip
        """Return a plan that no other one is like."""
        self.left.append(deadline and round(deadline(), 6))
        self.previous.append(warm_start.previous.tolist())
        self.starts.append(warm_start.actions)
        if self.mode is Mode.NONE:
            raise NoFinitePlan
        actions = torch.full((3, 2), 0.1 * len(self.left))
        return Plan(actions[0], actions, 1.0, 2.0, 3, 4, self.mode)


class Parts:
    """A worker and its agent between stand-ins for the nodes, with a clock by hand.

    told: what was published, in order.
    """

    def __init__(self, robot: Robot, prior: tuple[DynamicsModel, Parameters], task: Any) -> None:
        self.robot, self.prior, self.task = robot, prior, task
        self.now, self.prepared = 10.0, []  # type: ignore[var-annotated]
        self.told: list[tuple[Any, ...]] = []
        self.commands, self.planner = Commands(self), Planner(self)

    def make(self, lockstep: bool = False) -> Parts:
        guard = Guard(MeanResidual(), self.prior[1], 8, GuardConfig())
        first = make_planner("mppi", self.robot.spec)  # until it was tried
        own = self.prior[0], guard, first, torch.Generator()
        self.agent = agent = LiveAgent(*own, clock=lambda: self.now)
        self.dynamics: Any = SimpleNamespace(
            robot=self.robot,
            commands=self.commands,
            publish=lambda stamp, adapted, ms: self.told.append(
                ("adapted", stamp, adapted.report.transitions)
            ),
            delay=0.02,
            blank=False,
        )
        self.node: Any = SimpleNamespace(
            settings=SimpleNamespace(lockstep=lockstep),
            task=lambda state: self.task,
            prepare=self._prepare,
            await_listeners=lambda: None,
            tell_versions=lambda numbers: self.told.append(("versions", numbers)),
            retune=lambda stamp, planner: planner,
            propose=lambda stamp, action: self.told.append(
                ("proposed", stamp, action if action is None else action.round(3).tolist())
            ),
            publish=lambda stamp, mode, values: self.told.append(("mode", stamp, mode, values)),
            publish_plan=lambda *_: None,
            publish_candidates=lambda *_: None,
            stopped=False,
        )
        self.worker = AdaptiveWorker(self.dynamics, self.node, agent, clock=lambda: self.now)
        return self

    def _prepare(
        self, model: DynamicsModel, adapted: Adapted, state: Array, left: float
    ) -> tuple[DynamicsModel, Planner]:
        self.prepared.append(left)
        self.now += 1.0  # it takes its time
        return model, self.planner

    def seen(self, tick: int, again: bool = False) -> StateSeen:
        """A state of a control step; it comes now."""
        return StateSeen(tick * 100_000_000, np.zeros(4), self.now, again)

    def turn(self, *ticks: int, again: bool = False) -> None:
        """One turn with new states; afterwards a tenth of a second goes by."""
        self.worker.turn([self.seen(tick, again) for tick in ticks])
        self.now += 0.1

    def ready(self) -> Parts:
        """Past what is tried before the first command."""
        self.turn(0)
        return self

    def obey(self, tick: int, late: float = 0.0, command: float = 0.5) -> None:
        """The command that answers a state comes `late` seconds from now."""
        self.commands.coming[tick * 100_000_000] = (self.now + late, np.full(2, command))

    def kinds(self) -> list[str]:
        return [entry[0] for entry in self.told]

    def values(self) -> dict[str, Any]:
        """The newest `controller: timing`."""
        found: dict[str, Any] = next(e for e in reversed(self.told) if e[0] == "mode")[3]
        return found

    def transitions(self) -> int:
        """What the newest adaptation had."""
        found: int = next(e for e in reversed(self.told) if e[0] == "adapted")[2]
        return found


@pytest.fixture
def parts(robot: Robot, prior: tuple[DynamicsModel, Parameters], task: Any) -> Parts:
    return Parts(robot, prior, task)


def test_planning_is_tried_once_and_the_first_state_is_too_old_by_then(parts: Parts) -> None:
    parts.make().turn(0)
    assert parts.told == []
    assert parts.prepared == [pytest.approx((LATEST - ADAPTING) * 0.1)]
    parts.planner.mode = Mode.FEWER_CANDIDATES
    parts.turn(1)
    assert parts.kinds() == ["proposed", "adapted", "mode"]
    assert parts.planner.left == [pytest.approx(LATEST * 0.1)]
    assert parts.told[-1][2] is Mode.FEWER_CANDIDATES
    parts.turn(2)
    assert len(parts.prepared) == 1


def test_in_lockstep_the_first_state_is_answered_without_a_deadline(parts: Parts) -> None:
    parts.make(lockstep=True).turn(0)
    assert parts.kinds() == ["proposed", "adapted", "mode"]
    assert parts.planner.left == [None]


def test_a_deadline_counts_from_when_the_state_came(parts: Parts) -> None:
    parts.make().ready()
    seen = parts.seen(1)
    parts.now += 0.04
    parts.worker.turn([seen])
    assert parts.planner.left == [pytest.approx(LATEST * 0.1 - 0.04)]


def test_a_command_that_comes_a_little_late_is_waited_for(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.obey(1, late=0.015)
    parts.turn(2)
    assert parts.values()["wait_ms"] == pytest.approx(15.0)
    assert parts.values()["dropped"] == 0
    assert parts.transitions() == 1
    assert parts.planner.previous == [[0.0, 0.0], [0.5, 0.5]]  # what was sent, not the proposal


def test_a_command_that_comes_too_late_drops_its_transition(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.obey(1, late=0.03)
    parts.turn(2)
    assert parts.values()["wait_ms"] == pytest.approx(20.0)
    assert (parts.values()["dropped"], parts.transitions()) == (1, 0)
    parts.obey(2)
    parts.turn(3)  # it is not waited for a second time
    assert (parts.values()["dropped"], parts.transitions()) == (1, 1)
    assert parts.values()["wait_ms"] == 0.0


def test_in_lockstep_a_command_is_waited_for_however_late(parts: Parts) -> None:
    parts.make(lockstep=True).turn(1)
    parts.obey(1, late=9.0)
    parts.turn(2)
    assert (parts.values()["dropped"], parts.transitions()) == (0, 1)


def test_of_several_states_the_newest_is_answered(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.obey(1)
    parts.turn(2, 3)
    assert [entry[1] for entry in parts.told if entry[0] == "proposed"] == [10**8, 3 * 10**8]
    assert parts.values()["skipped"] == 1
    assert parts.transitions() == 1  # from 1 to 2; nobody knows what acted from 2 to 3
    parts.obey(3)
    parts.turn(4)
    assert (parts.transitions(), parts.values()["skipped"]) == (2, 1)


def test_while_safety_says_stop_nothing_is_planned_and_the_window_goes_on(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.node.stopped = True
    for tick in (2, 3):
        parts.obey(tick - 1, command=0.0)
        parts.turn(tick)
    rest = [("proposed", tick * 10**8, [0.0, 0.0]) for tick in (2, 3)]
    assert parts.told[3:] == rest
    parts.node.stopped = False
    parts.obey(3, command=0.0)
    parts.turn(4)
    assert len(parts.planner.left) == 2 and parts.transitions() == 3


def test_no_finite_plan_is_told_as_such_and_the_next_state_is_planned_for(parts: Parts) -> None:
    parts.make().ready()
    parts.planner.mode = Mode.NONE
    parts.turn(1)
    assert parts.told[0] == ("proposed", 10**8, None)
    assert parts.told[-1][2] is Mode.NONE and "samples" not in parts.values()
    parts.planner.mode = Mode.FULL
    parts.obey(1, command=0.0)  # safety held
    parts.turn(2)
    assert parts.told[-1][2] is Mode.FULL and parts.values()["samples"] == 4
    assert parts.transitions() == 1


def test_in_lockstep_a_state_that_is_sent_again_is_proposed_for_again(parts: Parts) -> None:
    parts.make(lockstep=True).turn(1)
    told = parts.told[:2]
    parts.turn(1, again=True)
    assert parts.told[3:] == told  # the same command, and that it was adapted
    assert len(parts.planner.left) == 1
    parts.turn()
    assert len(parts.told) == 5  # nothing came


def test_in_real_time_nothing_is_said_twice(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.turn(1, again=True)
    assert len(parts.told) == 3


def test_a_task_that_comes_later_is_begun_with_the_newest_state(parts: Parts) -> None:
    task, parts.task = parts.task, None
    parts.make().ready().turn(1)
    parts.turn(2)
    assert parts.told == []
    parts.task = task
    parts.turn()
    assert parts.told[0][:2] == ("proposed", 2 * 10**8)
    assert parts.values()["skipped"] == 1


def test_a_new_task_is_planned_for_without_the_last_plan(parts: Parts) -> None:
    parts.make().ready().turn(1)
    parts.obey(1)
    parts.turn(2)
    parts.task = type(parts.task)()
    parts.obey(2)
    parts.turn(3)
    assert parts.planner.previous == [[0.0, 0.0], [0.5, 0.5], [0.0, 0.0]]
    assert parts.transitions() == 2


def test_the_delay_that_was_planned_with_is_told(parts: Parts) -> None:
    parts.make().ready().turn(1)
    assert parts.values()["delay_s"] == 0.02
    parts.obey(1, command=1.0)
    parts.turn(2)
    window = parts.worker._agent._window.transitions()
    assert window.actions.tolist() == [[1.0, 1.0]]  # the first command: nothing was before it
    parts.obey(2, command=0.0)
    parts.turn(3)
    window = parts.worker._agent._window.transitions()
    torch.testing.assert_close(window.actions[1], torch.full((2,), 0.2))  # of 0.02 s in 0.1 s


def test_a_worker_ends_when_it_is_told_to(parts: Parts) -> None:
    stop = threading.Event()
    parts.make()
    taken: list[float] = []

    def take(timeout: float) -> list[StateSeen]:
        taken.append(timeout)
        if len(taken) == 3:
            stop.set()
        return [parts.seen(len(taken))]

    parts.dynamics.states = SimpleNamespace(take=take)
    parts.worker.run(stop)
    assert len(taken) == 3 and parts.kinds().count("proposed") == 2


def test_another_planner_answers_the_very_next_state_and_goes_on_from_the_last_plan(
    parts: Parts,
) -> None:
    parts.make().ready().turn(1)
    asked, other = [], Planner(parts)

    def retune(stamp: int, planner: Any) -> Any:
        asked.append((stamp, planner is parts.planner))
        return other

    parts.node.retune = retune
    parts.obey(1)
    parts.turn(2)
    assert asked == [(2 * 10**8, True)]
    assert (len(parts.planner.left), len(other.left)) == (1, 1)
    assert other.starts[0] is not None  # the plan before, moved on
    assert parts.kinds()[-3:] == ["proposed", "adapted", "mode"]


class Versions:
    """A run of which one newer model comes when it is told to."""

    def __init__(self, then: Any) -> None:
        self.then, self.there, self.looks = then, False, 0
        self.numbers = {"model_version": -1, "policy_version": -1}

    def look(self) -> None:
        self.looks += 1

    def next(self, acting: Any) -> Any:
        if not self.there:
            return acting
        self.there, self.numbers = False, {"model_version": 4, "policy_version": -1}
        return self.then


def test_a_newer_model_answers_the_very_next_state_and_is_told(parts: Parts) -> None:
    parts.make()
    halved = {name: 0.5 * value for name, value in parts.agent.guard.parameters.items()}
    guard = Guard(MeanResidual(), halved, parts.agent.guard.window_size, GuardConfig())
    versions = Versions(replace(parts.agent.acting, guard=guard))
    parts.worker._learned = versions  # type: ignore[assignment]
    parts.ready()
    assert versions.looks == 1  # before the first command, and then in a thread of its own
    parts.turn(1)
    assert parts.values()["model_version"] == -1
    versions.there = True
    parts.turn(2)
    assert parts.agent.guard is guard
    assert parts.values()["model_version"] == 4
    parts.turn(3)
    told = [entry[1] for entry in parts.told if entry[0] == "versions"]
    assert told == [{"model_version": 4, "policy_version": -1}]
