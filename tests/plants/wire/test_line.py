"""A serial line through a pseudo-terminal: bytes both ways, and what is said when it is gone."""

from __future__ import annotations

import os
import pty
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.poses import PoseMailbox
from ros_mbmrl.plants.wire.line import CHUNK, LineError, SerialLine
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")


@pytest.fixture
def far() -> Iterator[tuple[int, str]]:
    """The robot's end of a line, and the name of ours."""
    theirs, ours = pty.openpty()
    tty.setraw(ours)
    yield theirs, os.ttyname(ours)
    for end in (theirs, ours):
        try:
            os.close(end)
        except OSError:
            continue


def test_bytes_go_both_ways(far: tuple[int, str]) -> None:
    theirs, port = far
    line = SerialLine(port, 57600)
    line.open()
    line.write(b"\x7e\x00\x03")
    assert os.read(theirs, 10) == b"\x7e\x00\x03"
    os.write(theirs, b"\x11\x13\x0d\x0a")
    assert line.read() == b"\x11\x13\x0d\x0a"  # no flow control, no translation
    assert line.read(wait=False) == b""
    line.close()
    line.close()


def test_silence_is_waited_for_no_longer_than_a_chunk(far: tuple[int, str]) -> None:
    line = SerialLine(far[1], 57600)
    line.open()
    began = time.monotonic()
    assert line.read() == b""
    assert time.monotonic() - began > 0.5 * CHUNK
    line.close()


def test_a_line_that_is_not_open_or_gone_says_so(far: tuple[int, str]) -> None:
    theirs, port = far
    line = SerialLine(port, 57600)
    for use in (lambda: line.write(b"x"), line.read):
        with pytest.raises(LineError, match=f"^port {port} is not open$"):
            use()
    line.open()
    os.close(theirs)
    with pytest.raises(LineError, match=f"^port {port} is gone"):
        line.read()
    with pytest.raises(LineError, match="is not open"):  # it has let go of it
        line.read()


def test_nobody_else_may_have_it_meanwhile(far: tuple[int, str]) -> None:
    line = SerialLine(far[1], 57600)
    line.open()
    with pytest.raises(LineError, match=f"port '{far[1]}' is used by another program"):
        SerialLine(far[1], 57600).open()
    line.close()


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
