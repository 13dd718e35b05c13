"""Real episodes of a policy: how they explore, what is kept of them, and what a checkpoint has."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.learning.policies.real_data import data_of, exploring, gather, tensors_of
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.sampling import Tasks

POLICY = GaussianPolicy(MLP((2, 1)), torch.zeros(2), torch.ones(2))
PARAMETERS: Parameters = {
    "w0": torch.tensor([[-1.0], [0.0]]),
    "b0": torch.tensor([1.0]),
    "log_std": torch.tensor([-30.0]),
}


def test_deviations_are_uniform_and_kept_for_an_episode() -> None:
    own = exploring(PARAMETERS, PARAMETERS, 4000, 3.0, 1.0, Generator().manual_seed(0))
    std = own["log_std"].exp()
    assert std.shape == (4000, 1)
    assert float(std.mean()) == pytest.approx(1.5, abs=0.05)
    assert float(std.max()) <= 3.0 and float(std.min()) > 0
    assert torch.equal(own["w0"][17], PARAMETERS["w0"])  # nothing changed, so no noise


def test_noise_on_parameters_is_as_large_as_their_last_change() -> None:
    previous = {**PARAMETERS, "w0": torch.tensor([[-1.5], [0.0]])}
    own = exploring(PARAMETERS, previous, 4000, 0.0, 2.0, Generator().manual_seed(0))
    assert own["w0"].std(dim=0).flatten().tolist() == pytest.approx([1.0, 0.0], abs=0.05)
    assert float(own["w0"][:, 0].mean()) == pytest.approx(-1.0, abs=0.05)
    assert torch.equal(own["log_std"], PARAMETERS["log_std"].expand(4000, 1))


def test_episodes_and_their_returns(sliders: Tasks) -> None:
    own = (POLICY, for_tasks(PARAMETERS, 3), 5, np.random.default_rng(0))
    found = gather(sliders, *own, "mine")
    assert [len(each) for each in found.rollouts] == [5, 5, 5]
    assert [each.tags["session"] for each in found.rollouts] == ["mine-0", "mine-1", "mine-2"]
    for rollout, total in zip(found.rollouts, found.returns, strict=True):
        x, actions = rollout.states[:, 0], rollout.actions[:, 0]
        assert actions == pytest.approx(np.clip(1 - x[:-1], -1, 1), abs=1e-5)
        assert total == pytest.approx(
            float(-((x[1:] - 1) ** 2).sum() - 0.01 * (actions**2).sum()), abs=1e-4
        )


def test_a_checkpoint_has_all_rollouts(sliders: Tasks) -> None:
    own = (POLICY, for_tasks(PARAMETERS, 3), 5, np.random.default_rng(0))
    a, b, c = gather(sliders, *own, "mine").rollouts
    data = data_of(tensors_of(Data((a, b), (c,))), "slider")
    assert (len(data.training), len(data.held)) == (2, 1)
    for one, other in zip((a, b, c), (*data.training, *data.held), strict=True):
        assert np.array_equal(one.states, other.states)
        assert np.array_equal(one.actions, other.actions)
        assert np.array_equal(one.times, other.times)
    assert data_of(tensors_of(Data()), "slider") == Data()
