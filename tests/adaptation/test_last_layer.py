"""The Bayesian last layer against regression written out, and what its averages decide."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.last_layer import NOISES, BayesContextLastLayer, LastLayer
from ros_mbmrl.networks.mlp import MLP

MLP_ = MLP((4, 12, 3), "tanh")
PARAMETERS = MLP_.init(Generator().manual_seed(0))


def support(shift: Tensor, noise: float, rows: int = 16, seed: int = 1) -> Support:
    """Two tasks whose outputs are the network's, shifted by (N, rows, 3), with white noise."""
    random = Generator().manual_seed(seed)
    x = torch.randn(2, rows, 4, generator=random)
    y = MLP_.forward(PARAMETERS, x) + shift
    y = y + noise * torch.randn(y.shape, generator=random)
    return Support(x, y, torch.ones(2, rows, 1), torch.ones(3))


def adapted_error(rule: LastLayer, data: Support, shift: Tensor) -> Tensor:
    """Mean absolute error (N,) of the adapted model at new inputs, shifted by (3,)."""
    x = torch.randn(2, 50, 4, generator=Generator().manual_seed(9))
    update = rule.update(MLP_, PARAMETERS, data)
    predicted, _, _ = MLP_.forward_updated(PARAMETERS, update, x)
    return (predicted - MLP_.forward(PARAMETERS, x) - shift).abs().mean(dim=(1, 2))


def test_it_is_bayesian_linear_regression_written_out() -> None:
    """One noise, no change: the posterior mean of weights and bias, in the primal form."""
    data = support(torch.full((2, 16, 3), 0.3), 0.05)
    rule = LastLayer(signal=0.4, bias_signal=0.7, change=0.0)
    update = rule.update(MLP_, PARAMETERS, data)
    residual = data.y - MLP_.forward(PARAMETERS, data.x)
    hidden = torch.tanh(data.x @ PARAMETERS["w0"] + PARAMETERS["b0"]).double()
    last = update.layers[-1]
    assert last.left is not None and last.right is not None and last.bias is not None
    for task in range(2):
        h = hidden[task]
        ones = torch.ones(16, 1, dtype=torch.float64)
        phi = torch.cat([0.4 * h / h.square().sum(1).mean().sqrt(), 0.7 * ones], dim=1)
        evidence, means = [], []
        for noise in NOISES:
            cov = phi @ phi.T + noise**2 * torch.eye(16, dtype=torch.float64)
            r = residual[task].double()
            solved = torch.linalg.solve(cov, r)
            evidence.append(-0.5 * ((r * solved).sum(0) + torch.logdet(cov)))
            means.append(phi.T @ solved)  # (features, outputs)
        share = torch.softmax(torch.stack(evidence), dim=0)
        mean = (share[:, None] * torch.stack(means)).sum(dim=0)
        expected = phi @ mean
        got = h.float() @ (last.left[task].T @ last.right[task]) + last.bias[task]
        torch.testing.assert_close(got, expected.float(), atol=1e-4, rtol=1e-3)


def test_a_quiet_robot_is_followed_and_a_noisy_one_hardly() -> None:
    """The share of the mean residual that is believed, where the prior expects 0.3."""
    rule, shift = LastLayer(signal=0.03, bias_signal=0.3), torch.full((2, 4, 3), 0.3)

    def share(noise: float) -> float:
        data = support(shift, noise, rows=4)
        update = rule.update(MLP_, PARAMETERS, data)
        prior = MLP_.forward(PARAMETERS, data.x)
        moved = MLP_.forward_updated(PARAMETERS, update, data.x)[0] - prior
        return float(moved.mean(1).norm() / (data.y - prior).mean(1).norm())

    assert share(0.01) > 0.95
    assert share(1.0) < 0.6


def test_a_change_inside_of_the_window_is_cut_there() -> None:
    shift = torch.full((2, 16, 3), -0.5)
    shift[:, -4:] = 0.5
    data = support(shift, 0.02)
    now = torch.full((3,), 0.5)
    cut = adapted_error(LastLayer(change=0.05), data, now)
    whole = adapted_error(LastLayer(change=0.0), data, now)
    assert (cut < 0.1).all() and (whole > 0.3).all()


def test_without_a_change_nearly_the_whole_window_counts() -> None:
    shift = torch.full((2, 16, 3), 0.3)
    errors = [
        adapted_error(LastLayer(change=c), support(shift, 0.1), shift[0, 0]) for c in (0, 0.05)
    ]
    assert (errors[1] < 1.3 * errors[0]).all()


def test_rows_without_weight_do_not_count() -> None:
    data = support(torch.full((2, 16, 3), 0.3), 0.05)
    weight = data.weight.clone()
    weight[:, ::3] = 0.0
    wild = data.y + 100.0 * (1 - weight)
    updates = [
        LastLayer().update(MLP_, PARAMETERS, Support(data.x, y, weight, data.scale))
        for y in (data.y, wild)
    ]
    x = data.x
    first, second = (MLP_.forward_updated(PARAMETERS, u, x)[0] for u in updates)
    torch.testing.assert_close(first, second)


def test_an_empty_window_changes_nothing() -> None:
    data = support(torch.full((2, 16, 3), 0.3), 0.05)
    empty = Support(data.x, data.y, 0 * data.weight, data.scale)
    for rule in (LastLayer(), LastLayer(change=0.0)):
        update = rule.update(MLP_, PARAMETERS, empty)
        got = MLP_.forward_updated(PARAMETERS, update, data.x)[0]
        torch.testing.assert_close(got, MLP_.forward(PARAMETERS, data.x))


def test_on_a_context_it_starts_from_the_conditioned_model() -> None:
    rule = BayesContextLastLayer(hidden=8, size=4)
    random = Generator().manual_seed(3)
    parameters = {**PARAMETERS, **rule.init(MLP_, PARAMETERS, random)}
    data = support(torch.full((2, 16, 3), 0.3), 0.02)
    # The maps from code to biases start at zero: then it is the last layer alone.
    first = MLP_.forward_updated(parameters, rule.update(MLP_, parameters, data), data.x)[0]
    alone = LastLayer().update(MLP_, parameters, data)
    torch.testing.assert_close(first, MLP_.forward_updated(parameters, alone, data.x)[0])
    for name in ("condition.b0", "condition.b1"):
        parameters[name] = torch.randn(parameters[name].shape, generator=random)
    update = rule.update(MLP_, parameters, data)
    error = (MLP_.forward_updated(parameters, update, data.x)[0] - data.y).abs().mean()
    assert update.layers[0].bias is not None and error < 0.2


@pytest.mark.parametrize(
    "options", [{"signal": 0.0}, {"bias_signal": -1.0}, {"change": 1.0}, {"limit": 0.0}]
)
def test_wrong_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        LastLayer(**options)
