"""The graph of `mbmrl launch collect`."""

from __future__ import annotations

import pytest

from ros_mbmrl import bringup
from ros_mbmrl.errors import UserError
from ros_mbmrl.launch_values import Value


def teleop(*words: str) -> dict[str, Value]:
    nodes = {node.name: node for node in bringup.graph("collect", words)}
    assert set(nodes) == {"safety", "teleop", "recorder", "robot_state", "driver"}
    return dict(nodes["teleop"].parameters)


def test_what_the_teleop_node_is_told() -> None:
    assert teleop("terrain:=turf", "seed:=7") == {
        "robot": "hexapod",
        "source": "joystick",
        "tags": "turf",
        "episode_seconds": 30.0,
        "tty": "",
        "seed": 7,
    }
    told = teleop("source:=keyboard", "tty:=/dev/pts/9", "tags:=carpet,turf", "episode_seconds:=0")
    assert (told["tty"], told["tags"], told["episode_seconds"]) == (
        "/dev/pts/9",
        "carpet,turf",
        0.0,
    )


def test_the_terminal_is_that_of_who_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import pty
    import sys

    ours, theirs = pty.openpty()
    with open(theirs) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert teleop("source:=keyboard")["tty"] == os.ttyname(theirs)
    os.close(ours)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("source:=parrot",), "unknown source 'parrot'"),
        (("source:=keyboard",), "source keyboard: expected a terminal"),
        (("lockstep:=true",), "lockstep: a hand does not answer every step"),
        (("robot:=pr2_arm",), "pr2_arm cannot be driven by hand"),
        (("episode_seconds:=long",), "episode_seconds: expected seconds"),
    ],
)
def test_bad_arguments_are_refused(words: tuple[str, ...], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        bringup.graph("collect", words)


def test_chance_drives_an_arm_in_lockstep() -> None:
    words = ("robot:=pr2_arm", "source:=random", "lockstep:=true")
    assert {node.name for node in bringup.graph("collect", words)} >= {"teleop", "driver"}
