"""Keys act while they are repeated."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.collection.keyboard import ASK, DRIVE, HELP, Keyboard, KeyboardConfig, KeyDecoder
from ros_mbmrl.collection.requests import Kind, Request


def test_a_key_acts_until_it_has_not_been_repeated_for_the_timeout(clock: Any) -> None:
    keyboard = Keyboard(clock, KeyboardConfig(timeout=0.5))
    assert keyboard.sticks() is None
    assert keyboard.press("w") is None
    clock.now += 0.49
    assert keyboard.sticks() == (1.0, 0.0)
    keyboard.press("w")
    clock.now += 0.49
    assert keyboard.sticks() == (1.0, 0.0)
    clock.now += 0.02
    assert keyboard.sticks() is None


@pytest.mark.parametrize("delay", [0.2, 0.5, 0.66, 0.75])
@pytest.mark.parametrize("between", [0.02, 0.04, 0.1, 0.3])
def test_a_key_that_is_held_down_drives_without_a_gap(
    clock: Any, delay: float, between: float
) -> None:
    keyboard, presses = Keyboard(clock), [0.0, *(delay + k * between for k in range(60))]
    start = clock.now
    for at in range(int(100 * presses[-1])):
        clock.now = start + at / 100
        while presses and presses[0] <= at / 100:
            presses.pop(0)
            keyboard.press("w")
        assert keyboard.sticks() == (1.0, 0.0), at
    clock.now = start + at / 100 + 0.51
    assert keyboard.sticks() is None


def test_a_key_that_is_repeated_for_ever_is_let_go(clock: Any) -> None:
    keyboard, drove = Keyboard(clock), 0.0
    for _ in range(1500):
        keyboard.press("w")
        drove += 0.04 * (keyboard.sticks() is not None)
        clock.now += 0.04
    assert drove == pytest.approx(30.0, abs=0.1)
    assert "one key held for 30 s" in keyboard.doubt
    keyboard.press("d")
    assert keyboard.sticks() == (0.0, -1.0)
    keyboard.press("w")
    assert keyboard.sticks() == (1.0, 0.0)


def test_the_newest_key_is_the_one_that_counts(clock: Any) -> None:
    keyboard = Keyboard(clock)
    keyboard.press("w")
    keyboard.press("a")
    assert keyboard.sticks() == (0.0, 1.0)


def test_space_lets_go_at_once(clock: Any) -> None:
    keyboard = Keyboard(clock)
    keyboard.press("w")
    assert keyboard.press(" ") == Request(Kind.HALT)
    assert keyboard.sticks() is None


def test_what_keys_ask_for(clock: Any) -> None:
    keyboard = Keyboard(clock)
    assert keyboard.press("enter") == Request(Kind.EPISODE)
    assert keyboard.press("x") == Request(Kind.DISCARD)
    assert keyboard.press("3") == Request(Kind.TERRAIN, 3)
    assert keyboard.press("0") is None
    assert keyboard.press("z") is None


def test_no_key_means_two_things_and_all_are_in_the_help() -> None:
    assert not set(DRIVE) & set(ASK)
    told = {"enter": "enter", " ": "space", **{str(k): "1-9" for k in range(1, 10)}}
    for key in {*DRIVE, *ASK} - {"up", "down", "left", "right"}:
        assert told.get(key, key) in HELP.replace(",", "").replace(":", "").split()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["wW\r\n"], ["w", "w", "enter", "enter"]),
        (["\x1b[A\x1b[B", "\x1bOC\x1bOD"], ["up", "down", "right", "left"]),
        (["\x1b", "[", "Aw"], ["up", "w"]),
        (["\x1b[Hx"], ["x"]),  # the home key is none of ours
        (["\x1bx"], ["x"]),
        ([" é1"], [" ", "é", "1"]),
    ],
)
def test_names_of_keys(parts: list[str], expected: list[str]) -> None:
    decoder = KeyDecoder()
    assert [key for part in parts for key in decoder.feed(part)] == expected


def test_a_timeout_must_be_positive() -> None:
    with pytest.raises(ValueError, match="key_timeout: expected above 0 s, got 0"):
        KeyboardConfig(timeout=0.0)
