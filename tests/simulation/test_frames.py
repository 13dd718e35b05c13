"""Frames: a tree from map to every body, and each body where MuJoCo has it."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.frames import Frames, Transform, make_frames

UPRIGHT = {"hexapod": ("cos_roll", "cos_pitch", "cos_yaw"), "ant": ("qw",), "humanoid": ("qw",)}


def some_state(robot: str) -> np.ndarray:
    """A state in which every joint is somewhere, and the robot stands upright."""
    names = [quantity.name for quantity in make_robot(robot).spec.state]
    state = np.linspace(-0.4, 0.6, len(names))
    for quaternion in ("qw", "qx", "qy", "qz"):
        if quaternion in names:
            state[names.index(quaternion)] = 0.0
    for name in UPRIGHT.get(robot, ()):
        state[names.index(name)] = 1.0
    return state


def placed(transforms: list[Transform]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Position and quaternion of every frame in the map, by going down the tree."""
    found = {"map": (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))}
    for each in transforms:
        position, rotation = found[each.parent]  # parents come first
        assert each.child not in found, f"{each.child} has two parents"
        offset, turned = np.empty(3), np.empty(4)
        mujoco.mju_rotVecQuat(offset, np.array(each.translation), rotation)
        mujoco.mju_mulQuat(turned, rotation, np.array(each.rotation))
        found[each.child] = position + offset, turned
    return found


@pytest.mark.parametrize("robot", sorted(ROBOTS))
def test_every_body_is_where_mujoco_has_it(robot: str) -> None:
    frames = make_frames(robot)
    found = placed(frames.transforms(some_state(robot)))
    data = frames.posture.data
    for body, name in enumerate(frames.names):
        np.testing.assert_allclose(found[name][0], data.xpos[body], atol=1e-9, err_msg=name)
        assert abs(found[name][1] @ data.xquat[body]) == pytest.approx(1.0)
    assert {"map", "odom", "base_link"} <= set(found)


@pytest.mark.parametrize("robot", sorted(ROBOTS))
def test_what_moves_and_what_does_not_are_all_there_is(robot: str) -> None:
    frames, state = make_frames(robot), some_state(robot)
    apart = [*frames.fixed(), *frames.moving(state)]
    together = {each.child: each for each in frames.transforms(state)}
    assert len(apart) == len(together)
    for each in apart:
        same = together[each.child]
        assert each.parent == same.parent
        np.testing.assert_allclose(each.translation, same.translation, atol=1e-12)
        np.testing.assert_allclose(each.rotation, same.rotation, atol=1e-12)
    assert frames.fixed() == make_frames(robot).fixed()  # whatever state came before


def test_base_link_is_where_odom_says_that_it_is() -> None:
    """The half-cheetah's z is measured from where it starts, .7 m above the ground."""
    names = [quantity.name for quantity in make_robot("half_cheetah").spec.state]
    state = np.zeros(len(names))
    state[names.index("x")], state[names.index("z")] = 2.0, 0.1
    transforms = {each.child: each for each in make_frames("half_cheetah").transforms(state)}
    assert transforms["odom"].translation == (0.0, 0.0, 0.7)
    assert transforms["base_link"].parent == "odom"
    np.testing.assert_allclose(transforms["base_link"].translation, (2.0, 0.0, 0.1), atol=1e-12)


def test_the_trunk_is_the_base_and_what_is_bolted_down_stands_on_it() -> None:
    assert make_frames("hexapod").names[:3] == ("map", "base_link", "leg_left_front")
    arm = make_frames("arm_7dof")
    assert arm.trunk == 0
    parents = {each.child: each.parent for each in arm.transforms(some_state("arm_7dof"))}
    assert parents["r_shoulder_pan_link"] == "base_link"
    assert (parents["base_link"], parents["odom"]) == ("odom", "map")


def test_the_pr2s_points_are_told_in_a_frame_that_is_there() -> None:
    angles = np.array([0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.4])
    frames = make_frames("pr2_arm")
    found = placed(frames.transforms(np.concatenate([angles, np.zeros(16)])))
    tool, turn = found["l_gripper_tool_frame"]
    point = np.empty(3)
    mujoco.mju_rotVecQuat(point, np.array([0.02, -0.025, 0.05]), turn)
    seen = tool + point - found["torso_lift_link"][0]
    np.testing.assert_allclose(seen, tool_points(angles)[:3], atol=1e-6)


def test_bad_input() -> None:
    with pytest.raises(UserError, match="'wheeled' has no MuJoCo model"):
        make_frames("wheeled")
    frames: Frames = make_frames("half_cheetah")
    with pytest.raises(ValueError, match="finite"):
        frames.transforms(np.full(18, np.nan))
