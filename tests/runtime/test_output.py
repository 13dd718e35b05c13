"""Lines for a reader: in order, bounded while it is slow, dropped once it is gone."""

from __future__ import annotations

import threading

import pytest

from ros_mbmrl.runtime import output
from ros_mbmrl.runtime.output import Output


def test_lines_are_shown_in_order_before_it_is_closed() -> None:
    shown: list[str] = []
    lines = Output(shown.append)
    for k in range(100):
        lines.put(str(k))
    lines.close()
    assert shown == [str(k) for k in range(100)]


def test_more_lines_than_may_wait_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LINES", 3)
    shown: list[str] = []
    begun, read = threading.Event(), threading.Event()

    def echo(line: str) -> None:
        begun.set()
        read.wait(10)
        shown.append(line)

    lines = Output(echo)
    lines.put("0")
    assert begun.wait(10)
    for k in range(1, 8):  # three of them wait
        lines.put(str(k))
    read.set()
    lines.close()
    told = "4 lines dropped: the output was not read in time"
    assert shown == ["0", told, "1", "2", "3"]


def test_a_reader_that_is_gone_holds_nobody_up() -> None:
    def echo(line: str) -> None:
        raise BrokenPipeError

    lines = Output(echo)
    for k in range(3 * output.LINES):
        lines.put(str(k))
    lines.close()
