"""The driver against the emulated robot in virtual time; then over a real pseudo-terminal."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant, make_plant
from ros_mbmrl.plants.base import PlantFault, PlantOptions
from ros_mbmrl.plants.emulators.velociroach import AirConfig, FarSide, VelociroachEmulator
from ros_mbmrl.plants.hexapod_radio import HexapodRadio, RadioConfig
from ros_mbmrl.plants.poses import PoseMailbox, StampedPose
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.line import LineError, SerialLine
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.world import HexapodWorld

MakeBench = Callable[..., Any]
ROBOT = make_robot("hexapod")

STOCK = RadioConfig(dialect="roach", battery=3.9)
BOTH = pytest.mark.parametrize("config", [RadioConfig(), STOCK], ids=["grbal", "roach"])
SAFE = 0.25  # [s] from the line's death to the stop
FAULTS = {
    "silent": "radio silent: no answer",
    "garbage": "radio garbled: .* no valid frame",
    "half": "radio garbled: .* no valid frame",
    "stalled": "stalled: a leg stands still, set-points 4.8 and 4.8 Hz",
    "unplugged": "is gone",
    "wrong_address": "robot 0x0007 answers, expected 0x0001",
}


@BOTH
def test_it_walks_and_its_legs_are_counted_on(config: RadioConfig, make_bench: MakeBench) -> None:
    bench = make_bench(config, noise=0.0)
    with bench.plant:
        start = bench.world.leg_angles()
        rows = bench.walk(6.0)
        measured, true = rows[-1], bench.world.leg_angles() - start
        speeds = bench.world.leg_speeds()
    assert bench.far.distance > 0.5
    assert len(measured) == len(ROBOT.spec.measurement)
    # The last row is 0.1 s and a poll older than the truth.
    assert measured[13:15] == pytest.approx(true - 0.09 * speeds, abs=1.0)
    assert (np.diff([row[13] for row in rows[3:]]) > 1.0).all()
    assert measured[:2] == pytest.approx(bench.world.pose()[:2], abs=0.05)
    assert measured[17] == pytest.approx(
        bench.world.voltage if config is not STOCK else 3.9, abs=0.01
    )
    assert np.mean(rows[3:], axis=0)[15:17] == pytest.approx([0.7, 0.7], abs=0.1)
    counters = bench.plant.counters()
    assert counters["timeouts"] == counters["skipped"] == counters["checksum_errors"] == 0
    assert 9 < counters["round_trip_p50_ms"] < 20


def test_measurements_are_stamped_and_aged(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        for _ in range(5):
            bench.line.sleep(0.0873)
            asked = bench.clock.now
            measurement = bench.plant.observe()
            # 15 bytes there and 57 back at 57600 baud
            assert bench.clock.now - asked == pytest.approx(72 * 10 / 57600, abs=1e-4)
            assert measurement.time == bench.clock.now
            pose = bench.poses.latest()
            assert pose is not None
            assert measurement.age == pytest.approx(
                max(72 * 10 / 57600, bench.clock.now - pose.time), abs=1e-4
            )


def test_body_rates_come_from_motion_capture_in_the_stock_dialect(make_bench: MakeBench) -> None:
    bench = make_bench(STOCK, noise=0.0)
    with bench.plant:
        rows = bench.walk(4.0, (20.0, 45.0))
    yaw = [ROBOT.pose(ROBOT.estimate(row, None, 0.1))[2] for row in rows]
    turned = np.diff(np.unwrap(yaw)).sum() / (0.1 * (len(rows) - 1))
    assert abs(turned) > 0.3
    assert np.mean([row[9] for row in rows[1:]]) == pytest.approx(turned, rel=0.15)


@BOTH
@pytest.mark.parametrize(("fault", "message"), FAULTS.items())
def test_each_fault_is_a_stop_in_time_and_passes(
    config: RadioConfig, fault: str, message: str, make_bench: MakeBench
) -> None:
    bench = make_bench(config)
    advance = bench.far.advance
    with bench.plant:
        for phase in (0.001, 0.02, 0.05, 0.075, 0.099):  # of the control period it begins in
            bench.walk(0.5)
            died = bench.clock.now + phase

            def dies(now: float, died: float = died) -> bytes:
                if now >= died:
                    bench.far.faults.set(fault)
                return advance(now)

            bench.far.advance = dies
            with pytest.raises(PlantFault, match=message):
                bench.walk(1.0)
            assert 0 <= bench.clock.now - died < SAFE
            began = bench.clock.now
            bench.plant.stop()
            assert bench.clock.now - began < 0.15  # so that it can be called again and again
            if fault != "stalled":
                refuses_while_unheard(bench)
            bench.far.advance = advance
            bench.far.faults.set()
            recovers(bench)
    assert (bench.plant.counters()["reconnects"] > 0) == (fault == "unplugged")


def refuses_while_unheard(bench: Any) -> None:
    began = bench.clock.now
    with pytest.raises(PlantFault):
        bench.plant.observe()
    assert bench.clock.now - began <= 0.1
    with pytest.raises(PlantFault):
        bench.plant.command(np.zeros(2))


def recovers(bench: Any) -> None:
    bench.line.sleep(0.3)  # less often it does not try to get a port back
    angles = bench.plant.observe().values[13:15]
    assert not bench.far.firmware.running  # what was going on without us is at an end
    bench.walk(1.0)
    assert (bench.plant.observe().values[13:15] - angles > 10.0).all()


def test_an_untimed_robot_goes_on_while_nobody_is_heard(make_bench: MakeBench) -> None:
    bench = make_bench(RadioConfig(timed_run=0.0))
    with bench.plant:
        bench.walk(1.0)
        bench.far.faults.set("silent")
        before = bench.world.leg_angles()
        with pytest.raises(PlantFault):
            bench.plant.observe()
        bench.plant.stop()
        bench.line.sleep(1.0)
        assert (bench.world.leg_angles() - before > 20.0).all()
        bench.far.faults.set()
    assert not bench.far.firmware.running  # leaving has seen to it


@BOTH
def test_a_robot_that_hears_no_commands_stops_by_itself(
    config: RadioConfig, make_bench: MakeBench
) -> None:
    """Whatever has become of the host: its last command began a run that ends."""
    bench = make_bench(config)
    with bench.plant:
        bench.walk(1.0)
        bench.line.sleep(config.timed_run)  # the host's process has been killed
        before = bench.world.leg_angles()
        bench.line.sleep(1.0)
        assert (bench.world.leg_angles() - before < 3.0).all()  # they run down
        bench.walk(1.0)
        assert (bench.world.leg_angles() - before > 10.0).all()


def test_a_stop_is_repeated_until_the_legs_are_at_rest(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        bench.walk(1.0)
        block, held = bench.far.firmware.handle, []

        def deaf_at_first(packet: bytes, lag: float) -> list[bytes]:
            if packet[1] == v.PID_STOP_MOTORS and len(held) < 4:
                held.append(packet)
                return []
            if packet[1] == v.SET_VEL_GET_IMU and len(held) < 4:
                packet = v.set_vel_get_imu(312, 312)
            return block(packet, lag)

        bench.far.firmware.handle = deaf_at_first  # type: ignore[method-assign]
        began, before = bench.clock.now, len(bench.line.sent)
        bench.plant.stop()
        assert bench.kinds()[before:].count(v.PID_STOP_MOTORS) > 4
        assert bench.clock.now - began < 1.0
        angles = bench.world.leg_angles()
        bench.line.sleep(0.1)
        assert (np.abs(bench.world.leg_angles() - angles) < 0.3).all()


def test_a_stop_of_legs_that_do_not_come_to_rest_ends(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        bench.walk(1.0)
        bench.far.firmware._stop = lambda: None  # type: ignore[method-assign]
        handle = bench.far.firmware.handle
        bench.far.firmware.handle = lambda packet, lag: handle(  # type: ignore[method-assign]
            v.set_vel_get_imu(312, 312) if packet[1] == v.SET_VEL_GET_IMU else packet, lag
        )
        began = bench.clock.now
        bench.plant.stop()
        assert 0.9 < bench.clock.now - began < 1.2


def test_whoever_leaves_a_robot_that_was_not_seen_to_stop_is_told(
    caplog: pytest.LogCaptureFixture,
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    with caplog.at_level(logging.ERROR), bench.plant:
        bench.walk(0.5)
        bench.far.faults.set("unplugged")
    assert "switch it off" in caplog.text
    caplog.clear()
    other = make_bench()
    with caplog.at_level(logging.ERROR), other.plant:
        other.walk(0.5)
    assert not caplog.text
    assert not other.far.firmware.running


def test_old_poses_are_a_fault_and_not_a_number(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        bench.walk(0.5)
        bench.world.set_fault("lost_mocap", True)
        with pytest.raises(PlantFault, match="mocap stale: the newest pose is 0.[23].* s old"):
            bench.walk(0.5)
        bench.world.set_fault("lost_mocap", False)
        bench.line.sleep(0.1)
        bench.walk(0.5)
        assert bench.poses.latest() is not None
        bench.poses.put(StampedPose(bench.clock.now + 5.0, np.zeros(3), np.array([1.0, 0, 0, 0])))
        bench.walk(0.5)  # one alone is passed over
        assert bench.plant.counters()["poses_passed_over"] == 1


def test_poses_without_an_attitude_are_a_fault_and_not_a_number(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        bench.walk(0.5)
        bench.far.faults.set("zero_quaternion")
        with pytest.raises(PlantFault, match=r"mocap stale: .* passed over: no unit quaternion"):
            bench.walk(0.5)
        bench.far.faults.set()
        bench.line.sleep(0.1)
        bench.walk(0.5)


def test_poses_that_are_stamped_ahead_are_a_fault_at_once(make_bench: MakeBench) -> None:
    bench = make_bench()
    leapt = r"mocap: the stamps of poses leapt by \{sign}1000.00 s: was the clock of motion capture"
    with bench.plant:
        bench.walk(0.5)
        for sign, faults in (("+", ["pose_ahead"]), ("-", [])):
            bench.far.faults.set(*faults)
            began = bench.clock.now
            with pytest.raises(PlantFault, match=leapt.format(sign=sign)):
                bench.walk(0.5)
            assert bench.clock.now - began < SAFE
            bench.plant.stop()
            bench.line.sleep(1.1)
            bench.walk(0.5)  # whatever the clock


def test_poses_that_were_never_on_time_are_never_driven_by(
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    bench.far.faults.set("pose_ahead")
    with (
        bench.plant,
        pytest.raises(PlantFault, match="(999|1000).* s ahead of this machine's clock"),
    ):
        bench.plant.observe()


def test_no_pose_at_all_is_a_fault(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.world.set_fault("lost_mocap", True)
    with bench.plant, pytest.raises(PlantFault, match="mocap silent"):
        bench.plant.observe()


def heard_as(bench: Any, change: Callable[[xbee.Received], bytes]) -> None:
    """The robot's answers come in other frames."""
    bench.far.faults.to_host = change


