"""Joints of URDFs: our own robots', one with ros2_control, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.drafts import Joint
from ros_mbmrl.robots.described.urdf_draft import urdf_joints
from ros_mbmrl.share import sim_path

LINKS = "".join(f"<link name='{name}'/>" for name in "abcdef")
URDF = f"""<robot name="r">{LINKS}
<joint name="base" type="fixed"><parent link="a"/><child link="b"/></joint>
<joint name="hip" type="revolute"><limit lower="-1" upper="2" velocity="3" effort="40"/></joint>
<joint name="wheel" type="continuous"><limit velocity="9" effort="5"/></joint>
<joint name="lift" type="prismatic"><limit lower="0" upper="0.4"/></joint>
<joint name="twin" type="revolute"><mimic joint="hip"/></joint>
</robot>"""
CONTROL = """<ros2_control name="hardware" type="system">
<joint name="wheel"><command_interface name="velocity"/><state_interface name="position"/></joint>
<joint name="hip"><command_interface name="position"><param name="min">-1</param>
</command_interface><command_interface name="velocity"/></joint>
<joint name="lift"><state_interface name="position"/></joint>
</ros2_control></robot>"""


def written(folder: Path, text: str) -> Path:
    path = folder / "robot.urdf"
    path.write_text(text)
    return path


def test_joints_with_their_limits(tmp_path: Path) -> None:
    assert urdf_joints(written(tmp_path, URDF)) == [
        Joint("hip", (-1.0, 2.0), 3.0, 40.0),
        Joint("wheel", None, 9.0, 5.0, endless=True),
        Joint("lift", (0.0, 0.4), linear=True),
    ]


def test_ros2_control_says_which_are_commanded_in_which_order_and_how(tmp_path: Path) -> None:
    found = urdf_joints(written(tmp_path, URDF.replace("</robot>", CONTROL)))
    assert [(each.name, each.takes) for each in found] == [
        ("wheel", "velocity"),
        ("hip", "position"),
    ]
    assert found[1].limits == (-1.0, 2.0)


def test_our_own_robots() -> None:
    names = [joint.name for joint in urdf_joints(sim_path("urdf/pr2_arm.urdf"))]
    assert len(names) == 7 and names[0] == "l_shoulder_pan_joint"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "not XML"),
        ("<robot", "not XML"),
        ("<sdf/>", "expected a URDF .a <robot>., got a <sdf>"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><robot/>", "expected XML without a document type"),
        (
            "<robot xmlns:xacro='http://www.ros.org/wiki/xacro'><xacro:include/></robot>",
            "expected a URDF, as `xacro FILE",
        ),
        ("<robot><joint type='revolute'/></robot>", "a joint has no name"),
        (
            "<robot><joint name='a' type='revolute'><limit lower='low'/></joint></robot>",
            "joint 'a': lower: expected a number, got low",
        ),
    ],
)
def test_what_is_no_urdf_is_refused(text: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=error):
        urdf_joints(written(tmp_path, text))
