"""The mean residual, by hand."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.networks.mlp import MLP

MLP_1 = MLP((1, 1))
PARAMETERS = {"w0": torch.tensor([[2.0]]), "b0": torch.tensor([0.0])}


def shift(rule: MeanResidual, y: list[float], weight: list[float]) -> float:
    """The last bias's shift for transitions with x = 1, which the model predicts as 2."""
    rows = len(y)
    support = Support(
        torch.ones(1, rows, 1),
        torch.tensor(y).reshape(1, rows, 1),
        torch.tensor(weight).reshape(1, rows, 1),
        torch.ones(1),
    )
    bias = rule.update(MLP_1, PARAMETERS, support).layers[-1].bias
    assert bias is not None
    return bias.item()


def test_mean_residual_by_hand() -> None:
    # residuals 1, 2 and -1, of which the last does not count
    assert shift(MeanResidual(gain=0.5), [3, 4, 1], [1, 1, 0]) == pytest.approx(0.75)
    assert shift(MeanResidual(gain=1.0), [3, 4, 1], [1, 1, 1]) == pytest.approx(2 / 3)


def test_a_residual_counts_up_to_the_limit() -> None:
    assert shift(MeanResidual(gain=1.0, limit=3.0), [9, 2], [1, 1]) == pytest.approx(1.5)


def test_older_residuals_count_less_by_hand() -> None:
    # residuals 1, 2 and -1, the last one the newest: weights 1/4, 1/2 and 1
    rule = MeanResidual(gain=1.0, forgetting=0.5)
    assert shift(rule, [3, 4, 1], [1, 1, 1]) == pytest.approx((0.25 + 1 - 1) / 1.75)
    assert shift(rule, [3, 4, 1], [1, 1, 0]) == pytest.approx(1.25 / 0.75)
    assert shift(rule, [3, 4, 1], [0, 0, 0]) == 0.0


def test_an_empty_window_shifts_nothing() -> None:
    assert shift(MeanResidual(), [9, 9], [0, 0]) == 0.0


@pytest.mark.parametrize("gain", [0.0, -0.5, 1.5])
def test_an_impossible_gain_is_refused(gain: float) -> None:
    with pytest.raises(ValueError, match="gain: expected"):
        MeanResidual(gain=gain)


@pytest.mark.parametrize("forgetting", [0.0, 1.1])
def test_an_impossible_forgetting_is_refused(forgetting: float) -> None:
    with pytest.raises(ValueError, match="forgetting: expected"):
        MeanResidual(forgetting=forgetting)
