"""URDF: the same kinematics as MuJoCo's, by a forward kinematics that knows nothing of MuJoCo."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ros_mbmrl.data.measurement_messages import joint_names
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.share import find
from ros_mbmrl.simulation.frames import make_frames
from ros_mbmrl.simulation.situations import POSSIBLE
from ros_mbmrl.simulation.urdf import make_urdf

ALL = ("hexapod", "pr2_arm", *POSSIBLE)


def numbers(element: ElementTree.Element | None, name: str, default: str) -> np.ndarray:
    return np.array((default if element is None else element.get(name, default)).split(), float)


def link_poses(urdf: str, joints: dict[str, float]) -> dict[str, np.ndarray]:
    """Pose (4, 4) of each link in `base_link`, as the format of URDF defines it."""
    root = ElementTree.fromstring(urdf)
    poses = {"base_link": np.eye(4)}
    waiting = root.findall("joint")
    while waiting:
        joint = waiting.pop(0)
        parent, child = (joint.find(name).get("link") for name in ("parent", "child"))
        if parent not in poses:
            waiting.append(joint)
            continue
        place = np.eye(4)
        origin = joint.find("origin")
        place[:3, 3] = numbers(origin, "xyz", "0 0 0")
        place[:3, :3] = Rotation.from_euler("xyz", numbers(origin, "rpy", "0 0 0")).as_matrix()
        turn = np.eye(4)
        if joint.get("type") != "fixed":
            mimic = joint.find("mimic")
            angle = joints[joint.get("name") if mimic is None else mimic.get("joint")]
            axis = numbers(joint.find("axis"), "xyz", "1 0 0")
            turn[:3, :3] = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()
        assert child not in poses, f"{child} has two parents"
        poses[child] = poses[parent] @ place @ turn
    return poses


@pytest.mark.parametrize("robot", ALL)
def test_links_are_where_mujoco_has_its_bodies(robot: str) -> None:
    """Random measurements; the joints are found by their names in `joint_states`."""
    made, rng, urdf = make_robot(robot), np.random.default_rng(5), make_urdf(robot)
    frames, spec = make_frames(robot), made.spec
    names = joint_names(spec)
    for _ in range(5):
        values = rng.uniform(-1.0, 1.0, len(spec.measurement))
        for k in (k for k, where in enumerate(spec.channels) if "orientation" in where):
            values[k] = 0.5
        told = {
            names[where.way[1]]: values[k]
            for k, where in enumerate(map(channel, spec.channels))
            if where.topic == "joint_states" and where.way[0] == "position"
        }
        data = frames.posture.put(made.estimate(values, None, spec.period))
        poses = link_poses(urdf, told)
        base = np.eye(4)
        base[:3, :3], base[:3, 3] = data.xmat[frames.trunk].reshape(3, 3), data.xpos[frames.trunk]
        for body, name in enumerate(frames.names):
            if body == 0:
                continue
            placed = base @ poses[name]
            np.testing.assert_allclose(placed[:3, 3], data.xpos[body], atol=1e-6, err_msg=name)
            seen = data.xmat[body].reshape(3, 3)
            np.testing.assert_allclose(placed[:3, :3], seen, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("robot", ALL)
def test_what_is_shipped_is_what_is_made(robot: str) -> None:
    shipped = find(f"sim/urdf/{robot}.urdf")
    assert shipped is not None and shipped.read_text() == make_urdf(robot)


def test_every_moving_joint_is_in_joint_states_or_mimics_one() -> None:
    for robot in ALL:
        names = joint_names(make_robot(robot).spec)
        for joint in ElementTree.fromstring(make_urdf(robot)).findall("joint"):
            if joint.get("type") != "fixed" and joint.find("mimic") is None:
                assert joint.get("name") in names


def test_the_hexapods_outer_legs_follow_the_middle_one() -> None:
    root = ElementTree.fromstring(make_urdf("hexapod"))
    mimics = {
        joint.get("name"): joint.find("mimic").get("joint")
        for joint in root.findall("joint")
        if joint.find("mimic") is not None
    }
    assert len(mimics) == 4 and mimics["leg_left_front"] == "left_legs"


def test_links_have_shapes_and_the_ground_is_none_of_them() -> None:
    root = ElementTree.fromstring(make_urdf("hexapod"))
    links = {link.get("name"): link for link in root.findall("link")}
    box = links["base_link"].find("visual/geometry/box")
    assert box is not None and numbers(box, "size", "").tolist() == [0.1, 0.036, 0.016]
    assert all(link.findall("visual") for link in links.values())
    materials = [each.get("name") for each in root.iter("material")]
    assert len(set(materials)) == len(materials)


@pytest.mark.parametrize("words", [["cat"], [], ["hexapod", "ant"]])
def test_bad_words_are_one_line(words: list[str]) -> None:
    command = [sys.executable, "-m", "ros_mbmrl.simulation.urdf", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1
    assert not ended.stdout
