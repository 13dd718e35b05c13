"""What a training run may be told."""

from __future__ import annotations

import pytest

from ros_mbmrl.learning.models.config import TrainConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("predict_window", 0),
        ("supervised_steps", -1),
        ("batch", 0),
        ("batch", 6.5),
        ("batch", True),
        ("batch", 10**12),
        ("hidden", (10**9,)),
        ("validate_every", 0),
        ("patience", 0),
        ("horizon", 0),
        ("meta_steps", -1),
        ("seed", -1),
        ("hidden", 128),
        ("hidden", ()),
        ("hidden", (128, 0)),
        ("adapt_windows", (8, 0)),
        ("adapt_windows", ()),
        ("learning_rate", 0.0),
        ("learning_rate", "1e-3"),
        ("learning_rate", float("nan")),
        ("weight_decay", -0.1),
        ("noise", None),
        ("gradient_limit", 0),
        ("activation", "sine"),
        ("precision", "float16"),
        ("options", "steps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        TrainConfig(**{name: value})  # type: ignore[arg-type]


def test_the_planning_horizon_of_validation_is_within_t2() -> None:
    assert TrainConfig().horizon < TrainConfig().predict_window


def test_zero_is_allowed_where_it_turns_something_off() -> None:
    config = TrainConfig(meta_steps=0, weight_decay=0, noise=0)
    assert config.meta_steps == 0
