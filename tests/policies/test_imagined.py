"""Episodes in an imagination, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.imagined import (
    ImaginedEpisodes,
    commands_of,
    going,
    imagine_episodes,
    reward_in,
    reward_of,
)
from ros_mbmrl.policies.sampling import Tasks, to_commands
from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

POLICY = GaussianPolicy(MLP((1, 2)), torch.zeros(1), torch.ones(1))  # sees the speed
PARAMETERS: Parameters = {
    "w0": torch.tensor([[-0.5, 0.0]]),
    "b0": torch.tensor([0.5, 0.0]),
    "log_std": torch.full((2,), -1.0),
}


@dataclass
class Fast:
    """Cost: the drive's square less the speed at the period's end."""

    stationary: bool = True

    def reference(self, state: Array) -> Tensor:
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return actions[..., 0].square().sum(-1) - states[:, 1:, 3].sum(-1)


def imagination_of(robot: Robot, gains: tuple[float, ...]) -> Imagination:
    """speed += gain * drive, a member each; each episode keeps its own."""
    one, each = torch.ones, []
    for gain in gains:
        weights = torch.zeros(3, 4)
        weights[1, 3] = gain
        each.append({"w0": weights, "b0": torch.zeros(4)})
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    model = DynamicsModel(robot, Ensemble((3, 4), members=len(gains)), normalizer)
    return Imagination.of(model, unstacked(each), "eps_rand")


def imagined(robot: Robot, parameters: Parameters, gains: tuple[float, ...]) -> ImaginedEpisodes:
    """Two episodes of two steps from speeds 0 and 1, by the first and by the second member."""
    starts = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    noise, members = torch.zeros(2, 2, 2), torch.tensor([0, 1])
    own = (POLICY, for_tasks(parameters, 1), imagination_of(robot, gains), reward_of(Fast()))
    return imagine_episodes(*own, starts, noise, Generator(), members)


def test_two_steps_by_hand(robot: Robot) -> None:
    episodes = imagined(robot, PARAMETERS, (1.0, 2.0))
    # Drive: .5 - .5 speed. First row: .5, .25; the second one has speed 1, where the drive is 0.
    assert episodes.actions[0, :, :, 0].tolist() == [[0.5, 0.25], [0.0, 0.0]]
    assert episodes.states[0, :, :, 3].tolist() == [[0.0, 0.5, 0.75], [1.0, 1.0, 1.0]]
    assert episodes.observations[0, :, :, 0].tolist() == [[0.0, 0.5], [1.0, 1.0]]
    assert episodes.rewards[0].tolist() == [[0.25, 0.6875], [1.0, 1.0]]
    likely = POLICY.log_prob(PARAMETERS, episodes.observations, episodes.actions)
    torch.testing.assert_close(episodes.log_probs, likely)


def test_the_gradient_runs_through_the_model(robot: Robot) -> None:
    """With the bias b: drives b and b - b / 2, speeds b and 1.5 b; rewards speed - drive^2."""
    bias = torch.tensor([0.5, 0.0], requires_grad=True)
    episodes = imagined(robot, {**PARAMETERS, "b0": bias}, (1.0, 2.0))
    (slope,) = torch.autograd.grad(episodes.rewards[0, 0].sum(), bias)
    b = 0.5
    assert float(slope[0]) == pytest.approx((1 - 2 * b) + (1.5 - 0.5 * b), abs=1e-6)


def test_a_row_that_is_not_finite_stays(robot: Robot) -> None:
    episodes = imagined(robot, PARAMETERS, (float("inf"), 1.0))
    assert episodes.states[0, 0, :, 3].tolist() == [0.0, 0.0, 0.0]
    assert episodes.rewards[0, 0].tolist() == [-0.25, -0.25]
    assert episodes.states.isfinite().all()


def test_tasks_have_parameters_of_their_own(robot: Robot) -> None:
    both = {name: torch.stack([value, 0 * value]) for name, value in PARAMETERS.items()}
    starts, noise = torch.zeros(4, 4), torch.zeros(4, 1, 2)
    own = (POLICY, both, imagination_of(robot, (1.0, 1.0)), reward_of(Fast()))
    episodes = imagine_episodes(*own, starts, noise, Generator().manual_seed(0))
    assert episodes.states[..., 1, 3].tolist() == [[0.5, 0.5], [0.0, 0.0]]


def test_commands_are_those_of_real_episodes(robot: Robot) -> None:
    actions = torch.tensor([[-3.0, 0.2], [0.5, 1.0]])
    expected = to_commands(robot.spec, actions.numpy().astype(float))
    assert commands_of(robot.spec)(actions).numpy() == pytest.approx(expected, abs=1e-6)


def test_a_task_with_a_memory_is_refused() -> None:
    with pytest.raises(UserError, match="same at any time"):
        reward_of(Fast(stationary=False))


def test_the_reward_of_a_robot_is_that_of_its_first_task() -> None:
    def tasks(robot: Robot, **facts: object) -> Tasks:
        return Tasks(robot, lambda _: Situation(), make_simulated, **facts)  # type: ignore[arg-type]

    reward = reward_in(tasks(PointRobot("point_centre", 0.1, centred=True)))
    states, after = torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert reward(states, torch.zeros(2, 2), after).tolist() == [-25.0, -1.0]
    with pytest.raises(UserError, match="robot 'point_corners' has no task that tells rewards"):
        reward_in(tasks(PointRobot("point_corners", 0.2)))
    drawn = tasks(PointRobot("point_centre", 0.1), names=("everywhere",), one_reward=False)
    with pytest.raises(UserError, match="one reward, got everywhere, where it is drawn"):
        reward_in(drawn)


def test_a_reward_without_a_width_is_not_widened() -> None:
    robot = PointRobot("point_centre", 0.1, centred=True)
    tasks = Tasks(robot, lambda _: Situation(), make_simulated)
    with pytest.raises(UserError, match=r"widened: the reward of \w+ has no width: expected 1"):
        reward_in(tasks, 2.0)


def test_rewards_end_with_the_episode(robot: Robot) -> None:
    starts = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    own = (POLICY, for_tasks(PARAMETERS, 1), imagination_of(robot, (1.0, 1.0)), reward_of(Fast()))
    noise, quick = torch.zeros(2, 3, 2), lambda states: states[:, 3] > 0.6
    episodes = imagine_episodes(*own, starts, noise, Generator(), ended=quick)
    assert episodes.live is not None
    # Speeds 0, .5, .75: the first row's second step ends it. The second row begins in an end.
    assert episodes.live[0].tolist() == [[True, True, False], [True, False, False]]
    assert episodes.rewards[0].tolist() == [[0.25, 0.6875, 0.0], [1.0, 0.0, 0.0]]
    assert going(episodes.states[0], quick).tolist() == episodes.live[0].tolist()
