"""Steps of soft actor-critic by their formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig

CONFIG = SoftConfig(hidden=(16,), rows=32, learning_rate=1e-3)


def made(config: SoftConfig = CONFIG) -> SoftActorCritic:
    return SoftActorCritic(3, 2, config, Generator().manual_seed(0))


def batch(rows: int = 32) -> Batch:
    generator = Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return Batch(draw(rows, 3), draw(rows, 2).tanh(), draw(rows), draw(rows, 3), torch.zeros(rows))


def test_the_value_is_the_smaller_q_and_the_entropy() -> None:
    soft, seen = made(), batch().observations
    value = soft.soft_value(seen, Generator().manual_seed(3))
    noise = torch.randn(32, 2, generator=Generator().manual_seed(3))
    drawn = soft.policy.sample(soft.parameters, seen, noise)
    least = soft.critics.least(soft._targets, seen, drawn.actions)
    torch.testing.assert_close(value, least - drawn.log_prob)  # alpha is 1 at first


def test_critics_learn_what_a_terminal_step_pays() -> None:
    """Nothing comes after: Q(o, a) is the reward, whatever the policy does."""
    soft = made(SoftConfig(hidden=(32,), learning_rate=1e-2))
    told, generator = batch()._replace(terminated=torch.ones(32)), Generator().manual_seed(0)
    losses = [soft.update(told, generator)["critic_loss"] for _ in range(600)]
    assert losses[-1] < 0.05 * losses[0]


def test_the_policy_goes_where_q_is_high() -> None:
    """Reward -(a - .5)^2 in steps that end: without entropy the best action is .5."""
    config = SoftConfig((32,), learning_rate=3e-3, temperature=1e-2, entropy=None, rows=64)
    soft, generator = made(config), Generator().manual_seed(0)
    for _ in range(1000):
        actions = 2 * torch.rand(64, 2, generator=generator) - 1
        seen = torch.randn(64, 3, generator=generator)
        paid = -(actions - 0.5).square().sum(1)
        soft.update(Batch(seen, actions, paid, seen, torch.ones(64)), generator)
    chosen = soft.policy.means(soft.parameters, batch().observations)
    assert (chosen - 0.5).abs().mean() < 0.15


def test_the_temperature_falls_while_there_is_more_entropy_than_wanted() -> None:
    soft, generator = made(), Generator().manual_seed(0)
    before = float(soft.temperature)
    entropy = soft.update(batch(), generator)["entropy"]
    assert entropy > -2.0  # -1 for each of two numbers is wanted
    assert float(soft.temperature) < before == 1.0


def test_targets_follow_slowly() -> None:
    soft = made(SoftConfig(hidden=(16,), target_rate=0.25))
    before = {name: value.clone() for name, value in soft._targets.items()}
    soft.update(batch(), Generator().manual_seed(0))
    for name, value in soft._learned["critics"].items():
        expected = before[name] + 0.25 * (value.detach() - before[name])
        torch.testing.assert_close(soft._targets[name], expected)


def test_a_snapshot_goes_on_to_the_bit() -> None:
    one, generator = made(), Generator().manual_seed(5)
    for _ in range(3):
        one.update(batch(), generator)
    kept = {name: value.clone() for name, value in one.snapshot().items()}
    other = SoftActorCritic(3, 2, CONFIG, Generator().manual_seed(9))
    other.restore(kept)
    for each in (one, other):
        each.update(batch(), Generator().manual_seed(6))
    for name, value in one.snapshot().items():
        assert torch.equal(value, other.snapshot()[name]), name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"discount": 1.0}, "0 <= discount < 1"),
        ({"target_rate": 0.0}, "0 < target_rate"),
        ({"rows": 0}, "a row in a batch"),
        ({"temperature": 0.0}, "temperature above 0"),
    ],
)
def test_bad_settings(changes: dict[str, float], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        SoftConfig(**changes)  # type: ignore[arg-type]
