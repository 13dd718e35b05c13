"""Settings of the radio robot, from a parameter file."""

from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.wire.settings import RadioConfig


@pytest.mark.parametrize(
    ("hardware", "error"),
    [
        ({"dialect": "klingon"}, "unknown dialect 'klingon': expected one of grbal, roach"),
        ({"speed": 3}, "unknown hardware setting 'speed': expected one of address, back_emf"),
        ({"baud": "fast"}, "hardware.baud: expected an integer, got 'fast'"),
        ({"tries": 0}, "hardware.tries: expected above 0"),
        ({"gains": [1, 2]}, "hardware.gains: expected 5 numbers"),
        ({"gains": "12345"}, "hardware.gains: expected integers"),
        ({"address": 0x10000}, "hardware.address"),
        ({"dialect": "roach"}, "hardware.battery: expected its voltage"),
    ],
)
def test_settings_that_are_not_understood(hardware: dict[str, object], error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_plant("hexapod", "serial", PlantOptions(port="/dev/ttyUSB0", hardware=hardware))


def test_settings_of_a_parameter_file() -> None:
    config = RadioConfig.of({"dialect": "roach", "battery": 4, "gains": [1, 2, 3, 4, 5]})
    assert (config.battery, config.gains) == (4.0, (1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"timed_run": 65.6}, "hardware.timed_run: expected 0 to 65.5 s, got 65.6"),
        ({"timed_run": -0.1}, "hardware.timed_run"),
        ({"address": 0xFFFF}, "hardware.address: expected 0 to 0xfffe, got 65535"),
        ({"gains": (0, 0, 0, 0, 1 << 15)}, "expected 5 numbers of 16 bits"),
        ({"stall_speed": 0.0}, "hardware.stall_speed: expected above 0"),
    ],
)
def test_numbers_that_a_packet_cannot_hold_are_refused(wrong: dict[str, Any], error: str) -> None:
    with pytest.raises(UserError, match=error):
        RadioConfig(**wrong)
