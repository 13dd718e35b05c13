"""A run recorded without ROS is what the graph would have recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level

ROBOT = make_robot("hexapod")


def measured(k: int) -> Measurement:
    rng = np.random.default_rng(k)
    values = np.array([0.02 * k, 0, 0.05, 1, 0, 0, 0, *[0] * 6, k, 2 * k, 0.5, 0.6, 3.9])
    values[7:13] += 0.01 * rng.normal(size=6)
    return Measurement(round(1.0 + 0.1 * k, 9), values, 0.004)


def started(index: int, time: float, kind: str = "start") -> Event:
    return Event(kind, index, "turf", ("keyboard", "random"), time)


def record(path: Path) -> None:
    with RunRecorder(ROBOT.spec, path) as recorder:
        recorder.happened(started(1, 1.0))
        for k in range(5):
            recorder.measured(measured(k))
            action = np.array([3.0, 4.0 + k])
            recorder.answered(action, Checked(action, Level.RUN, ()), stopped=False)
        recorder.happened(started(1, 1.4, "stop"))
        recorder.measured(measured(5))
        held = Checked(np.zeros(2), Level.LATCHED, ("tip_over: tilt 2.00 rad", "more"))
        recorder.answered(None, held, stopped=True)


def test_a_recording_becomes_the_rollout_of_its_episode(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap")
    (rollout,) = rollouts_from_recording(tmp_path / "run.mcap")
    tags = {"terrain": "turf", "policy": "keyboard+random", "episode": "1"}
    assert tags.items() <= dict(rollout.tags).items()
    np.testing.assert_allclose(rollout.times, 1.0 + 0.1 * np.arange(5))
    np.testing.assert_array_equal(rollout.actions, [[3, 4], [3, 5], [3, 6], [3, 7]])
    expected = ROBOT.estimate(measured(3).values, measured(2).values, 0.1)
    np.testing.assert_allclose(rollout.states[3], expected, rtol=1e-5, atol=1e-6)


def test_safety_has_its_say(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap")
    stops = read_messages(tmp_path / "run.mcap", ["/hexapod/safety/state"])
    assert [m.message.data for m in stops] == [False, True]
    *_, last = read_messages(tmp_path / "run.mcap", ["/diagnostics"])
    line = last.message.status[0]
    assert (line.name, line.level, line.hardware_id) == ("hexapod/safety: state", 2, "hexapod")
    values = {pair.key: pair.value for pair in line.values}
    assert values == {"level": "LATCHED", "reasons": "tip_over: tilt 2.00 rad; more"}
    proposed = list(read_messages(tmp_path / "run.mcap", ["/hexapod/command/proposed"]))
    assert len(proposed) == 5  # where nothing was proposed nothing is there


def test_an_independent_reader_resolves_every_message(tmp_path: Path) -> None:
    rosbag2 = pytest.importorskip("rosbags.highlevel")
    record(tmp_path / "run.mcap")
    with rosbag2.AnyReader([tmp_path / "run.mcap"]) as reader:
        read = [
            (connection.topic, reader.deserialize(data, connection.msgtype))
            for connection, _, data in reader.messages()
        ]
    odometry = [message for name, message in read if name == "/hexapod/odom"]
    assert len(odometry) == 6 and odometry[3].pose.pose.position.x == 0.06
    assert odometry[3].header.frame_id == "map"


def test_a_robot_whose_commands_are_torques_and_whose_points_travel_as_poses(
    tmp_path: Path,
) -> None:
    arm = make_robot("pr2_arm")
    values = np.linspace(0.1, 1.0, len(arm.spec.measurement))
    torques = np.linspace(-1.0, 1.0, len(arm.spec.action))
    with RunRecorder(arm.spec, tmp_path / "run.mcap") as recorder:
        for k in range(3):
            recorder.measured(Measurement(0.1 * k, values))
            recorder.answered(torques, Checked(torques, Level.RUN, ()), stopped=False)
    (rollout,) = rollouts_from_recording(tmp_path / "run.mcap")
    np.testing.assert_allclose(rollout.actions, [torques] * 2, rtol=1e-6)


def test_nothing_is_made_where_nothing_came(tmp_path: Path) -> None:
    with RunRecorder(ROBOT.spec, tmp_path / "run.mcap") as recorder:
        recorder.judged(Checked(np.zeros(2), Level.LATCHED, ()), stopped=True)
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "run.mcap").write_text("precious")
    with pytest.raises(UserError, match="is there already: expected a new file"):
        RunRecorder(ROBOT.spec, tmp_path / "run.mcap")
