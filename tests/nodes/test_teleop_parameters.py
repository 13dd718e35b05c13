"""Parameters of `teleop`: what they say to session, keyboard and joystick."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.collection.joystick import JoystickConfig
from ros_mbmrl.collection.keyboard import KeyboardConfig
from ros_mbmrl.collection.session import SessionConfig
from ros_mbmrl.nodes.teleop_parameters import TeleopParameters


def test_the_defaults_are_those_of_keyboard_and_joystick() -> None:
    parameters = TeleopParameters()
    assert parameters.keyboard == KeyboardConfig()
    assert parameters.joystick == JoystickConfig()
    assert parameters.session == SessionConfig(source="joystick")


def test_each_reaches_what_it_is_for() -> None:
    parameters = TeleopParameters(
        source="random",
        tags="carpet, turf,gravel",
        episode_seconds=12.0,
        key_timeout=0.2,
        joy_timeout=0.3,
        forward_axis=4,
        episode_button=-1,
    )
    session = parameters.session
    assert session.terrains == ("carpet", "turf", "gravel")
    assert (session.episode_seconds, session.automatic) == (12.0, True)  # chance needs nobody
    assert parameters.keyboard == KeyboardConfig(timeout=0.2)
    assert parameters.joystick == JoystickConfig(timeout=0.3, forward_axis=4, episode_button=-1)


@pytest.mark.parametrize(
    ("given", "part", "message"),
    [
        ({"tags": " , "}, "session", r"^tags: expected 1 to 9 different words, got \[\]$"),
        ({"tags": "a,a"}, "session", r"^tags: expected 1 to 9 different words, got \['a', 'a'\]$"),
        ({"episode_seconds": -1.0}, "session", "^episode_seconds: expected 0 or more, got -1$"),
        ({"key_timeout": 0.0}, "keyboard", "^key_timeout: expected above 0 s, got 0.0$"),
        ({"first_key_timeout": -1.0}, "keyboard", "^first_key_timeout: expected above 0 s"),
        ({"joy_timeout": 0.0}, "joystick", "^joy_timeout: expected above 0 s, got 0.0$"),
        ({"turn_axis": -1}, "joystick", "^turn_axis: expected 0 or more, got -1$"),
    ],
)
def test_a_wrong_value_is_named_as_the_parameter(
    given: dict[str, Any], part: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(TeleopParameters(**given), part)
