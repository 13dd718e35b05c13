"""TD(lambda): returns by hand, and values of a process whose values are known."""

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.value import ValueConfig, fit_value, lambda_returns
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("half_cheetah")
PERIOD = ROBOT.spec.period


def test_returns_by_hand() -> None:
    config = ValueConfig(discount=0.5, trace=0.5)
    rewards, values = torch.tensor([1.0, 2.0]), torch.tensor([9.0, 4.0, 8.0])
    # G_1 = 2 + .5 * 8 = 6; G_0 = 1 + .5 * (.5 * 4 + .5 * 6) = 3.5
    assert lambda_returns(rewards, values, config).tolist() == [3.5, 6.0]


def test_with_trace_0_it_is_one_step() -> None:
    config = ValueConfig(discount=0.9, trace=0.0)
    rewards, values = torch.tensor([1.0, 2.0]), torch.tensor([9.0, 4.0, 8.0])
    torch.testing.assert_close(lambda_returns(rewards, values, config), rewards + 0.9 * values[1:])


def runs(speeds: np.ndarray, steps: int = 60) -> list[Rollout]:
    """Robots that keep the speed that they have."""
    rollouts = []
    for speed in speeds:
        states = np.zeros((steps + 1, 18), dtype=np.float32)
        states[:, 9] = speed
        states[:, 0] = speed * PERIOD * np.arange(steps + 1)
        rollouts.append(
            Rollout(
                robot="half_cheetah",
                states=states,
                actions=np.zeros((steps, 6), dtype=np.float32),
                times=PERIOD * np.arange(steps + 1),
                marks=np.zeros(steps, dtype=np.uint8),
            )
        )
    return rollouts


def test_who_keeps_a_speed_is_worth_it_for_ever() -> None:
    """v = speed / (1 - gamma), though no run lasts that long."""
    task, speeds = ROBOT.make_task("run", np.zeros(18)), np.linspace(-1.0, 3.0, 9)
    config = ValueConfig(discount=0.9, sweeps=10, steps=1000, hidden=(32,), members=2)
    value = fit_value(ROBOT, task, runs(speeds), config, seed=0)
    states = torch.zeros(9, 18)
    states[:, 9] = torch.as_tensor(speeds)
    error = value(states) - torch.as_tensor(speeds, dtype=torch.float32) / 0.1
    assert float(error.abs().max()) < 1.0  # of -10 to 30
    assert not any(part.requires_grad for part in value.stack.values())


def test_the_same_seed_gives_the_same_values() -> None:
    task, config = ROBOT.make_task("run", np.zeros(18)), ValueConfig(steps=8, hidden=(8,))
    first, second = (fit_value(ROBOT, task, runs(np.ones(2)), config, seed=3) for _ in range(2))
    assert torch.equal(first(torch.ones(1, 18)), second(torch.ones(1, 18)))


def test_a_task_with_a_goal_is_refused() -> None:
    arm = make_robot("arm_7dof")
    task = arm.make_task(arm.tasks()[0], np.zeros(len(arm.spec.state)))
    with pytest.raises(UserError, match="same at any time"):
        fit_value(arm, task, [], ValueConfig(), seed=0)


@pytest.mark.parametrize("wrong", [{"discount": 1.0}, {"trace": -0.1}, {"steps": 0}, {"rounds": 0}])
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ValueConfig(**wrong)
