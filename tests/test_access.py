"""The SROS2 policy: rules of a node, names of a robot, and the policy as a command."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ros_mbmrl import access
from ros_mbmrl.access import PARAMETERS, Access, policy, rules

CONFIG = Path(__file__).parents[1] / "config" / "security" / "policy.xml"


def test_rules_are_the_table_and_what_every_node_does() -> None:
    allowed = rules(Access(("plan",), ("reference",), ("reset",), ("stop",)))
    assert allowed["topics", "publish"] == ("plan", "/rosout", "/parameter_events")
    assert allowed["topics", "subscribe"] == ("reference",)
    assert allowed["services", "request"] == ("stop",)
    assert allowed["services", "reply"] == ("reset", *(f"~/{name}" for name in PARAMETERS))


def test_a_lifecycle_node_tells_its_transitions_and_can_be_changed() -> None:
    allowed = rules(Access(lifecycle=True))
    assert "~/transition_event" in allowed["topics", "publish"]
    assert "~/change_state" in allowed["services", "reply"]
    assert "~/change_state" not in rules(Access())["services", "reply"]


def test_a_robot_measures_on_topics_of_its_own() -> None:
    ant, hexapod = (access.access(robot)["driver"]["driver"] for robot in ("ant", "hexapod"))
    assert {"odom", "joint_states", "sensor_time"} <= set(ant.publishes)
    assert {"battery", "back_emf"} <= set(hexapod.publishes) - set(ant.publishes)
    assert "/mocap/hexapod/pose" in hexapod.subscribes
    everything = access.access("hexapod").values()
    assert not [n for nodes in everything for a in nodes.values() for n in a.publishes if "<" in n]


def test_only_safety_publishes_safe_commands_of_any_robot() -> None:
    root = ElementTree.fromstring(policy(["half_cheetah"]).split("\n", 1)[1])
    writers = [
        profile.attrib["node"]
        for profile in root.iter("profile")
        for part in profile.iterfind("topics[@publish='ALLOW']")
        if "command/safe" in [each.text for each in part]
    ]
    assert writers == ["safety"] * 2  # of the separate processes, and of the one


@pytest.mark.parametrize("words", [[], ["hexapod", "pr2_arm"]])
def test_the_command_prints_the_policy_that_ships(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["access", *words])
    access.main()
    assert capsys.readouterr().out == CONFIG.read_text()


def test_an_unknown_robot_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["access", "teapot"])
    with pytest.raises(SystemExit) as ended:
        access.main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "unknown robot 'teapot'" in said.err and not said.out
