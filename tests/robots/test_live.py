"""A setting's range: what is in it, what is not, and a configuration with changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from ros_mbmrl.robots.live import Live, retuned


@dataclass(frozen=True)
class Config:
    LIVE: ClassVar[Mapping[str, Live]] = {
        "low": Live(0.0, 1.0, "the lower one"),
        "high": Live(0.0, 1.0, "the higher one"),
        "count": Live(1, 9, "how many", whole=True),
    }
    low: float = 0.2
    high: float = 0.8
    count: int = 3
    name: str = "fixed"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low: expected below {self.high:g}, got {self.low:g}")


def test_changes_are_taken_together_and_numbers_get_their_type() -> None:
    assert retuned(Config(), {"low": 0, "high": 0.1, "count": 9}) == Config(0.0, 0.1, 9)
    assert isinstance(retuned(Config(), {"low": 0}).low, float)
    assert retuned(Config(), {}) == Config()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "other"}, "name: expected one of low, high, count"),
        ({"low": -0.1}, "low: expected a number from 0 to 1, got -0.1"),
        ({"low": math.nan}, "low: expected a number from 0 to 1, got nan"),
        ({"low": math.inf}, "low: expected a number from 0 to 1, got inf"),
        ({"low": True}, "low: expected a number from 0 to 1, got True"),
        ({"low": "0.1"}, "low: expected a number from 0 to 1, got '0.1'"),
        ({"count": 3.0}, "count: expected an integer from 1 to 9, got 3.0"),
        ({"count": 10}, "count: expected an integer from 1 to 9, got 10"),
        ({"low": 0.9}, "low: expected below 0.8, got 0.9"),
    ],
)
def test_what_cannot_be_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        retuned(Config(), changes)


def test_a_range_holds_what_the_user_chose_at_the_start() -> None:
    assert Live(0.0, 1.0, "x").holding(3.0) == Live(0.0, 3.0, "x")
    assert Live(0.0, 1.0, "x").holding(0.5) == Live(0.0, 1.0, "x")
    assert Live(0.0, 1.0, "x").holding(math.inf) == Live(0.0, 1.0, "x")
    with pytest.raises(ValueError, match="low up to high"):
        Live(1.0, 0.9, "x")
