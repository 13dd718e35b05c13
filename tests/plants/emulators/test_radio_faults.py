"""Faults of the line and of motion capture, one by one."""

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.emulators.radio_faults import LineFaults
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.xbee_decoder import Decoder


def replies(data: bytes) -> list[xbee.Frame]:
    return Decoder().feed(data)


def faults(*names: str, rate: float = 0.01) -> LineFaults:
    made = LineFaults(np.random.default_rng(0), rate)
    made.set(*names)
    return made


ANSWER = xbee.Received(1, bytes(range(48)), 40)


def test_line_faults() -> None:
    whole = ANSWER.encode()
    assert faults().to_host(ANSWER) == faults().to_robot(whole) == whole
    assert faults("silent").to_host(ANSWER) == faults("silent").to_robot(whole) == b""
    assert faults("half").to_host(ANSWER) == whole[:28]
    garbage = faults("garbage").to_host(ANSWER)
    assert len(garbage) == 57 and garbage != whole
    (stranger,) = replies(faults("wrong_address").to_host(ANSWER))
    assert isinstance(stranger, xbee.Received) and stranger.source == 7


def test_bits_change_at_their_rate() -> None:
    line = faults("bit_errors", rate=0.01)
    changed = np.frombuffer(line.to_robot(bytes(100_000)), np.uint8)
    assert np.unpackbits(changed).mean() == pytest.approx(0.01, rel=0.05)


def test_an_unknown_line_fault_is_refused() -> None:
    with pytest.raises(UserError, match="unknown line fault 'rain': expected one of bit_errors"):
        faults("rain")


@pytest.mark.parametrize(
    ("fault", "ahead", "attitude"),
    [("zero_quaternion", 0.0, [0, 0, 0, 0]), ("pose_ahead", 1000.0, None)],
)
def test_faults_of_motion_capture(fault: str, ahead: float, attitude: list[float] | None) -> None:
    pose = np.array([1.0, 2.0, 0.0, 0.6, 0.8, 0.0, 0.0])
    time, position, quaternion = faults(fault).to_mocap(5.0, pose)
    assert time == 5.0 + ahead
    assert position.tolist() == [1.0, 2.0, 0.0]
    assert quaternion.tolist() == (attitude or [0.6, 0.8, 0.0, 0.0])
    assert faults().to_mocap(5.0, pose)[0] == 5.0
