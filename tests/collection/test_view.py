"""What the operator sees."""

from __future__ import annotations

import math
from io import StringIO

import numpy as np
from rich.console import Console

from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import Session, SessionConfig
from ros_mbmrl.collection.view import Status, line, render
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")


def status(rate: float = 9.96) -> Status:
    terrains = ("carpet", "styrofoam")
    session = Session(ROBOT, {"random": lambda: np.ones(2)}, SessionConfig(terrains))
    session.request(Request(Kind.EPISODE))
    for k in range(901):
        session.step(0.1 * k, np.zeros(24))  # two episodes of 30 s, and one is asked for
        if k == 300:
            session.request(Request(Kind.TERRAIN, 2))
            session.request(Request(Kind.EPISODE))
        if k == 750:
            session.request(Request(Kind.EPISODE))
    reasons = ("fence: 0.21 m from the arena's edge, turning back",)
    drops = {"late": 3, "faults": 1}
    return Status(ROBOT, session, "RETURN", reasons, rate, 0.0123, 90.0, drops, {"frames": 1234})


def seen(status: Status) -> str:
    out = StringIO()
    Console(file=out, width=100).print(render(status))
    return out.getvalue()


def test_all_that_matters_is_there() -> None:
    text = seen(status())
    rows = [" ".join(row.strip("│").split()) for row in text.splitlines()]
    for expected in (
        "now episode 3 on styrofoam: 14.9 s",
        "source random",
        "terrain styrofoam",
        "safety RETURN fence: 0.21 m from the arena's edge, turning back",
        "rate 10.0 Hz for 90 s",
        "age 12 ms",
        "drops late 3, faults 1",
        "wires frames 1234",
        "carpet 1 0.50",
        "styrofoam 1 0.50",
        "discarded 0",
    ):
        assert expected in rows, text


def test_what_is_not_known_is_a_dash() -> None:
    assert "rate - Hz" in " ".join(seen(status(rate=math.nan)).split())


def test_a_line_for_a_log() -> None:
    assert line(status()) == (
        "episode 3 on styrofoam: 14.9 s; 10.0 Hz, age 12 ms, 4 drops, RETURN; "
        "carpet 0.5 min, styrofoam 0.5 min"
    )
