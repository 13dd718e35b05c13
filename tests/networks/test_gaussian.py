"""Gaussian heads: log variances within their bounds, and the likelihood of appendix A.1."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator
from torch.distributions import Normal

from ros_mbmrl.networks.ensemble import Ensemble, members_of
from ros_mbmrl.networks.gaussian import (
    bounds_penalty,
    heads_of,
    likelihood_loss,
    log_variances,
    new_head,
    scaled,
    split_heads,
)
from ros_mbmrl.networks.groups import network_of
from ros_mbmrl.networks.mlp import Parameters

GAUSSIAN = Ensemble((3, 8, 4), "silu", members=2, head="gaussian")


def head(raw: float) -> Parameters:
    """A head of one output that gives `raw` before the bounds -10 and .5."""
    return heads_of(
        {f"member.0.variance.{name}": v for name, v in (new_head(1, 1) | one(raw)).items()}, [0]
    )


def one(raw: float) -> Parameters:
    return {"b": torch.tensor([raw])}


@pytest.mark.parametrize(("raw", "expected"), [(-3.0, -3.0 - 0.0288), (50.0, 0.5), (-50.0, -10.0)])
def test_a_log_variance_is_softly_bounded(raw: float, expected: float) -> None:
    found = log_variances(head(raw), torch.zeros(1, 1, 1))
    # .5 - softplus(.5 + 3) = -3.0298; -10 + softplus(6.9702) = -3.0288
    assert float(found) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("raw", [-3.0, 50.0, -50.0])
def test_a_scale_acts_on_every_variance_those_at_the_bounds_included(raw: float) -> None:
    given = {f"member.0.variance.{k}": v for k, v in (new_head(1, 1) | one(raw)).items()}
    h, scale = torch.zeros(1, 1, 1), torch.tensor([4.0])
    before, after = (log_variances(heads_of(p, [0]), h) for p in (given, scaled(given, scale)))
    assert float(after - before) == pytest.approx(math.log(4.0), abs=1e-5)


def test_the_bounds_learn_where_they_bind() -> None:
    own = {name: value.requires_grad_(True) for name, value in head(50.0).items()}
    torch.autograd.backward(log_variances(own, torch.zeros(1, 1, 1)).sum())
    assert float(own["high"].grad) == pytest.approx(1.0, abs=1e-3)  # type: ignore[arg-type]
    assert float(own["b"].grad) == pytest.approx(0.0, abs=1e-3)  # type: ignore[arg-type]


def test_the_loss_is_twice_the_negative_log_likelihood_of_a_gaussian() -> None:
    g = Generator().manual_seed(0)
    error, logs = torch.randn(50, generator=g), torch.randn(50, generator=g)
    expected = -2 * Normal(0.0, (0.5 * logs).exp()).log_prob(error) - math.log(2 * math.pi)
    torch.testing.assert_close(likelihood_loss(error, logs), expected)


def test_the_penalty_is_a_hundredth_of_the_distance_of_the_bounds() -> None:
    assert float(bounds_penalty(head(0.0))) == pytest.approx(0.105)


def test_heads_are_put_together_and_taken_apart() -> None:
    parameters = GAUSSIAN.init(Generator().manual_seed(0))
    parameters["member.1.variance.b"] += 1.0
    heads = heads_of(parameters, (0, 1))
    assert {name: tuple(v.shape) for name, v in heads.items()} == {
        "w": (2, 8, 4), "b": (2, 1, 4), "low": (2, 1, 4), "high": (2, 1, 4),
    }  # fmt: skip
    again = split_heads(heads)
    assert again.keys() == {name for name in parameters if ".variance." in name}
    assert all(torch.equal(value, parameters[name]) for name, value in again.items())


def test_a_head_changes_no_mean_and_is_no_part_of_what_adapts() -> None:
    plain = Ensemble((3, 8, 4), "silu", members=2)
    own, other = (each.init(Generator().manual_seed(3)) for each in (GAUSSIAN, plain))
    assert network_of(own).keys() == other.keys()
    x = torch.randn(5, 3)
    assert torch.equal(GAUSSIAN.forward(own, x), plain.forward(other, x))


def test_moments_are_those_of_each_member() -> None:
    parameters = GAUSSIAN.init(Generator().manual_seed(0))
    parameters["member.1.variance.b"] += 1.0
    x = torch.randn(2, 5, 3)
    means, variances = GAUSSIAN.moments(parameters, GAUSSIAN.no_update, x)
    assert variances is not None
    for k, own in enumerate(members_of(parameters)):
        torch.testing.assert_close(means[k], GAUSSIAN.member.forward(own, x))
    # b = 0: .5 - softplus(.5) = -.4741; b = 1: .5 - softplus(-.5) = .0259
    torch.testing.assert_close(variances[0], torch.full_like(variances[0], math.exp(-0.4741)),
                               rtol=1e-3, atol=0)  # fmt: skip
    torch.testing.assert_close(variances[1], torch.full_like(variances[1], math.exp(0.0259)),
                               rtol=1e-3, atol=0)  # fmt: skip
    plain = Ensemble((3, 8, 4), "silu", members=2)
    assert plain.moments(parameters, plain.no_update, x)[1] is None


def test_another_head_is_refused() -> None:
    with pytest.raises(ValueError, match="head: expected one of"):
        Ensemble((3, 8, 4), members=2, head="laplace")
