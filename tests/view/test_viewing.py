"""A view sends every message on, and shows what is made of those that it knows."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.view.things import Shown
from ros_mbmrl.view.viewing import View

KIND, SCHEMA = "x/msg/Text", b"string data\n"
DATA = b"\x00\x01\x00\x00\x03\x00\x00\x00ab\x00"


class Log:
    """Stands in for a server and a picture; keeps what they are told."""

    topics = frozenset({"known", "reference"})

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def forward(self, *what: Any) -> None:
        self.told.append(("forward", *what))

    def show(self, shown: Shown, now: int) -> None:
        self.told.append(("show", shown.topic, now))

    def still(self) -> list[Shown]:
        return [Shown("shapes", {})]

    def take(self, name: str, message: Any) -> list[Shown]:
        return [Shown(f"{name}: {message.data}", {})]

    def forget(self) -> None:
        self.told.append(("forget",))

    def restart(self) -> None:
        self.told.append(("restart",))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def view(log: Log) -> View:
    both: Any = log
    return View(both, both)


def test_a_known_message_is_sent_on_and_shown(view: View, log: Log) -> None:
    view.take("known", "/r/known", KIND, SCHEMA, DATA, 5)
    assert log.told == [
        ("forward", "/r/known", KIND, SCHEMA, DATA, 5, False),
        ("show", "known: ab", 5),
    ]
    assert view.messages == 1


def test_what_is_latched_in_the_graph_is_latched_here(view: View, log: Log) -> None:
    view.take("reference", "/r/reference", KIND, SCHEMA, DATA, 5)
    assert log.told[0] == ("forward", "/r/reference", KIND, SCHEMA, DATA, 5, True)


@pytest.mark.parametrize(("name", "data"), [("", DATA), ("other", DATA), ("known", b"")])
def test_what_is_unknown_or_damaged_is_sent_on_all_the_same(
    view: View, log: Log, name: str, data: bytes
) -> None:
    view.take(name, "/r/x", KIND, SCHEMA, data, 5)
    assert log.told == [("forward", "/r/x", KIND, SCHEMA, data, 5, False)]


def test_it_begins_anew(view: View, log: Log) -> None:
    view.restart(9)
    assert log.told == [("forget",), ("restart",), ("show", "shapes", 9)]
