"""The Kalman last layer against regression written out, and what its hypotheses decide."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.kalman_last_layer import KalmanLastLayer, noise_of
from ros_mbmrl.networks.mlp import MLP

MLP_ = MLP((4, 12, 3), "tanh")
PARAMETERS = MLP_.init(Generator().manual_seed(0))
WIDE: dict[str, Any] = {"signal": 0.3, "bias_signal": 0.3, "hypotheses": 6}  # priors
PARAMETERS["b1"] = torch.tensor([0.3, -0.2, 0.1])


def support(noise: float, rows: int = 64, tasks: int = 2, gain: float = 0.0) -> Support:
    """Tasks whose outputs are (1 + gain) times the network's, with white noise."""
    random = Generator().manual_seed(1)
    x = torch.randn(tasks, rows, 4, generator=random)
    y = (1 + gain) * MLP_.forward(PARAMETERS, x)
    y = y + noise * torch.randn(y.shape, generator=random)
    return Support(x, y, torch.ones(tasks, rows, 1), torch.ones(3))


def shifted(data: Support, shift: Tensor) -> Support:
    return Support(data.x, data.y + shift, data.weight, data.scale)


def moved(rule: KalmanLastLayer, data: Support) -> Tensor:
    """What the update adds to predictions (N, 50, 3) at new inputs."""
    x = torch.randn(len(data.weight), 50, 4, generator=Generator().manual_seed(9))
    update = rule.update(MLP_, PARAMETERS, data)
    return MLP_.forward_updated(PARAMETERS, update, x).outputs - MLP_.forward(PARAMETERS, x)


def test_without_hypotheses_it_is_bayesian_linear_regression_written_out() -> None:
    data = shifted(support(0.2, rows=16, gain=-0.3), torch.tensor(0.4))
    rule = KalmanLastLayer(signal=0.4, bias_signal=0.7, change=0.0, nothing=0.0)
    update = rule.update(MLP_, PARAMETERS, data)
    predicted = MLP_.forward(PARAMETERS, data.x)
    noise = noise_of(data.y - predicted, data.weight > 0).double()
    got = MLP_.forward_updated(PARAMETERS, update, data.x).outputs - predicted
    for task in range(2):
        for k in range(3):
            y = predicted[task, :, k].double()
            phi = torch.stack([torch.ones_like(y), y], dim=1)
            prior = torch.tensor([0.7**2, 0.4**2], dtype=torch.float64).diag().inverse()
            precision = prior + phi.T @ phi / noise[task, k]
            residual = data.y[task, :, k].double() - y
            mean = torch.linalg.solve(precision, phi.T @ residual / noise[task, k])
            torch.testing.assert_close(got[task, :, k], (phi @ mean).float(), atol=1e-4, rtol=1e-3)


def test_hypotheses_of_one_row_by_hand() -> None:
    """One row, residual 1: P(nothing) = N(1; 0, 1) against N(1; 0, 1 + bias^2)."""
    rule = KalmanLastLayer(signal=1e-6, bias_signal=2.0, change=0.0, nothing=0.5)
    one = torch.ones(1, 1, 1)
    filters = rule.filtered(torch.zeros(1, 1, 1), one, one > 0, torch.ones(1, 1))
    share = torch.softmax(filters.log_weight, dim=1)[0, :, 0]
    nothing, other = math.exp(-0.5), math.exp(-0.5 / 5) / math.sqrt(5)
    assert float(share[0]) == pytest.approx(nothing / (nothing + other), rel=1e-5)
    assert filters.bias[0, :2, 0].tolist() == pytest.approx([0.0, 4 / 5])  # 4 / (4 + 1)
    assert float(share[2:].sum()) == 0.0


def test_noise_by_hand() -> None:
    residual = torch.tensor([1.0, 3.0, 1.0, 100.0, 2.0])[None, :, None]
    counts = torch.tensor([True, True, True, False, True])[None, :, None]
    # Pairs 1-3 and 3-1: squares 4 and 4. Mean square 15 / 4, which counts for two pairs.
    expected = (0.5 * 8 + 2 * 15 / 4) / (2 + 2)
    assert float(noise_of(residual, counts)) == pytest.approx(expected)


