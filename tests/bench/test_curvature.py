"""`bench curvature`: deviations by hand, and LVC's below DiCE's."""

from __future__ import annotations

import math

import pytest
import torch

pytest.importorskip("mujoco")

from ros_mbmrl.bench import curvature
from ros_mbmrl.bench.curvature import QUICK, Config, before_update, deviation, relative_deviation


def test_deviations_by_hand() -> None:
    gradients = torch.tensor(
        [[3.0, 1.0], [5.0, -1.0], [4.0, 0.0]]
    )  # variances 1 and 1, mean (4, 0)
    assert float(deviation(gradients)) == pytest.approx(math.sqrt(2))
    assert relative_deviation(gradients) == pytest.approx(math.sqrt(2 / (16 - 2 / 3)))
    assert relative_deviation(gradients - torch.tensor([4.0, 0.0])) is None


def test_credit_is_the_gradient_beside_mamls() -> None:
    found = {"maml": [torch.ones(2), torch.zeros(2)], "lvc": [torch.ones(2), torch.ones(2)]}
    assert before_update(found, "lvc").tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_lvc_varies_less_than_dice() -> None:
    results = curvature.run(Config(hidden=(32, 32), repeats=12)).results
    assert results["dice_over_lvc"] > 1.3 and results["dice_over_lvc_credit"] > 2.0
    assert set(results["medians_ms"]) == {"lvc", "dice", "maml", "e_maml"}


def test_a_run_depends_on_its_seed_alone() -> None:
    first, second = (curvature.run(QUICK).results for _ in range(2))
    for name in ("dice_over_lvc", "lvc_relative_std", "e_maml_relative_std"):
        assert first[name] == second[name]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="repeats: expected an integer of at least 2"):
        Config(repeats=1)
