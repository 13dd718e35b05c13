"""Settings that all methods that learn in models have: wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.learning.policies.in_models_config import MODEL, InModelsConfig


def test_an_iteration_has_so_many_transitions() -> None:
    assert InModelsConfig("any", episodes=7, horizon=11).batch == 77


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budget": 0}, "expected budget, horizon, rows, tests above 0"),
        ({"episodes": 1}, "episodes above 1"),
        ({"held_out": 1.0}, "held_out: expected a share between 0 and 1, got 1.0"),
        ({"model_bias": -0.5}, "model_bias: expected at least 0, or none, got -0.5"),
        ({"starts": "anywhere"}, "starts: expected one of initial, visited, got 'anywhere'"),
        ({"model": replace(MODEL, method="grbal")}, "model: expected method mb, got grbal"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InModelsConfig("any", **settings)  # type: ignore[arg-type]
