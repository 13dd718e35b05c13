"""A recording is a bag to others: its folder, its times, and what its topics are offered with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.reader import make_reader

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data.bag import METADATA, qos_text
from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.data.recording import RecordingWriter
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level
from ros_mbmrl.topics import QOS, TOPICS, Qos, topic

rosbag2 = pytest.importorskip("rosbags.rosbag2")
SPEC = make_robot("hexapod").spec


@pytest.fixture(autouse=True)
def _definitions() -> None:
    try:
        definition("sensor_msgs/msg/JointState")
    except UserError as error:
        pytest.skip(str(error))


def record(path: Path, steps: int = 5) -> None:
    with RunRecorder(SPEC, path) as recorder:
        recorder.happened(Event("start", 1, "turf", ("random",), 1.0))
        for k in range(steps):
            recorder.measured(Measurement(1 + 0.1 * k, np.ones(len(SPEC.measurement))))
            recorder.answered(np.ones(2), Checked(np.ones(2), Level.RUN, ()), stopped=False)


def test_the_folder_of_a_run_is_a_bag(tmp_path: Path) -> None:
    record(tmp_path / "run" / "a.mcap")
    with rosbag2.Reader(tmp_path / "run") as reader:
        count = {connection.topic: connection.msgcount for connection in reader.connections}
        assert count["/hexapod/odom"] == 5
        assert count["/hexapod/safety/state"] == 1
        assert reader.message_count == sum(count.values())
        assert (reader.start_time, reader.end_time) == (10**9, 1_400_000_001)
        read = list(reader.messages())
    assert len(read) == sum(count.values())


def test_a_reader_of_any_bag_takes_the_folder(tmp_path: Path) -> None:
    highlevel = pytest.importorskip("rosbags.highlevel")
    record(tmp_path / "a.mcap")
    with highlevel.AnyReader([tmp_path]) as reader:
        odometry = [
            reader.deserialize(data, connection.msgtype)
            for connection, _, data in reader.messages()
            if connection.topic == "/hexapod/odom"
        ]
    assert [message.header.frame_id for message in odometry] == ["map"] * 5


def test_a_folder_of_several_runs_is_no_bag_and_every_file_opens(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        record(tmp_path / f"{name}.mcap")
        assert (tmp_path / METADATA).exists() == (name == "a")
        with rosbag2.Reader(tmp_path / f"{name}.mcap") as reader:
            assert len(list(reader.messages())) > 5
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mcap", "b.mcap", "c.mcap"]


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    for text in ("rosbag2_bagfile_information: {version: 9, custom_data: {}}", "[", ""):
        (tmp_path / METADATA).write_text(text)
        record(tmp_path / "a.mcap")
        assert (tmp_path / METADATA).read_text() == text
        (tmp_path / "a.mcap").unlink()


def test_a_recording_without_messages_and_one_that_is_discarded_leave_nothing_beside(
    tmp_path: Path,
) -> None:
    RecordingWriter(tmp_path / "a.mcap").close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.mcap"]
    (tmp_path / "a.mcap").unlink()
    record(tmp_path / "a.mcap")
    RecordingWriter(tmp_path / "b.mcap").discard()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mcap", METADATA]


def test_a_folder_that_takes_no_more_files_leaves_the_recording_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    record(tmp_path / "a.mcap")
    assert not (tmp_path / METADATA).exists()
    with rosbag2.Reader(tmp_path / "a.mcap") as reader:
        assert len(list(reader.messages())) > 5


def test_every_topic_is_recorded_with_what_it_is_offered_with(tmp_path: Path) -> None:
    record(tmp_path / "a.mcap")
    with (tmp_path / "a.mcap").open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    for channel in summary.channels.values():
        name = channel.topic.removeprefix("/hexapod/")
        told = channel.metadata["offered_qos_profiles"]
        assert told == qos_text(QOS[topic(name).qos]), name
        latched = "durability: transient_local" in told
        assert latched == (name in ("safety/state", "reference", "episode", "/tf_static"))


@pytest.mark.parametrize("known", TOPICS, ids=lambda known: known.name)
def test_played_back_a_topic_matches_its_subscribers(known: Any) -> None:
    qos = pytest.importorskip("rclpy.qos")
    from rosbags.rosbag2.metadata import parse_qos

    from ros_mbmrl.nodes.qos import PROFILES

    (told,) = parse_qos(qos_text(QOS[known.qos]))
    profile = PROFILES[known.qos]
    assert told.history.name == profile.history.name
    assert told.reliability.name == profile.reliability.name
    assert told.durability.name == profile.durability.name
    assert told.liveliness.name in ("AUTOMATIC", profile.liveliness.name)
    assert told.depth == profile.depth
    offered = qos.QoSProfile(
        depth=told.depth,
        reliability=qos.ReliabilityPolicy[told.reliability.name],
        durability=qos.DurabilityPolicy[told.durability.name],
    )
    assert qos.qos_check_compatible(offered, profile)[0] != qos.QoSCompatibility.ERROR


def test_a_quality_of_service_that_is_not_known_is_not_told() -> None:
    assert qos_text(None) == ""
    assert "best_effort" in qos_text(Qos(5, reliable=False))


def test_a_run_goes_to_sqlite3_and_back_without_loss(tmp_path: Path) -> None:
    record(tmp_path / "run" / "a.mcap")
    convert = str(Path(sys.executable).with_name("rosbags-convert"))
    for source, target, storage in (("run", "other", "sqlite3"), ("other", "back", "mcap")):
        words = ("--src", source, "--dst", target, "--dst-storage", storage)
        subprocess.run([convert, *words], cwd=tmp_path, check=True, timeout=120)
    assert list((tmp_path / "other").glob("*.db3"))
    before = contents(tmp_path / "run")
    assert contents(tmp_path / "other") == contents(tmp_path / "back") == before


def contents(folder: Path) -> list[tuple[str, str, int, bytes]]:
    """Return topic, type, time and bytes of every message, and nothing that a copy may change."""
    with rosbag2.Reader(folder) as reader:
        return sorted(
            (c.topic, c.msgtype, time, bytes(data)) for c, time, data in reader.messages()
        )
