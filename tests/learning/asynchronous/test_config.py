"""Settings are refused at construction, with what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.models.config import TrainConfig


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trajectories": -1}, "trajectories"),
        ({"keep": 1}, "keep of at least 2"),
        ({"buffer": 0}, "buffer of at least 1"),
        ({"held_out": 0.6}, "held_out: expected above 0 and up to 0.5, got 0.6"),
        ({"pace": -1.0}, "pace of at least 0"),
        ({"poll": 0.0}, "poll above 0"),
        ({"ema_weight": 1.0}, "ema_weight: expected from 0 to below 1"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AsynchronousConfig(**settings)


def test_one_of_each_few_trajectories_is_held_out_the_second_first() -> None:
    config = AsynchronousConfig(held_out=0.25)
    assert config.every == 4
    assert [n for n in range(12) if config.held(n)] == [1, 5, 9]


def test_a_buffer_smaller_than_a_batch_is_refused() -> None:
    ensemble = TrainConfig("mb", members=2, rows=300)
    config = AsynchronousConfig(buffer=299, held_out=0.5)
    with pytest.raises(ValueError, match="buffer: expected at least 300 transitions .* got 299"):
        config.check_buffer(ensemble, steps=10)
    with pytest.raises(ValueError, match="expected at least 400 transitions"):
        config.check_buffer(ensemble, steps=200)  # two trajectories, one of them held out
    segments = TrainConfig("mb", batch=10, adapt_windows=(4, 8), predict_window=8)
    config.check_buffer(segments, steps=10)  # 10 segments of 16
