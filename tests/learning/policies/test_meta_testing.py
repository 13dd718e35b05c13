"""Algorithm 2: memories of new tasks, and who acts in them."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.latent.base import Code
from ros_mbmrl.learning.policies.gssm import train_contextual
from ros_mbmrl.learning.policies.meta_testing import (
    NewTasks,
    meta_test,
    one_of,
    remembered,
    thompson,
    with_noise,
)
from ros_mbmrl.learning.policies.trials import contexts
from ros_mbmrl.policies.sampling import Tasks

from .test_gssm import tiny


@pytest.mark.parametrize("method", ["gssm_policy", "m_dpilco_policy", "l2a_policy"])
def test_a_memory_comes_first_and_both_repeat(method: str, sliders: Tasks) -> None:
    config = tiny(method, budget=10)
    trained, new = train_contextual(sliders, config), NewTasks.drawn(sliders, 3, seed=4)
    rows = remembered(sliders, trained, config, new)
    assert [len(each.states) for each in rows] == [15] * 3  # an episode of 10, and 5 of the next
    first, second = (meta_test(sliders, trained, config, new) for _ in range(2))
    assert first.returns.tolist() == second.returns.tolist()
    assert first.memory.weight.shape == (3, 15) and len(first.met) == 3


def test_thompson_sampling_draws_from_the_belief() -> None:
    belief = Code(torch.tensor([[1.0], [-3.0]]), torch.tensor([[0.5], [2.0]]))
    draws = torch.stack(
        [
            thompson(belief, [Generator().manual_seed(2 * k + n) for n in (0, 1)])
            for k in range(3000)
        ]
    )
    assert draws.mean(0)[:, 0].tolist() == pytest.approx([1.0, -3.0], abs=0.12)
    assert draws.std(0)[:, 0].tolist() == pytest.approx([0.5, 2.0], rel=0.05)


def test_parts_of_a_memory_and_noise(sliders: Tasks) -> None:
    config = tiny("gssm_policy", budget=10)
    trained, new = train_contextual(sliders, config), NewTasks.drawn(sliders, 2, seed=4)
    memory = contexts(remembered(sliders, trained, config, new), 15)
    assert torch.equal(one_of(memory, 1).states, memory.states[1:])
    noisy = with_noise(trained.parameters, 0.3)
    assert float(noisy["log_std"].exp()) == pytest.approx(0.3)
