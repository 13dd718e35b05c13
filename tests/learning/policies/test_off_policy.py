"""The loop of the off-policy methods: whose steps count, and what ends are told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.learning.policies.off_policy import OffPolicyConfig, OffPolicyLearner
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Transition
from tests.learning.policies.conftest import Slider, SliderEnvironment

CONFIG = OffPolicyConfig(
    budget=60, worlds=3, horizon=10, first=12, updates=2, soft=SoftConfig(hidden=(4,), rows=4)
)


class Ending(SliderEnvironment):
    """The first slider terminates after 3 steps, the second one's time is up after 5."""

    def step(self, actions: Array) -> Transition:
        moved = super().step(actions)
        steps, none = np.round(self.times / 0.1), np.zeros(3, dtype=bool)
        terminated, truncated = none.copy(), none.copy()
        terminated[0], truncated[1] = steps[0] >= 3, steps[1] >= 5
        return Transition(moved.observation, np.ones(3), terminated, truncated)


class Idle(OffPolicyLearner[OffPolicyConfig]):
    """Learn nothing, and count."""

    asked: Sequence[int] = ()

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        self.asked = [*self.asked, steps]
        return {"steps": float(steps)}


def test_steps_count_until_an_episode_ends() -> None:
    tasks = Tasks(Slider(), lambda rng: None, Ending)  # type: ignore[arg-type, return-value]
    learner = Idle(tasks, CONFIG, tasks.observations)
    scalars = learner.update(tasks, Generator())
    assert len(learner.replay) == 3 + 5 + 10
    # Rewards are 1 a step; time that is up is no end that critics are told.
    assert scalars["after"] == (3 + 5 + 10) / 3
    kept = learner.replay.snapshot()["4"]
    assert float(kept.sum()) == 1.0
    # 2 steps a transition, from the 12th on: of 2 robots in the 5th period, then of one.
    assert learner.asked == [4, 2, 2, 2, 2, 2]


def test_an_iteration_depends_on_its_number_alone() -> None:
    tasks = Tasks(Slider(), lambda rng: None, Ending)  # type: ignore[arg-type, return-value]
    learner, other = (Idle(tasks, CONFIG, tasks.observations) for _ in range(2))
    for _ in range(2):
        learner.update(tasks, Generator())
    other.update(tasks, Generator().manual_seed(5))
    again = Idle(tasks, CONFIG, tasks.observations)
    again.restore(other.snapshot())
    again.update(tasks, Generator().manual_seed(6))
    drawn = [each.replay.draw(20, Generator().manual_seed(0)) for each in (learner, again)]
    for one, two in zip(*drawn, strict=True):
        assert torch.equal(one, two)
