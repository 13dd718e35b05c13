"""The controller node by itself: what it proposes, and what safety heard of that."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("torch")
import torch
from rclpy.parameter import Parameter

from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.bench.problem import make_problem
from ros_mbmrl.dry_run import DryRun, Fit
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.controller import ControllerNode
from ros_mbmrl.nodes.messages import ERROR, command_message, from_stamp, path_message
from ros_mbmrl.planning.base import Plan, Tried
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.view.picture import read_cloud


@pytest.fixture
def node(context: Any, outbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("ros_mbmrl.nodes.controller.advertise", outbox.advertise)
    made = ControllerNode(context=context, namespace="/hexapod")
    yield made
    made.close()
    made.destroy_node()


def test_a_proposal_that_safety_heard_as_it_was_is_nothing(node: Any, outbox: Any) -> None:
    node.propose(7, np.array([1.0, 2.0]))
    node.propose(8, None)
    for proposal in outbox.sent["command/proposed"]:
        node._on_heard(proposal)
    assert outbox.sent["/diagnostics"] == []


@pytest.mark.parametrize("values", [(1.0, 2.5), ()])
def test_one_that_is_not_ours_is_told(node: Any, outbox: Any, values: tuple[float, ...]) -> None:
    node.propose(7, np.array([1.0, 2.0]))
    node._on_heard(command_message(SPEC, np.array(values) if values else None, 7))
    (message,) = outbox.sent["/diagnostics"]
    (line,) = message.status
    assert from_stamp(message.header.stamp) == 7
    assert (line.name, line.hardware_id, line.level) == (
        "hexapod/controller: echo",
        "hexapod",
        ERROR,
    )
    assert {pair.key: pair.value for pair in line.values} == {"foreign": "1"}


@pytest.mark.parametrize("lockstep", [False, True])
def test_in_lockstep_nobody_asks_what_was_heard(context: Any, lockstep: bool) -> None:
    overrides = [Parameter("lockstep", value=lockstep)]
    node = ControllerNode(context=context, parameter_overrides=overrides)
    heard = {each.topic_name for each in node.subscriptions}
    assert ("/command/proposed/heard" in heard) is not lockstep
    node.destroy_node()


class Straight:
    """A model that moves x by the first action of every step."""

    def predictor(self, parameters: Any, hidden: Any) -> Any:
        def predict(state: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
            states = state[:, None].repeat(1, actions.shape[1] + 1, 1)
            states[:, 1:, 0] += actions[..., 0].cumsum(-1)
            return states

        return predict


def a_plan(mode: Mode = Mode.FULL, tried: bool = True) -> Plan:
    """A plan of 40 candidates of 3 steps; candidate k goes k a step and costs k."""
    actions = torch.arange(40.0)[:, None, None].expand(40, 3, 2)
    found = Tried(actions, torch.arange(40.0)) if tried else None
    return Plan(actions[0, 0], actions[0], 0.0, 1.0, 40, 40, mode, tried=found)


@pytest.fixture
def showing(context: Any, outbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Shows 5 candidates; returns a function that publishes those of a plan."""
    monkeypatch.setattr("ros_mbmrl.nodes.controller.advertise", outbox.advertise)
    node = ControllerNode(context=context, parameter_overrides=[Parameter("candidates", value=5)])
    adapted = SimpleNamespace(parameters=None, hidden=None)
    state = np.zeros(len(SPEC.state))

    def publish(stamp: int, plan: Plan) -> list[Any]:
        node.publish_candidates(stamp, Straight(), adapted, state, plan)
        return list(outbox.sent["plan/candidates"])

    yield publish
    node.close()
    node.destroy_node()


def test_candidates_are_shown_from_the_cheapest_to_the_dearest(showing: Any) -> None:
    (message,) = showing(7, a_plan())
    assert (message.height, message.width, from_stamp(message.header.stamp)) == (5, 4, 7)
    assert message.header.frame_id == "map"
    points, costs = read_cloud(message)
    assert costs.tolist() == [0.0, 10.0, 20.0, 29.0, 39.0]
    for row, cost in zip(points, costs, strict=True):
        assert row[:, 0].tolist() == [0.0, cost, 2 * cost, 3 * cost]


def test_candidates_are_shown_ten_times_a_second_at_most(showing: Any) -> None:
    stamps = range(0, 1_000_000_000, 20_000_000)  # 50 Hz
    for stamp in stamps:
        sent = showing(stamp, a_plan())
    assert len(sent) == 10
    assert len(showing(0, a_plan())) == 11  # a clock that began anew


def test_candidates_are_left_out_where_there_was_no_time_or_are_none(showing: Any) -> None:
    assert showing(1, a_plan(Mode.FEWER_CANDIDATES)) == []
    assert showing(2, a_plan(tried=False)) == []
    assert len(showing(3, a_plan())) == 1


def test_without_a_view_there_are_no_candidates(context: Any, outbox: Any, node: Any) -> None:
    adapted = SimpleNamespace(parameters=None, hidden=None)
    node.publish_candidates(1, Straight(), adapted, np.zeros(len(SPEC.state)), a_plan())
    assert outbox.sent["plan/candidates"] == []


