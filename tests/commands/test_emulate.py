import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.cli import main
from ros_mbmrl.commands.emulate import Schedule
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.line import SerialLine
from ros_mbmrl.plants.wire.xbee_decoder import Decoder

EMULATE = [sys.executable, "-m", "ros_mbmrl.cli", "emulate", "velociroach", "--terrain", "plain"]


def test_it_serves_until_it_is_interrupted_and_tells_the_truth(tmp_path: Path) -> None:
    report, link = tmp_path / "truth.json", tmp_path / "robot"
    words = [*EMULATE, "--link", str(link), "--json", str(report), "--path", "figure8"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        device = re.fullmatch(r"listening on (/dev/\S+)\n", first)
        assert device, first
        assert link.readlink() == Path(device[1])
        line = SerialLine(str(link), 57600)
        line.open()
        line.write(xbee.Transmit(1, v.who_am_i()).encode())
        decoder = Decoder()
        heard: list[xbee.Frame] = []
        for _ in range(100):  # at least 0.3 s
            heard += decoder.feed(line.read())
        assert isinstance(heard[0], xbee.Received)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(20) == 0
    assert re.search(r"s, 0.00 m walked, at \(-?0.000, -?0.000\) m, yaw", rest)
    results = json.loads(report.read_text())["results"]
    trace = results["poses"]
    assert results["time_s"] >= 0.05 * len(trace["x"]) > 0
    assert len(trace["time"]) == len(trace["x"]) == len(trace["y"]) == len(trace["yaw"])
    assert trace["time"][0] > 1e9  # time of day, as the stamps of poses
    assert not link.exists()


def test_poses_are_published() -> None:
    rclpy = pytest.importorskip("rclpy")
    from ros_mbmrl.nodes.mocap import listen_for_poses
    from ros_mbmrl.nodes.mocap_publisher import MocapPublisher

    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node("listener", context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    poses = listen_for_poses(node, "/mocap/robot/pose")
    publisher = MocapPublisher("/mocap/robot/pose")
    until = time.monotonic() + 20.0
    while poses.latest() is None and time.monotonic() < until:
        publisher.publish(1234.5, np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.1, 0.7, 0.5]))
        executor.spin_once(timeout_sec=0.05)
    pose = poses.latest()
    publisher.close()
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)
    assert pose is not None
    assert pose.time == 1234.5
    assert pose.position.tolist() == [1.0, 2.0, 3.0]
    assert pose.quaternion.tolist() == [0.5, 0.1, 0.7, 0.5]


def test_it_ends_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    main(["emulate", "velociroach", "--terrain", "plain", "--duration", "0.3"])
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("listening on /dev/")
    assert last.startswith("0.")


def test_faults_come_and_go_by_the_second() -> None:
    schedule = Schedule.of(["leg_left_middle@4", "silent@5", "bit_errors@6", "none@8", "half@9"])
    assert [fault.name for fault in schedule.of_twin] == ["leg_left_middle"]
    assert schedule.line_at(4.9) == frozenset()
    assert schedule.line_at(5.0) == {"silent"}
    assert schedule.line_at(7.0) == {"silent", "bit_errors"}
    assert schedule.line_at(8.5) == frozenset()
    assert schedule.line_at(99.0) == {"half"}


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("rain@3", "unknown fault 'rain': expected one of bit_errors"),
        ("silent", "fault 'silent': expected NAME@SECONDS"),
        ("silent@-1", "fault 'silent@-1': expected NAME@SECONDS"),
        ("payload@x", "expected NAME@SECONDS"),
    ],
)
def test_faults_that_are_not_understood(word: str, error: str) -> None:
    with pytest.raises(UserError, match=error):
        Schedule.of([word])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["toaster"], "unknown emulator 'toaster': expected one of rosbridge, velociroach"),
        (["velociroach", "--terrain", "ice"], "unknown terrain 'ice'"),
        (["velociroach", "--duration", "-1"], "duration: expected seconds from 0 up"),
        (["velociroach", "--noise", "-1"], "process_noise: expected 0 or more"),
        (["velociroach", "--path", "moon"], "unknown path 'moon'"),
    ],
)
def test_what_a_user_can_get_wrong(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["emulate", *words])
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert error in complaint
    assert complaint.count("\n") == 1
