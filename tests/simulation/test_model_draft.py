"""Drafts from MuJoCo models: actuators are commands, joints are states, the model is the twin."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mujoco")

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.draft import text_of
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.model_draft import model_draft

GEOM = "<geom size='0.1' mass='1'/>"
ARM = f"""<mujoco><compiler angle="radian"/><worldbody>
<body><joint name="hip" range="-1 2" limited="true"/>{GEOM}
<body><joint name="knee-1"/>{GEOM}</body></body></worldbody><actuator>
<motor name="hip" joint="hip" ctrlrange="-5 5" ctrllimited="true"/>
<position name="servo" joint="knee-1" kp="3" ctrlrange="-1 1" ctrllimited="true"/>
<velocity name="knee-1" joint="knee-1" kv="2"/></actuator></mujoco>"""
BODY = f"""<mujoco><worldbody><body><freejoint/>{GEOM}<body><joint name="leg"/>{GEOM}</body>
</body></worldbody><actuator><motor name="m" joint="leg" ctrlrange="0 3" ctrllimited="true"/>
</actuator></mujoco>"""
CART = f"""<mujoco><worldbody><body><joint name="rail" type="slide" range="-1 1" limited="true"/>
{GEOM}<body><joint name="pole"/>{GEOM}</body></body></worldbody><actuator>
<motor name="push" joint="rail" ctrlrange="-9 9" ctrllimited="true"/></actuator></mujoco>"""


def read(folder: Path, text: str) -> Description:
    path = folder / "model.xml"
    path.write_text(text)
    draft = model_draft(path, "robot", shown="model.xml")
    return parse_description(text_of(draft), Path("robot.yaml"))


def test_an_arm_with_actuators_of_three_kinds(tmp_path: Path) -> None:
    found = read(tmp_path, ARM)
    assert (found.kind, found.joints) == ("arm", ("hip", "knee_1"))
    assert [(a.name, a.unit, a.low, a.high) for a in found.action] == [
        ("hip", "N m", -5.0, 5.0),
        ("servo", "rad", -1.0, 1.0),
        ("knee_1", "rad/s", -0.5, 0.5),  # the model has no range
    ]
    assert found.envelope.state_limits == {"hip": (-1.0, 2.0)}
    assert [each.name for each in found.scalars if each.wraps] == ["knee_1"]
    assert found.twin is not None
    twin = found.twin.items()
    assert twin["model"].value == "model.xml"
    assert twin["joints"].items()["knee_1"].value == "knee-1"
    assert twin["actuators"].items()["knee-1"].value == "knee_1"
    assert found.tasks["middle"].goal == {"hip": 0.5, "knee_1": 0.0}


def test_a_free_joint_makes_a_floating_base(tmp_path: Path) -> None:
    found = read(tmp_path, BODY)
    assert (found.kind, found.joints) == ("floating_base", ("leg",))
    assert (found.action[0].low, found.action[0].high) == (0.0, 3.0)
    assert found.pose == ("x", "y", "z", "qw", "qx", "qy", "qz")


def test_joints_that_slide_and_turn_are_measured_one_by_one(tmp_path: Path) -> None:
    found = read(tmp_path, CART)
    assert found.kind == "general"
    assert [(each.name, each.unit) for each in found.scalars] == [
        ("rail", "m"),
        ("pole", "rad"),
        ("rail_velocity", "m/s"),
        ("pole_velocity", "rad/s"),
    ]
    assert found.action[0].unit == "N"


def test_our_own_arm() -> None:
    draft = model_draft(sim_path("pr2_arm.xml"), "arm", period=0.1)
    found = parse_description(text_of(draft), Path("arm.yaml"))
    assert len(found.joints) == len(found.action) == 7 and found.period == 0.1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<mujoco", "not a model that MuJoCo loads"),
        ("<mujoco/>", "the model has no actuator"),
        (
            ARM.replace(' name="hip" range', " range").replace('joint="hip"', 'joint="knee-1"'),
            "model.xml: a joint has no name: give it one",
        ),
        (CART.replace(' name="push"', ""), "model.xml: an actuator has no name: give it one"),
        (CART.replace("-9 9", "3 9"), "'push': expected a range with 0 in it, got 3 to 9"),
    ],
)
def test_models_that_are_refused(text: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=error):
        read(tmp_path, text)
