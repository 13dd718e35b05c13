"""Settings of a parameter file, by the types of their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.settings import read_settings


@dataclass(frozen=True)
class Config:
    name: str = "a"
    tries: int = 3
    wait: float = 0.5
    loud: bool = False
    gains: tuple[int, ...] = (1, 2)


def test_what_is_not_said_stays_and_an_integer_is_a_float() -> None:
    assert read_settings(Config, {}) == Config()
    given = {"wait": 2, "gains": [3, 4, 5], "loud": True}
    assert read_settings(Config, given) == Config(wait=2.0, gains=(3, 4, 5), loud=True)
    assert isinstance(read_settings(Config, {"wait": 2}).wait, float)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", 3, "a text, got 3"),
        ("tries", 2.0, "an integer, got 2.0"),
        ("tries", True, "an integer, got True"),
        ("wait", "soon", "a finite number, got 'soon'"),
        ("wait", float("nan"), "a finite number, got nan"),
        ("wait", 10**400, "a finite number, got 1000"),
        ("wait", True, "a finite number, got True"),
        ("loud", 1, "true or false, got 1"),
        ("gains", 3, "integers, got 3"),
        ("gains", "12", "integers, got '12'"),
        ("gains", [1, 2.0], "integers, got "),
        ("gains", {1: 2}, "integers, got "),
    ],
)
def test_another_type_is_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(UserError, match=f"^hardware.{name}: expected {expected}"):
        read_settings(Config, {name: value})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UserError, match="unknown hardware setting 'speed': expected one of gains"):
        read_settings(Config, {"speed": 1})
