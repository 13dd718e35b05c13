"""A recorded run becomes the rollout that the loop saw."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data import from_recording
from ros_mbmrl.data.from_recording import rollout_from_recording
from ros_mbmrl.data.recording import Recorded
from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot

Values = np.ndarray
ROBOT = make_robot("hexapod")
NAMES = ["left_legs", "right_legs"]


def _vector(values: Values) -> SimpleNamespace:
    return SimpleNamespace(**dict(zip("xyz", values, strict=True)))


def _messages(stamp: int, m: Values) -> dict[str, SimpleNamespace]:
    header = SimpleNamespace(stamp=SimpleNamespace(sec=stamp // 10**9, nanosec=stamp % 10**9))
    turn = SimpleNamespace(w=m[3], x=m[4], y=m[5], z=m[6])
    pose = SimpleNamespace(pose=SimpleNamespace(position=_vector(m[:3]), orientation=turn))
    contents: dict[str, dict[str, Any]] = {
        "joint_states": {"name": NAMES, "position": list(m[13:15])},
        "odom": {"pose": pose},
        "imu": {"angular_velocity": _vector(m[7:10]), "linear_acceleration": _vector(m[10:13])},
        "back_emf": {"name": NAMES, "effort": list(m[15:17])},
        "battery": {"voltage": m[17]},
        "command/safe": {"name": NAMES, "velocity": [stamp / 1e9, 2.0]},
    }
    return {topic: SimpleNamespace(header=header, **fields) for topic, fields in contents.items()}


def _run(steps: int = 6) -> list[tuple[int, Values]]:
    generator = np.random.default_rng(0)
    rows = []
    for k in range(steps):
        noise = 0.01 * generator.normal(size=18)
        values = np.array([0.02 * k, 0, 0.05, 1, *[0] * 9, k, 2 * k, 0.5, 0.6, 3.9]) + noise
        values[3:7] /= np.linalg.norm(values[3:7])
        rows.append((10**9 + k * 10**8, values))
    return rows


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """What the recording is said to hold, in an order of its own."""
    content = [
        Recorded(f"/hexapod/{topic}", "", stamp, message)
        for stamp, values in _run()
        for topic, message in reversed(_messages(stamp, values).items())
    ]
    monkeypatch.setattr(from_recording, "read_messages", lambda path: iter(content))
    return content


def test_states_are_the_estimators_and_commands_answer_them(recorded: list[Recorded]) -> None:
    rollout = rollout_from_recording(Path("run.mcap"), ROBOT)
    run = _run()
    expected = ROBOT.estimate(run[3][1], run[2][1], 0.1)
    np.testing.assert_allclose(rollout.states[3], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rollout.actions[:, 0], [1.0, 1.1, 1.2, 1.3, 1.4], rtol=1e-6)
    np.testing.assert_allclose(rollout.times, 1 + 0.1 * np.arange(6))
    assert not rollout.marks.any()


def test_a_missing_part_leaves_a_marked_gap(recorded: list[Recorded]) -> None:
    odometry = [r for r in recorded if r.topic.endswith("odom")]
    recorded.remove(odometry[2])
    rollout = rollout_from_recording(Path("run.mcap"), ROBOT)
    assert len(rollout) == 4
    assert np.flatnonzero(rollout.marks & Mark.GAP).tolist() == [1, 2]


def test_a_missing_command_holds_the_one_before(recorded: list[Recorded]) -> None:
    commands = [r for r in recorded if r.topic.endswith("command/safe")]
    for index in (0, 3):
        recorded.remove(commands[index])
    rollout = rollout_from_recording(Path("run.mcap"), ROBOT)
    np.testing.assert_allclose(rollout.actions[:, 0], [0.0, 1.1, 1.2, 1.2, 1.4], rtol=1e-6)


def test_too_little_is_refused(recorded: list[Recorded]) -> None:
    del recorded[7:]
    with pytest.raises(UserError, match="1 steps with all of joint_states"):
        rollout_from_recording(Path("run.mcap"), ROBOT)


def test_a_command_for_another_robot_is_refused(recorded: list[Recorded]) -> None:
    for r in recorded:
        if r.topic.endswith("command/safe"):
            r.message.name = ["l_wrist_roll"]
    with pytest.raises(UserError, match="a command names"):
        rollout_from_recording(Path("run.mcap"), ROBOT)


def test_what_the_nodes_send_comes_back_from_the_file(tmp_path: Path) -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    from ros_mbmrl.bringup import topic
    from ros_mbmrl.data.recording import RecordingWriter
    from ros_mbmrl.nodes.messages import command_message
    from ros_mbmrl.nodes.sensors import SensorCodec
    from ros_mbmrl.plants.base import Measurement

    codec = SensorCodec(ROBOT.spec)
    with RecordingWriter(tmp_path / "run.mcap") as writer:
        for stamp, values in _run():
            messages: dict[str, Any] = codec.encode(Measurement(stamp / 1e9, values), None)
            messages["command/safe"] = command_message(ROBOT.spec, np.array([3.0, 4.0]), stamp)
            for name, message in messages.items():
                data = serialization.serialize_message(message)
                writer.write_raw(f"/hexapod/{name}", topic(name).type, data, stamp, stamp)
    rollout = rollout_from_recording(tmp_path / "run.mcap", ROBOT)
    run = _run()
    expected = ROBOT.estimate(run[4][1], run[3][1], 0.1)
    np.testing.assert_allclose(rollout.states[4], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(rollout.actions, [[3.0, 4.0]] * 5)
    assert not rollout.marks.any()
