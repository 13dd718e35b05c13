import math

import numpy as np
import pytest

from ros_mbmrl.plants.emulators.firmware import Firmware, Pid
from ros_mbmrl.plants.wire import units
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.world import HexapodWorld

GAINS = (1800, 200, 100, 0, 0)


@pytest.fixture
def robot() -> Firmware:
    physics = Physics(sensor_noise=0.0, process_noise=0.0)
    return Firmware(HexapodWorld(make_terrain("plain"), physics), np.random.default_rng(0))


def sample(robot: Firmware, left: int, right: int) -> v.Telemetry:
    (data,) = robot.handle(v.set_vel_get_imu(left, right))
    reply = v.read_reply(data)
    assert isinstance(reply, v.Telemetry)
    return reply


def run(robot: Firmware, seconds: float) -> None:
    for _ in range(round(100 * seconds)):
        robot.tick()


def hertz(robot: Firmware) -> tuple[float, float]:
    before = robot.world.leg_angles()
    run(robot, 0.5)
    left, right = (robot.world.leg_angles() - before) / (0.5 * 2 * math.pi)
    return left, right


def test_the_pid_is_the_firmwares() -> None:
    pid = Pid()
    pid.gains = GAINS
    pid.start(1000)
    # e = 300, ev = 300 - 0: (1800 * 300 >> 12) + 0 + (100 * 300 >> 4) = 131 + 1875
    pid.update(1000, 300)
    assert pid.duty == 2006
    # e = 200, ev = 300 - 400, sum = 18: 87 + (200 * 18 >> 12 >> 4) + (-10000 >> 4) = 87 + 0 - 625
    pid.update(1400, 300)
    assert pid.duty == -538
    for _ in range(100):
        pid.update(1400, 300)
    assert pid.duty == Pid.LIMIT
    pid.gains = (-1800, 0, 0, 0, 0)
    pid.update(1400, 300)
    assert pid.duty == -Pid.LIMIT


def test_motors_turn_only_after_pid_start_and_until_pid_stop(robot: Firmware) -> None:
    sample(robot, 300, 300)
    assert abs(hertz(robot)[0]) < 0.1
    robot.handle(v.pid_start())
    run(robot, 0.3)
    assert min(hertz(robot)) > 3.0
    run(robot, 3.0)  # nobody speaks to it: it has no watchdog
    assert min(hertz(robot)) > 3.0
    robot.handle(v.pid_stop())
    run(robot, 0.3)
    assert max(np.abs(hertz(robot))) < 0.5


def test_a_timed_run_ends_by_itself(robot: Firmware) -> None:
    sample(robot, 300, 300)
    robot.handle(v.start_timed_run(500))
    run(robot, 0.45)
    assert robot.running
    run(robot, 0.2)
    assert not robot.running


def test_a_profile_is_the_set_point_it_stands_for(robot: Firmware) -> None:
    assert robot.handle(v.steady_profile(400, 160)) == []
    robot.handle(v.pid_start())
    run(robot, 0.5)
    profile = hertz(robot)
    sample(robot, 400, 160)
    assert hertz(robot) == pytest.approx(profile, rel=0.05)
    # The stock gait: a revolution in 250 ms, each quarter of it 0x4000 / 4.
    robot.handle(v.set_vel_profile(250, [0x1000] * 4, 250, [0x1000] * 4))
    run(robot, 0.3)
    as_profile = hertz(robot)
    sample(robot, 262, 262)  # 4 Hz
    run(robot, 0.3)
    assert hertz(robot) == pytest.approx(as_profile, rel=0.05)


def test_telemetry_is_the_twins(robot: Firmware) -> None:
    robot.handle(v.pid_start())
    robot.handle(v.zero_pos())
    start = robot.world.leg_angles()
    first = sample(robot, 300, 200)
    run(robot, 1.0)
    second = sample(robot, 300, 200)
    turned = units.ENCODER * np.array(second.positions)
    assert turned == pytest.approx(robot.world.leg_angles() - start, abs=2e-4)
    assert second.microseconds - first.microseconds == 1_000_000
    assert second.index == first.index + 1
    assert second.targets == (300_000, 200_000)
    said = units.sensed(second)
    assert said.back_emf == pytest.approx(
        robot.world.leg_speeds() * [0.02438, 0.02546], abs=2 * units.BACK_EMF + 2.0
    )
    assert second.back_emf[0] > 0 > second.back_emf[1]
    assert said.battery == pytest.approx(robot.world.voltage, abs=0.005)
    assert said.gyro == pytest.approx(robot.world.angular_velocity(), abs=1e-3)


def test_gains_set_the_duty(robot: Firmware) -> None:
    robot.handle(v.pid_start())
    sample(robot, 300, 300)
    run(robot, 0.1)
    assert sample(robot, 300, 300).duties == (0, 0)  # gains are 0 until they are set
    packet = v.set_pid_gains(GAINS, GAINS)
    assert robot.handle(packet) == [packet]
    run(robot, 0.1)
    assert sample(robot, 300, 300).duties != (0, 0)
    assert max(abs(duty) for duty in sample(robot, 300, 300).duties) <= 3800


def test_it_says_who_it_is_and_where_its_legs_are(robot: Firmware) -> None:
    (who,) = robot.handle(v.who_am_i())
    assert v.read_reply(who) == v.Version("VelociRoACH twin, emulated radio")
    robot.handle(v.pid_start())
    sample(robot, 300, 300)
    run(robot, 1.0)
    (where,) = robot.handle(v.get_ams_pos())
    (before,) = robot.handle(v.zero_pos())
    (after,) = robot.handle(v.get_ams_pos())
    there, then, now = (v.read_reply(data) for data in (where, before, after))
    assert isinstance(there, v.Positions) and isinstance(now, v.Positions)
    assert then == v.Positions(there.positions, zeroed=True)
    assert now.positions == (0, 0)


def test_blocked_legs_stand_still(robot: Firmware) -> None:
    robot.handle(v.pid_start())
    sample(robot, 300, 300)
    run(robot, 0.5)
    robot.block(True)
    stuck = sample(robot, 300, 300).positions
    run(robot, 0.5)
    assert sample(robot, 300, 300).positions == stuck
    robot.block(False)
    run(robot, 0.3)
    assert min(hertz(robot)) > 3.0


@pytest.mark.parametrize("packet", [b"", b"\0", b"\0\x96", b"\0\x82\1\2", b"\0\x33abc", b"\0\x8d"])
def test_nonsense_is_not_answered(robot: Firmware, packet: bytes) -> None:
    assert robot.handle(packet) == []
