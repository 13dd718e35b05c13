"""What learners whose policy sees its history gather."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.learning.policies.with_histories import HistoryConfig, HistoryLearner
from ros_mbmrl.policies.sampling import Tasks

CONFIG = HistoryConfig(
    budget=200, worlds=2, horizon=6, first=6, soft=SoftConfig(hidden=(8,), rows=16), history=3
)


class Watching(HistoryLearner[HistoryConfig]):
    """Learns nothing, and notes what it acted on."""

    def __init__(self, tasks: Tasks, config: HistoryConfig) -> None:
        super().__init__(tasks, config)
        self.acted_on: list[Tensor] = []

    def _chosen(self, seen: Tensor, generator: Generator) -> Tensor:
        self.acted_on.append(torch.cat([seen, self._held], dim=1))
        return super()._chosen(seen, generator)

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        return {}


def test_the_policy_acts_on_the_histories_that_the_replay_gives(sliders: Tasks) -> None:
    learner = Watching(sliders, CONFIG)
    for _ in range(2):
        learner.update(sliders, Generator())
    held = learner.sequences.at(learner.sequences.numbers).observations
    acted = torch.cat(learner.acted_on)
    torch.testing.assert_close(held[-len(acted) :], acted)
    valid = learner.layout.parts(acted[-12:, 2:]).valid.sum(dim=1).view(6, 2)
    assert valid[:, 0].tolist() == [0, 1, 2, 3, 3, 3]  # a new episode remembers none of the last


def test_a_history_tells_rewards_where_situations_differ_in_them(sliders: Tasks) -> None:
    other = replace(sliders, one_reward=False)
    for tasks, told, expected in (
        (sliders, None, False),
        (other, None, True),
        (other, False, False),
    ):
        learner = Watching(tasks, replace(CONFIG, told_rewards=told))
        assert learner.layout.rewards is expected
    learner = Watching(other, CONFIG)
    learner.update(other, Generator())
    batch = learner.real(50, Generator().manual_seed(0))
    now, past, valid = learner.layout.parts(batch.following[:, 2:])
    assert np.allclose(past[:, -1, -1], batch.rewards)
    assert valid[:, -1].all()