def test_a_number_of_candidates_that_is_none(context: Any) -> None:
    with pytest.raises(UserError, match="candidates: expected at least 0, got -1"):
        ControllerNode(context=context, parameter_overrides=[Parameter("candidates", value=-1)])


def given(**parameters: Any) -> list[Any]:
    return [Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()]


@pytest.fixture
def tried(node: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The node once planning was tried: 500 candidates took 12 of 60 ms."""
    problem = make_problem((8,), "silu", torch.Generator().manual_seed(0))
    fit = Fit(node.planner, 0.012, "")
    monkeypatch.setattr(DryRun, "fit", lambda *_: fit)
    report = AdaptReport(0, 0.0, 0.0, 0.0, False, "")
    node.prepare(problem.model, Adapted(problem.parameters, report), problem.state, left=0.06)
    return node


def test_nothing_is_set_before_planning_was_tried(node: Any) -> None:
    (result,) = node.set_parameters(given(speed=0.3))
    assert not result.successful and "before planning was tried" in result.reason
    assert node.retune(7, node.planner) is node.planner


def test_what_is_set_is_taken_over_before_the_next_plan_and_told(tried: Any, outbox: Any) -> None:
    tried._on_reference(path_message([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 1))
    task = tried.task(np.zeros(24))
    task.progress = 0.5
    wanted = {"speed": 0.4, "planner__mppi__temperature": 0.5, "cost__cross_track": 0.05}
    assert all(result.successful for result in tried.set_parameters(given(**wanted)))
    assert task.speed == 0.25  # perhaps a plan is being made
    planner = tried.retune(7, tried.planner)
    assert (task.speed, task.weights.cross_track, task.progress) == (0.4, 0.05, 0.5)
    assert tried.task(np.zeros(24)) is task  # so its plan goes on
    assert planner.config.temperature == 0.5 and planner.config.horizon == 5
    (message,) = outbox.sent["/diagnostics"]
    (line,) = message.status
    assert from_stamp(message.header.stamp) == 7
    assert (line.name, line.hardware_id) == ("hexapod/controller: tuning", "hexapod")
    values = {pair.key: pair.value for pair in line.values}
    assert values == {"speed": "0.4", "planner.mppi.temperature": "0.5", "cost.cross_track": "0.05"}
    assert tried.retune(8, planner) is planner and len(outbox.sent["/diagnostics"]) == 1


def test_a_path_that_comes_later_is_followed_with_what_was_set(tried: Any) -> None:
    tried.set_parameters(given(speed=0.4))
    tried._on_reference(path_message([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 1))
    assert tried.task(np.zeros(24)).speed == 0.25  # not yet: a replay goes by what was told
    tried.retune(7, tried.planner)
    assert tried.task(np.zeros(24)).speed == 0.4
    tried._on_reference(path_message([(0.0, 0.0, 0.0), (2.0, 0.0, 0.0)], 1))
    assert tried.task(np.zeros(24)).speed == 0.4


def test_candidates_are_allowed_as_far_as_the_check_at_the_start_reaches(tried: Any) -> None:
    name = "planner__mppi__num_samples"
    told = tried.describe_parameter("planner.mppi.num_samples")
    assert "500 candidates and 5 steps take 12 ms of the 60 ms" in told.description
    assert told.integer_range[0].to_value == pytest.approx(2250, abs=1)  # nine tenths of 60 ms
    too_many, enough = (tried.set_parameters(given(**{name: n}))[0] for n in (2300, 2200))
    assert not too_many.successful and "Max: 22" in too_many.reason
    assert enough.successful and tried.retune(1, tried.planner).config.num_samples == 2200


def test_the_planner_that_does_not_act_and_the_horizon_are_fixed(tried: Any) -> None:
    for name in ("planner.mppi.horizon", "planner.icem.sigma", "planner.sigma"):
        assert not tried.has_parameter(name)
    assert tried.describe_parameter("seed").read_only


def test_a_setting_of_the_start_is_where_tuning_begins(context: Any) -> None:
    start = given(planner__mppi__sigma=0.4, planner__horizon=4, cost__change=3, speed=1)
    node = ControllerNode(context=context, parameter_overrides=start)
    assert node.get_parameter("planner.mppi.sigma").value == 0.4
    assert node.get_parameter("cost.change").value == 3.0
    assert node.get_parameter("speed").value == 1.0
    assert node.describe_parameter("planner.horizon").read_only
    node._on_reference(path_message([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 1))
    task = node.task(np.zeros(24))
    assert (task.speed, task.weights.change) == (1.0, 3.0)
    node.destroy_node()


def test_a_wrong_weight_of_the_start_is_one_line(context: Any) -> None:
    with pytest.raises(UserError, match=r"^cost\.mood: expected one of cross_track, progress"):
        ControllerNode(context=context, parameter_overrides=given(cost__mood=1.0))


def test_in_lockstep_nothing_is_set(context: Any) -> None:
    node = ControllerNode(context=context, parameter_overrides=given(lockstep=True))
    for wanted in ({"speed": 0.3}, {"planner__mppi__sigma": 0.1}, {"cost__change": 1.0}):
        (result,) = node.set_parameters(given(**wanted))
        assert not result.successful and result.reason.startswith("in lockstep nothing is set")
    node.destroy_node()
