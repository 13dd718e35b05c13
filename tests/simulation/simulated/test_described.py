"""The twin of a file's robot: physics by hand, faults, draws, what is told to training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import robot_name
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import (
    Factors,
    RandomParameters,
    Situation,
    Terrain,
    TimedFault,
)

TORQUE, SHOULDER, ELBOW, SHOULDER_RATE, ELBOW_RATE = range(5)


def drive(robots: SimulatedRobots, command: tuple[float, float], seconds: float) -> np.ndarray:
    """States (T+1, N, 5) under one command."""
    states = [robots.states()]
    for _ in range(round(seconds / 0.05)):
        robots.step(np.tile(command, (len(robots), 1)))
        states.append(robots.states())
    return np.array(states)


def one(name: str, *faults: TimedFault) -> SimulatedRobots:
    return make_simulated(name, [Situation(faults=faults)], [0], noise=0.0)


def test_it_begins_in_its_keyframe_and_0_holds_the_set_point(planar_arm: str) -> None:
    robots = one(planar_arm)
    np.testing.assert_allclose(robots.states()[0], [0, 0, 0.5, 0, 0], atol=1e-9)
    np.testing.assert_allclose(drive(robots, (0.0, 0.0), 1.0)[:, 0, ELBOW], 0.5, atol=1e-4)


def test_a_rate_is_integrated_to_the_end_of_the_servos_range(planar_arm: str) -> None:
    robots = one(planar_arm)
    elbow = drive(robots, (0.0, 1.0), 1.0)[:, 0, ELBOW]
    assert elbow[-1] == pytest.approx(1.5, abs=0.1)  # 1 rad/s for a second, less the servo's lag
    assert drive(robots, (0.0, 2.0), 2.0)[-1, 0, ELBOW] == pytest.approx(2.0, abs=0.02)
    # The set-point went no further, so that it comes back at once.
    assert drive(robots, (0.0, -2.0), 0.5)[-1, 0, ELBOW] == pytest.approx(1.1, abs=0.15)


def test_a_torque_accelerates_what_it_turns(planar_arm: str) -> None:
    """Against damping alone a torque T ends at T / d."""
    robots = one(planar_arm)
    last = drive(robots, (0.4, 0.0), 5.0)[-1, 0]
    assert last[TORQUE] == pytest.approx(0.4)
    assert last[SHOULDER_RATE] == pytest.approx(0.4 / 0.5, rel=0.02)


def test_a_command_acts_after_the_latency(planar_arm: str) -> None:
    """0.01 s of 0.05 s: a fifth of the first period is under the command before."""
    robots = one(planar_arm)
    assert drive(robots, (0.0, 2.0), 0.05)[-1, 0, ELBOW] < 0.55
    first = robots.states()[0, ELBOW_RATE]
    robots.reset(np.array([True]), [Situation()], [0])
    assert drive(robots, (0.0, 2.0), 0.05)[-1, 0, ELBOW_RATE] == pytest.approx(first)


def test_a_command_that_fails_loses_its_share_and_says_so(planar_arm: str) -> None:
    robots = one(planar_arm, TimedFault("shoulder_weak", begin=0.1))
    np.testing.assert_array_equal(
        robots.effectiveness(4)[:, 0], [[1, 1], [1, 1], [0.3, 1], [0.3, 1]]
    )
    assert drive(robots, (1.0, 0.0), 0.5)[-1, 0, TORQUE] == pytest.approx(0.3)


def test_a_fault_may_be_of_command_and_sensor_at_once(planar_arm: str) -> None:
    robots = one(planar_arm, TimedFault("encoder_off", begin=0.1))
    states = drive(robots, (1.0, 0.0), 0.2)[:, 0]
    assert states[2, ELBOW] == pytest.approx(0.5, abs=0.05)
    assert states[3, ELBOW] == pytest.approx(0.7, abs=0.05)
    assert states[-1, TORQUE] == pytest.approx(0.5)
    np.testing.assert_array_equal(robots.effectiveness(1, 3)[0, 0], [0.5, 1.0])


def test_faults_of_bodies_and_actuators_change_the_model(planar_arm: str) -> None:
    simulation = make_simulation(planar_arm)
    model = simulation.model(Terrain(), Factors())
    well = model.body("lower").inertia.copy(), model.actuator("servo").gainprm.copy()
    simulation.wreck(model, frozenset({"load", "servo_weak"}))
    assert model.body("lower").mass == pytest.approx([2.0])
    np.testing.assert_allclose(model.body("lower").inertia, 4 * well[0])  # 2 kg of 0.5 kg
    np.testing.assert_allclose(model.actuator("servo").gainprm, 0.1 * well[1])
    assert simulation.broken({"load", "late", "elbow_weak", "encoder_off"}) == {"load"}


def test_draws_stay_in_the_ranges_and_follow_their_seed(planar_arm: str) -> None:
    simulation = make_simulation(planar_arm)
    drawn = []
    for seed in (*range(50), 0):
        model = simulation.model(Terrain(), Factors())
        simulation.randomise(model, RandomParameters(seed))
        drawn.append([model.body("lower").mass[0] / 0.5, model.dof_frictionloss[0]])
    mass, friction = np.array(drawn).T
    assert 0.5 <= mass.min() < 0.7 < 1.5 < mass.max() <= 2.0
    assert 0.0 <= friction.min() < 0.02 < 0.08 < friction.max() <= 0.1
    assert drawn[0] == drawn[-1]


def test_factors_scale_the_robot(planar_arm: str) -> None:
    simulation = make_simulation(planar_arm)
    model = simulation.model(Terrain(), Factors(mass=2.0, gear=0.5, damping=3.0))
    assert model.body("upper").mass == pytest.approx([2.0])
    np.testing.assert_allclose(model.dof_damping, [1.5, 0.3])
    assert model.actuator("shoulder").gainprm[0] == pytest.approx(0.5)


def test_noise_has_its_deviation_and_the_same_instant_the_same(planar_arm: str) -> None:
    robots = make_simulated(planar_arm, [Situation()] * 400, range(400))
    off = robots.observed()[:, ELBOW] - 0.5
    assert off.std() == pytest.approx(0.01, rel=0.15)
    np.testing.assert_array_equal(robots.observed()[:, ELBOW] - 0.5, off)
    assert (robots.observed()[:, SHOULDER] == 0).all()
    fewer = make_simulated(planar_arm, [Situation()] * 2, [7, 3])
    np.testing.assert_array_equal(fewer.observed()[:, ELBOW] - 0.5, off[[7, 3]])


def test_states_that_are_set_have_the_same_successors(planar_arm: str) -> None:
    original, copy = one(planar_arm), one(planar_arm)
    drive(original, (0.5, 0.0), 0.5)
    copy.set_states(original.states())
    after = [drive(robots, (0.2, 0.0), 0.2)[-1] for robots in (original, copy)]
    np.testing.assert_allclose(*after, atol=0.02)  # but for the set-point, which is no state


def test_it_imagines_what_then_happens(arm_file: Path) -> None:
    arm_file.write_text(arm_file.read_text().replace("latency: 0.01", "latency: 0"))
    robots = one(robot_name(str(arm_file)))
    plan = np.tile([0.5, 1.0], (1, 1, 6, 1))
    imagined = robots.imagine(plan)[0, 0]
    np.testing.assert_allclose(imagined, drive(robots, (0.5, 1.0), 0.3)[:, 0], atol=1e-6)


def test_rewards_are_the_files_first_task(planar_arm: str) -> None:
    robots = one(planar_arm)
    reward = robots.step(np.zeros((1, 2))).reward
    assert reward == pytest.approx([-(((0.5 - 1.0) / 0.1) ** 2)], rel=1e-3)  # goal: elbow 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: arm.xml", "model: none.xml", "twin.model: no file"),
        ("keyframe: bent", "keyframe: flat", "the model has no keyframe 'flat': expected one of"),
        (
            "{shoulder: shoulder_joint}",
            "{shoulder: sholder_joint}",
            "twin.joints.shoulder: the model has no joint 'sholder_joint': expected one of "
            "shoulder_joint, elbow; did you mean 'shoulder_joint'?",
        ),
        ("{body: lower,", "{body: lwer,", "the model has no body 'lwer'"),
        ("{actuator: servo,", "{actuator: motor,", "no actuator 'motor'"),
        ("  torque: {unit: N m,", "  force: {unit: N,", "nothing in the model measures 'force'"),
        ("keyframe: bent", "sensors: {torque: 'torque[1]'}", "sensor 'torque' has 1 numbers"),
        ("keyframe: bent", "sensors: {torque: force}", "the model has no sensor 'force'"),
    ],
)
def test_what_the_model_lacks_is_told_with_its_line(
    arm_file: Path, old: str, new: str, message: str
) -> None:
    text = arm_file.read_text()
    assert old in text
    arm_file.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=r"planar_arm\.yaml:\d+: twin") as caught:
        make_simulation(robot_name(str(arm_file)))
    assert message in str(caught.value)


def test_a_reset_of_some_leaves_the_others_alone(planar_arm: str) -> None:
    robots = make_simulated(planar_arm, [Situation()] * 3, range(3))
    drive(robots, (0.6, 1.0), 0.3)
    before = robots.states()
    robots.reset(np.array([False, True, False]), [Situation()], [7])
    np.testing.assert_array_equal(robots.states()[[0, 2]], before[[0, 2]])  # the torque, too
    assert robots.states()[1, TORQUE] == 0.0
    alone = make_simulated(planar_arm, [Situation()], [7])
    np.testing.assert_array_equal(robots.states()[1], alone.states()[0])


URDF = """
<robot name="arm">
  <link name="base"/>
  <link name="link"><inertial><origin xyz="0.1 0 0"/><mass value="1"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="elbow" type="revolute"><parent link="base"/><child link="link"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="1" effort="10" velocity="3"/></joint>
</robot>
"""


def test_a_urdf_is_a_twin_once_its_servos_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    (tmp_path / "arm.urdf").write_text(URDF)
    (tmp_path / "urdf_arm.yaml").write_text(
        "name: urdf_arm\nkind: arm\nperiod: 0.05\njoints: {names: [elbow]}\n"
        "commands: {values: {elbow: {unit: rad/s, low: -1, high: 1}}}\n"
        "tasks: {bend: {goal: {elbow: 0.5}}}\n"
        "twin: {model: arm.urdf, servo: {stiffness: 20, damping: 2}}\n"
    )
    robots = one(robot_name(str(tmp_path / "urdf_arm.yaml")))
    for _ in range(10):
        robots.step(np.array([[1.0]]))
    elbow, rate = robots.states()[0]
    assert elbow == pytest.approx(0.5, abs=0.15)  # 0.5 s at 1 rad/s, less the servo's lag
    for _ in range(40):
        robots.step(np.array([[1.0]]))
    assert robots.states()[0, 0] == pytest.approx(1.0, abs=0.02)  # the joint's limit
