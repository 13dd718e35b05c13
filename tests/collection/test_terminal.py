"""A real terminal: a pseudo one."""

from __future__ import annotations

import os
import pty
import select
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from ros_mbmrl.collection.terminal import Terminal
from ros_mbmrl.errors import UserError


@pytest.fixture
def line() -> Iterator[tuple[int, Path]]:
    """The end that a person types at, and the device of the other."""
    ours, theirs = pty.openpty()
    yield ours, Path(os.ttyname(theirs))
    for end in (ours, theirs):
        try:
            os.close(end)
        except OSError:
            continue


def pressed(terminal: Terminal, count: int) -> list[str]:
    keys: list[str] = []
    while len(keys) < count:
        assert select.select([terminal.fd], [], [], 5.0)[0], keys
        keys += terminal.pressed()
    return keys


def test_keys_come_one_by_one_without_enter_and_are_not_shown(line: tuple[int, Path]) -> None:
    ours, device = line
    with Terminal(device) as terminal:
        assert terminal.pressed() == []
        os.write(ours, b"w")
        assert pressed(terminal, 1) == ["w"]
        os.write(ours, b"\x1b[C \r\x1a")
        assert pressed(terminal, 4) == ["right", " ", "enter", "\x1a"]  # ctrl-z suspends nobody
        assert not select.select([ours], [], [], 0.05)[0]  # no echo


def test_the_terminal_is_put_back_whatever_happens(line: tuple[int, Path]) -> None:
    ours, device = line
    before = termios.tcgetattr(ours)
    with pytest.raises(RuntimeError), Terminal(device):
        assert termios.tcgetattr(ours) != before
        raise RuntimeError
    assert termios.tcgetattr(ours) == before


def test_it_may_be_closed_twice(line: tuple[int, Path]) -> None:
    terminal = Terminal(line[1])
    terminal.__enter__()
    terminal.close()
    terminal.close()


def test_a_terminal_that_goes_away_is_noticed(line: tuple[int, Path]) -> None:
    ours, device = line
    with Terminal(device) as terminal:
        os.close(ours)
        assert select.select([terminal.fd], [], [], 5.0)[0]
        assert terminal.pressed() == []
        assert terminal.gone
        assert terminal.pressed() == []


def test_what_is_no_terminal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a terminal"):
        Terminal(tmp_path / "file")
    with pytest.raises(UserError, match="No such file or directory: expected a terminal"):
        Terminal(tmp_path / "none")
