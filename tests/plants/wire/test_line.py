"""Serial ports that cannot be opened, and one that can."""

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.poses import PoseMailbox
from ros_mbmrl.plants.wire.line import LineError, SerialLine
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")


def test_ports_that_cannot_be_opened(tmp_path: Path) -> None:
    options = PlantOptions(port=str(tmp_path / "none"), poses=PoseMailbox())
    with (
        pytest.raises(UserError, match="no such port '.*none'"),
        make_plant(ROBOT, "serial", options),
    ):
        pass
    (tmp_path / "file").write_text("no terminal")
    with pytest.raises(LineError, match="cannot be opened as a serial port"):
        SerialLine(str(tmp_path / "file"), 57600).open()