def escaped(answer: xbee.Received) -> bytes:
    special, frame = (0x7E, 0x7D, 0x11, 0x13), answer.encode()
    parts = (bytes([0x7D, b ^ 0x20]) if b in special else bytes([b]) for b in frame[1:])
    return frame[:1] + b"".join(parts)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda answer: xbee.frame(b"\x80" + bytes(7) + b"\x07\x28\0" + answer.data),
            "kind 0x80: a 64-bit source: expected a 16-bit address",
        ),
        (lambda answer: answer.data, "it is set up with AP=0, expected AP=1"),
    ],
)
def test_a_radio_that_is_set_up_otherwise_is_told_at_the_start(
    change: Callable[[xbee.Received], bytes], complaint: str, make_bench: MakeBench
) -> None:
    bench = make_bench()
    heard_as(bench, change)
    with pytest.raises(UserError, match=complaint), bench.plant:
        pass


def test_escaped_frames_stop_the_robot_and_are_told(make_bench: MakeBench) -> None:
    bench = make_bench()
    heard_as(bench, escaped)
    with (
        pytest.raises(PlantFault, match="it is set up with AP=2, expected AP=1"),
        bench.plant,
    ):
        bench.walk(20.0)
    assert not bench.far.firmware.running


def test_a_restart_of_the_radio_is_told(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench()
    with bench.plant:
        bench.walk(0.5)
        frames = iter([xbee.ModemStatus(0).encode()])
        heard_as(bench, lambda answer: next(frames, b"") + answer.encode())
        bench.walk(0.5)
        assert bench.plant.counters()["radio_restarts"] == 1
    assert [each.message for each in caplog.records] == [
        "the radio has restarted, 1 in all: is its supply firm?"
    ]


def test_bit_errors_are_counted_and_survived(make_bench: MakeBench) -> None:
    bench = make_bench(air=AirConfig(bit_error_rate=1e-4, seed=1))
    with bench.plant:
        bench.far.faults.set("bit_errors")
        bench.walk(20.0)
        bench.far.faults.set()
    counters = bench.plant.counters()
    # of the answers 5 % arrive changed
    assert 5 < counters["checksum_errors"] + counters["timeouts"] < 120
    assert counters["resynchronisations"] > 5
    assert bench.far.distance > 2.0


def test_it_does_not_take_slow_legs_for_blocked_ones(make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant:
        for hertz in (0.0, 0.5, 1.0, 2.1, 9.0, 0.0, 9.0, 2.1):
            bench.walk(1.0, (2 * np.pi * hertz, 2 * np.pi * hertz))


@pytest.mark.parametrize("action", [[1.0], [1.0, 60.0], [-1.0, 1.0], [np.nan, 1.0]])
def test_commands_out_of_range_are_refused(action: list[float], make_bench: MakeBench) -> None:
    bench = make_bench()
    with bench.plant, pytest.raises(ValueError, match="expected .* rad/s"):
        bench.plant.command(np.array(action))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UserError, match="plant:=serial needs port:="):
        check_plant("hexapod", "serial", PlantOptions())
    with pytest.raises(UserError, match="plant:=serial needs mocap:="):
        make_plant(ROBOT, "serial", PlantOptions(port="/dev/ttyUSB0"))


def wait_for(condition: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_over_a_pseudo_terminal(tmp_path: Path) -> None:
    poses = PoseMailbox()
    far = FarSide(
        HexapodWorld(make_terrain("plain")),
        on_pose=lambda when, p, q: poses.put(StampedPose(when, p, q)),
    )
    port = tmp_path / "robot"
    # A loaded machine is no dead robot.
    config = {"poll_timeout": 0.3, "stall_time": 0.5}
    options = PlantOptions(port=str(port), poses=poses, hardware=config)

    def observed() -> bool:
        try:
            plant.observe()
        except PlantFault:
            return False
        return True

    with VelociroachEmulator(far, port) as emulator:
        plant = make_plant(ROBOT, "serial", options)
        with plant:
            assert isinstance(plant, HexapodRadio)
            with pytest.raises(LineError, match="used by another program"):
                SerialLine(str(port), 57600).open()
            for fault in ("silent", "unplugged"):
                until = time.monotonic() + 1.0
                while time.monotonic() < until:
                    plant.observe()
                    plant.command(np.array([30.0, 30.0]))
                emulator.set_faults(fault)
                wait_for(lambda: not observed())
                plant.stop()
                emulator.set_faults()
                wait_for(observed)
            assert far.distance > 0.1
            plant.command(np.array([30.0, 30.0]))
        assert not far.firmware.running
    assert not port.exists()
