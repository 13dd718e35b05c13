import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.pr2_kinematics import POINTS, SHOULDER_Y, tool_points
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.posture import make_posture
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import POSSIBLE, Situation
from ros_mbmrl.simulation.world import HexapodWorld


def hexapod_state(world: HexapodWorld) -> Array:
    """State of a hexapod that stands where its world has it."""
    x, y, z, *quaternion = world.data.qpos[:7]
    measured = np.array([x, y, z, *quaternion, *np.zeros(6), *world.leg_angles(), 0, 0, 3.9])
    return make_robot("hexapod").estimate(measured, None, 0.1)


def test_a_hexapod_in_a_state_is_where_its_world_has_it() -> None:
    world = HexapodWorld(make_terrain("plain"), seed=3, start=(0.3, -0.2, 1.0))
    world.set_command(np.array([20.0, 10.0]))
    world.step(0.7)
    mujoco.mj_kinematics(world.model, world.data)
    data = make_posture("hexapod").put(hexapod_state(world))
    np.testing.assert_allclose(data.xpos[1], world.data.xpos[1], atol=1e-9)
    middle = [world.model.body(f"leg_{side}_middle").id for side in ("left", "right")]
    for part in range(1, world.model.nbody):  # the other legs hang on ties that give a little
        within = 1e-6 if part in middle else 0.02
        np.testing.assert_allclose(data.xmat[part], world.data.xmat[part], atol=within)


@pytest.mark.parametrize("robot", sorted(POSSIBLE))
def test_a_simulated_robot_in_a_state_is_where_its_simulation_has_it(robot: str) -> None:
    robots = make_simulated(robot, [Situation()], [7])
    robots.advance(np.zeros((1, len(robots.robot.spec.action))), 3)
    data = make_posture(robot).put(robots.states()[0])
    np.testing.assert_allclose(data.xpos, robots.physics(0)[1].xpos, atol=1e-9)


def test_the_pr2s_tool_is_where_its_forward_kinematics_put_it() -> None:
    angles = np.array([0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.4])
    posture = make_posture("pr2_arm")
    frame = posture.model.body("l_gripper_tool_frame").id
    data = posture.put(np.concatenate([angles, np.zeros(16)]))
    placed = data.xpos[frame] + POINTS @ data.xmat[frame].reshape(3, 3).T
    base = posture.model.body("l_shoulder_pan_link").pos - [0, SHOULDER_Y, 0]
    np.testing.assert_allclose((placed - base).ravel(), tool_points(angles), atol=1e-6)


def test_every_robot_has_one() -> None:
    assert {name for name in ROBOTS if make_posture(name).model.nq > 0} == set(ROBOTS)


def test_bad_input() -> None:
    with pytest.raises(UserError, match="'wheeled' has no MuJoCo model"):
        make_posture("wheeled")
    with pytest.raises(ValueError, match="finite"):
        make_posture("half_cheetah").put(np.full(18, np.nan))


def test_a_robot_of_a_file_in_a_state_is_where_its_joints_are(planar_arm: str) -> None:
    posture = make_posture(planar_arm)
    data = posture.put(np.array([0.0, np.pi / 2, -np.pi / 2, 0.0, 0.0]))
    np.testing.assert_allclose(data.body("lower").xpos, [0.0, 0.3, 0.0], atol=1e-9)
    np.testing.assert_allclose(data.body("lower").xquat, [1, 0, 0, 0], atol=1e-9)
