"""A posterior over a context: products of Gaussians by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Generator
from torch.distributions import Normal, kl_divergence

from ros_mbmrl.networks.history import Histories, Parts
from ros_mbmrl.networks.posterior import SMALLEST, Gaussian, PosteriorEncoder

LAYOUT = Histories(2, 1, 3, rewards=True)
ENCODER = PosteriorEncoder(LAYOUT.width, 2, 2, (8,))


def _parts(valid: list[float]) -> Parts:
    generator = Generator().manual_seed(0)
    past = torch.randn(1, 3, LAYOUT.width, generator=generator)
    return Parts(torch.randn(1, 2, generator=generator), past, torch.tensor([valid]))


def test_it_is_the_product_of_the_prior_and_a_factor_for_each_transition() -> None:
    parameters, parts = ENCODER.init(Generator().manual_seed(0)), _parts([0.0, 1.0, 1.0])
    found = ENCODER.posterior(parameters, parts)
    precision, weighed = torch.ones(2), torch.zeros(2)
    own = {name.removeprefix("posterior."): value for name, value in parameters.items()}
    for k in (1, 2):
        after = parts.past[0, 2, :2] if k == 1 else parts.now[0]
        out = ENCODER.mlp.forward(own, torch.cat([parts.past[0, k], after]))
        variance = torch.nn.functional.softplus(out[2:]) + SMALLEST
        precision, weighed = precision + 1 / variance, weighed + out[:2] / variance
    torch.testing.assert_close(found.variance[0], 1 / precision)
    torch.testing.assert_close(found.mean[0], weighed / precision)
    assert torch.equal(ENCODER.forward(parameters, parts), found.mean)


def test_without_a_transition_it_is_the_prior() -> None:
    found = ENCODER.posterior(ENCODER.init(Generator().manual_seed(0)), _parts([0.0, 0.0, 0.0]))
    assert not found.mean.any()
    assert (found.variance == 1).all()
    assert found.divergence().item() == 0.0


def test_more_transitions_make_it_narrower() -> None:
    parameters = ENCODER.init(Generator().manual_seed(0))
    cases = ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    widths = [ENCODER.posterior(parameters, _parts(case)).variance.sum().item() for case in cases]
    assert widths == sorted(widths, reverse=True)


def test_its_divergence_is_that_of_the_library() -> None:
    own = Gaussian(torch.tensor([[0.3, -1.0]]), torch.tensor([[0.5, 2.0]]))
    library = kl_divergence(Normal(own.mean, own.variance.sqrt()), Normal(0.0, 1.0)).sum(dim=1)
    assert own.divergence().item() == pytest.approx(library.item(), rel=1e-5)
