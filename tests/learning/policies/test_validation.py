"""Eq. 5 and the criterion that ends an iteration, on performances that a test writes down."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from ros_mbmrl.learning.policies.validation import Validation, ValidationConfig, improved_ratio
from ros_mbmrl.networks.mlp import Parameters


def numbered(k: int) -> Parameters:
    return {"k": torch.tensor(k)}


def ended(
    config: ValidationConfig, each: Sequence[Sequence[float]], first: Sequence[float] = (0.0,) * 4
) -> Validation:
    """Validate policies 1, 2, ... whose performances at the k-th validation are each[k]."""
    told = iter([first, *each])
    validation = Validation(config, lambda _: torch.tensor(next(told)), numbered(0))
    while validation.goes_on(numbered(validation.updates + 1)):
        pass
    return validation


def test_the_ratio_counts_models_that_improve() -> None:
    old = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert improved_ratio(torch.tensor([2.0, 2.0, 4.0, 3.0]), old) == 0.5
    assert improved_ratio(old + 1, old) == 1.0
    assert improved_ratio(old, old) == 0.0


def test_it_ends_after_the_tolerance_and_keeps_what_passed_last() -> None:
    config = ValidationConfig(every=5, threshold=0.7, tolerance=10, updates=100)
    better, worse = (1.0, 1.0, 1.0, -1.0), (2.0, 2.0, 0.0, -2.0)  # ratios .75 and .5
    validation = ended(config, [better, worse, worse])
    assert validation.updates == 15
    assert int(validation.best["k"]) == 5
    assert validation.performance.tolist() == list(better)
    assert validation.ratio == 0.5


def test_a_policy_that_recovers_in_time_goes_on() -> None:
    config = ValidationConfig(every=2, threshold=0.7, tolerance=4, updates=100)
    up, down = [(float(k),) * 4 for k in (1, 2, 3)], (0.5,) * 4
    validation = ended(config, [up[0], down, up[1], down, up[2], down, down])
    assert validation.updates == 14
    assert int(validation.best["k"]) == 10


def test_without_tolerance_the_first_failure_ends_it() -> None:
    validation = ended(ValidationConfig(every=1, tolerance=0), [(1.0,) * 4, (0.0,) * 4])
    assert (validation.updates, int(validation.best["k"])) == (2, 1)


def test_updates_are_bounded() -> None:
    config = ValidationConfig(every=5, tolerance=5, updates=10)
    validation = ended(config, [(1.0,) * 4, (2.0,) * 4])
    assert (validation.updates, int(validation.best["k"])) == (10, 10)


def test_one_model_asks_whether_its_performance_improves() -> None:
    config = ValidationConfig(every=1, tolerance=0)
    validation = ended(config, [(1.0,), (2.0,), (2.0,)], first=(0.0,))
    assert (validation.updates, int(validation.best["k"])) == (3, 2)


@pytest.mark.parametrize("passed", range(1, 11))
def test_a_share_of_the_members_is_exact(passed: int) -> None:
    """7 of 10 are .7, which they are not in float32."""
    new = torch.tensor([1.0] * passed + [0.0] * (10 - passed))
    assert improved_ratio(new, torch.full((10,), 0.5)) == passed / 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0.0}, "threshold: expected a share above 0"),
        ({"threshold": 1.2}, "threshold: expected a share above 0 and up to 1"),
        ({"updates": 3}, "can never be met"),
        ({"tolerance": 30, "updates": 29}, "can never be met"),
        ({"every": 7, "tolerance": 198, "updates": 200}, "can never be met"),
        ({"every": 0}, "every and episodes of at least 1"),
    ],
)
def test_a_criterion_that_can_never_be_met_is_refused(
    settings: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ValidationConfig(**settings)  # type: ignore[arg-type]
