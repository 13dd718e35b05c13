"""Settings of the radio robot, from a parameter file."""

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.hexapod_radio import RadioConfig


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