def test_noise_is_measured_beside_a_bias_and_a_jump() -> None:
    random = Generator().manual_seed(0)
    residual = 1.0 + 0.1 * torch.randn(1, 200, 3, generator=random)
    residual[:, 100:] -= 2.0
    found = noise_of(residual, torch.ones(1, 200, 1) > 0).sqrt()
    assert ((found > 0.1) & (found < 0.25)).all()  # the deviation is 1


def test_a_gain_and_a_bias_are_found() -> None:
    data = shifted(support(0.05, gain=-0.4), torch.tensor(0.3))
    x = torch.randn(2, 50, 4, generator=Generator().manual_seed(9))
    expected = 0.3 - 0.4 * MLP_.forward(PARAMETERS, x)
    assert (moved(KalmanLastLayer(change=0.01, **WIDE), data) - expected).abs().max() < 0.08


def test_a_change_inside_of_the_window_is_cut_there() -> None:
    shift = torch.full((64, 1), -0.5)
    shift[-16:] = 0.5
    data = shifted(support(0.3), shift)
    cut, whole = (moved(KalmanLastLayer(change=c), data).mean(dim=(1, 2)) for c in (0.01, 0.0))
    assert (cut > 0.3).all() and (whole < 0.0).all()


def test_a_window_without_a_change_counts_as_a_whole() -> None:
    data = shifted(support(0.5, tasks=20), torch.tensor(0.3))
    with_change, without = (
        (moved(KalmanLastLayer(change=c, **WIDE), data).mean(dim=1) - 0.3).square().mean()
        for c in (0.01, 0.0)
    )
    assert with_change < 1.3 * without


def test_where_nothing_is_different_hardly_anything_is_learned() -> None:
    data = support(0.8, tasks=40)
    trusting, doubting = (
        moved(KalmanLastLayer(nothing=n, change=0.01, **WIDE), data).square().mean().sqrt()
        for n in (0.0, 0.5)
    )
    assert doubting < 0.6 * trusting and doubting < 0.08


def test_more_evidence_is_weighed_at_real_noise() -> None:
    """With noise of .8 a bias of .2 shows in 128 rows and not in 8."""
    errors = []
    for rows in (8, 128):
        data = shifted(support(0.8, rows=rows, tasks=100), torch.tensor(0.2))
        found = moved(KalmanLastLayer(bias_signal=0.2, signal=0.1), data).mean(dim=1)
        errors.append(float((found - 0.2).square().mean().sqrt()))
    assert errors[1] < 0.6 * errors[0] < 0.6 * 0.25


def test_rows_without_weight_do_not_count() -> None:
    data = shifted(support(0.1, rows=16), torch.tensor(0.3))
    weight = data.weight.clone()
    weight[:, ::3] = 0.0
    wild = data.y + 100.0 * (1 - weight)
    first, second = (
        moved(KalmanLastLayer(), Support(data.x, y, weight, data.scale)) for y in (data.y, wild)
    )
    torch.testing.assert_close(first, second)


def test_an_empty_window_changes_nothing() -> None:
    data = support(0.1, rows=8)
    empty = Support(data.x, data.y, 0 * data.weight, data.scale)
    for change in (0.0, 0.01):
        assert not moved(KalmanLastLayer(change=change), empty).any()


def test_tasks_do_not_hang_on_each_other_and_repeat_bit_for_bit() -> None:
    data = shifted(support(0.3, rows=16), torch.tensor(0.3))
    both = moved(KalmanLastLayer(), data)
    assert torch.equal(both, moved(KalmanLastLayer(), data))
    alone = KalmanLastLayer().update(MLP_, PARAMETERS, data.tasks(slice(1, 2)))
    whole = KalmanLastLayer().update(MLP_, PARAMETERS, data).tasks(slice(1, 2))
    torch.testing.assert_close(alone.layers[-1].right, whole.layers[-1].right)
    torch.testing.assert_close(alone.layers[-1].bias, whole.layers[-1].bias)


@pytest.mark.parametrize(
    "options",
    [
        {"signal": 0.0},
        {"bias_signal": -1.0},
        {"change": 1.0},
        {"nothing": -0.1},
        {"hypotheses": 2},
        {"hypotheses": 2.5},
        {"limit": 0.0},
    ],
)
def test_wrong_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        KalmanLastLayer(**options)  # type: ignore[arg-type]
