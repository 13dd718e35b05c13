import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.plants.emulators.velociroach import AirConfig, FarSide, VelociroachEmulator
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.xbee_decoder import Decoder
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.world import HexapodWorld

ASK = xbee.Transmit(0x0001, v.set_vel_get_imu(0, 0)).encode()


def far_side(**more: object) -> FarSide:
    far = FarSide(HexapodWorld(make_terrain("plain")), **more)  # type: ignore[arg-type]
    far.begin(50.0)
    return far


def until(far: FarSide, end: float) -> bytes:
    out = b""
    while far.next_event <= end:
        out += far.advance(far.next_event)
    return out + far.advance(end)


def replies(data: bytes) -> list[xbee.Frame]:
    return Decoder().feed(data)


def test_bytes_take_their_time_both_ways() -> None:
    far = far_side()
    until(far, 50.5)
    far.receive(ASK, 50.5)
    done = 50.5 + (15 + 57) * 10 / 57600
    assert far.advance(done - 1e-6) == b""
    assert len(far.advance(done + 1e-6)) == 57


def test_requests_queue_on_the_line() -> None:
    far = far_side()
    for _ in range(3):
        far.receive(ASK, 50.5)
    first = 50.5 + (15 + 57) * 10 / 57600
    second = first + 57 * 10 / 57600
    assert len(far.advance(second + 1e-6)) == 2 * 57
    assert len(far.advance(52.0)) == 57


def test_a_slow_line_is_slower() -> None:
    far = far_side(config=AirConfig(baud=9600))
    far.receive(ASK, 50.0)
    assert far.advance(50.0 + 70 * 10 / 9600) == b""
    assert len(far.advance(50.0 + 73 * 10 / 9600)) == 57


def test_only_its_own_address_is_answered() -> None:
    far = far_side()
    far.receive(xbee.Transmit(2, v.who_am_i()).encode(), 50.0)
    assert far.advance(50.1) == b""
    far.receive(xbee.Transmit(1, v.who_am_i()).encode(), 50.1)
    (answer,) = replies(far.advance(50.2))
    assert isinstance(answer, xbee.Received)
    assert answer.source == 1


def test_poses_are_those_of_motion_capture() -> None:
    poses: list[tuple[float, np.ndarray, np.ndarray]] = []
    far = far_side(on_pose=lambda when, p, q: poses.append((when, p, q)))
    until(far, 51.0)
    times = np.array([when for when, _, _ in poses])
    assert len(poses) == 100
    assert np.diff(times)[1:] == pytest.approx(0.01)
    assert times[-1] == pytest.approx(50.99)  # 10 ms late
    assert poses[-1][1] == pytest.approx([0, 0, 0.02], abs=0.02)
    assert np.linalg.norm(poses[-1][2]) == pytest.approx(1.0)


def test_a_machine_that_slept_does_not_walk_on() -> None:
    far = far_side()
    until(far, 51.0)
    far.advance(3000.0)
    assert far.world.time == pytest.approx(1.0, abs=0.02)
    assert 3000.0 < far.next_event <= 3000.011
    assert far.pauses == [(pytest.approx(51.0, abs=0.02), 3000.0)]


def test_it_tells_when_its_motors_turned_however_late_it_is_asked() -> None:
    far = far_side()
    packets = [v.set_vel_get_imu(50, 50), v.start_timed_run(220)]
    far.receive(b"".join(xbee.Transmit(0x0001, each).encode() for each in packets), 50.0)
    far.advance(50.4)  # at once: this machine was busy
    arrived = 50.0 + sum(len(xbee.Transmit(0x0001, each).encode()) for each in packets) * 10 / 57600
    (begun, on), (ended, off) = far.driven
    assert on
    assert not off
    assert begun == pytest.approx(arrived, abs=1e-6)
    assert ended == pytest.approx(arrived + 0.22, abs=0.021)
    assert not far.pauses


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="baud"):
        AirConfig(baud=0)
    with pytest.raises(ValueError, match="bit_error_rate"):
        AirConfig(bit_error_rate=2)


def test_it_answers_on_a_pseudo_terminal(tmp_path: Path) -> None:
    link = tmp_path / "robot"
    with VelociroachEmulator(FarSide(HexapodWorld(make_terrain("plain"))), link) as emulator:
        assert os.readlink(link) == emulator.device
        port = os.open(link, os.O_RDWR | os.O_NOCTTY)
        os.write(port, xbee.Transmit(1, v.who_am_i()).encode())
        data, end = b"", time.monotonic() + 10.0
        while not replies(data) and time.monotonic() < end:
            data += os.read(port, 100)
        (answer,) = replies(data)
        assert isinstance(answer, xbee.Received)
        assert answer.data[2:] == b"VelociRoACH twin, emulated radio"
        os.close(port)
    assert not link.exists()


def test_unplugging_takes_the_port_away(tmp_path: Path) -> None:
    link = tmp_path / "robot"
    with VelociroachEmulator(FarSide(HexapodWorld(make_terrain("plain"))), link) as emulator:
        gone = threading.Event()
        emulator.set_faults("unplugged")
        end = time.monotonic() + 10.0
        while link.is_symlink() and time.monotonic() < end:
            gone.wait(0.01)
        assert not link.is_symlink()
        emulator.set_faults()
        while not link.exists() and time.monotonic() < end:
            gone.wait(0.01)
        assert os.readlink(link) == emulator.device
