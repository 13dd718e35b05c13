"""Bayesian aggregation: evidence weighed by its precision, shrunk to the prior."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.bayes_context import BayesContext
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((3, 8, 2))
RULE = BayesContext(hidden=8, size=4)


def conditioned(seed: int = 0) -> Parameters:
    g = torch.Generator().manual_seed(seed)
    parameters = NETWORK.init(g)
    parameters |= RULE.init(NETWORK, parameters, g)
    for k in range(NETWORK.layers):
        name = f"condition.b{k}"
        parameters[name] = torch.randn(parameters[name].shape, generator=g)
    return parameters


def window(rows: int, weight: float = 1.0) -> Support:
    g = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, rows, 3, generator=g), torch.randn(2, rows, 2, generator=g)
    return Support(x, y, torch.full((2, rows, 1), weight), torch.ones(2))


def test_the_code_is_the_posterior_mean() -> None:
    parameters, support = conditioned(), window(3)
    network = encoder.encoder(NETWORK, 8, 8)
    encoded = encoder.encode(NETWORK, network, parameters, support, RULE.limit)
    evidence, log_variance = encoded[..., :4], encoded[..., 4:]
    for task in range(2):
        for k in range(4):  # a Gaussian prior N(0, 1) and three measurements, by hand
            precision, mean = 1.0, 0.0
            for row in range(3):
                own = float(torch.exp(-log_variance[task, row, k]))
                mean = (precision * mean + own * float(evidence[task, row, k])) / (precision + own)
                precision += own
            assert float(RULE.code(NETWORK, parameters, support)[task, k]) == pytest.approx(
                mean, abs=1e-6
            )


def test_the_same_evidence_twice_moves_further_from_the_prior() -> None:
    parameters, once = conditioned(), window(1)
    twice = Support(
        once.x.repeat(1, 8, 1), once.y.repeat(1, 8, 1), once.weight.repeat(1, 8, 1), once.scale
    )
    near, far = (RULE.code(NETWORK, parameters, s) for s in (once, twice))
    assert (far.abs() > near.abs()).all()
    assert (far / near).min() > 2.0  # the prior outweighs a single transition


def test_no_evidence_is_the_prior_and_rows_without_weight_have_no_say() -> None:
    parameters, support = conditioned(), window(6)
    assert RULE.code(NETWORK, parameters, window(6, weight=0.0)).abs().max() == 0.0
    support.weight[:, :2] = 0.0
    rest = Support(support.x[:, 2:], support.y[:, 2:], support.weight[:, 2:], support.scale)
    torch.testing.assert_close(
        RULE.code(NETWORK, parameters, support), RULE.code(NETWORK, parameters, rest)
    )


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden, size: expected"):
        BayesContext(hidden=0)
