"""Settings of ME-TRPO: the thesis's by default, and wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.learning.policies.in_models_config import MODEL
from ros_mbmrl.learning.policies.me_config import ENSEMBLE, ONE_MODEL, MEConfig, config_of
from ros_mbmrl.learning.policies.steps import STEPS


def test_sizes_of_the_thesis() -> None:
    config = config_of("me_trpo", seed=3)
    assert (config.batch, config.rows * config.horizon, config.hidden) == (3000, 5000, (32, 32))
    assert (config.step.region.max_kl, config.model.members, config.seed) == (0.01, 5, 3)
    check = config.validation
    assert (check.every, check.threshold, check.tolerance) == (5, 0.7, 25)


@pytest.mark.parametrize("method", [*ENSEMBLE, *ONE_MODEL])
def test_every_method_has_a_step_and_as_many_models_as_it_needs(method: str) -> None:
    assert {**ENSEMBLE, **ONE_MODEL}[method] in STEPS
    assert (config_of(method).model.members == 1) == (method in ONE_MODEL)


def test_a_ratio_of_one_member_is_refused() -> None:
    with pytest.raises(ValueError, match="model.members: expected at least 2, of which eq. 5"):
        MEConfig(model=replace(MODEL, members=1))
    with pytest.raises(ValueError, match="model.members: expected 1 for bptt, got 5"):
        MEConfig("bptt")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scheme": "all"}, "scheme: expected one of step_rand"),
        ({"starts": "anywhere"}, "starts: expected one of initial, visited"),
        ({"method": "trpo"}, "method: expected one of me_trpo"),
        ({"episodes": 1}, "episodes above 1"),
        ({"largest_std": -1.0}, "at least 0"),
        ({"model": replace(MODEL, method="grbal")}, "expected method mb"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MEConfig(**settings)  # type: ignore[arg-type]
