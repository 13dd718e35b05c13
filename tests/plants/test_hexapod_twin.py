"""The hexapod's twin from launch arguments."""

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant
from ros_mbmrl.plants.base import PlantOptions


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (PlantOptions(terrain="ice"), "unknown terrain 'ice'"),
        (PlantOptions(fault="leg_left_middle"), "fault"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(options: PlantOptions, error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_plant("hexapod", "twin", options)
