"""The recorder: one new file a run, at most a second lost to a kill, a full disk in one line."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.reader import make_reader

from ros_mbmrl import cli
from ros_mbmrl.data.measurement_messages import measurement_topics
from ros_mbmrl.data.recording import CHUNK_SECONDS, read_messages, recording_info
from ros_mbmrl.nodes.messages import command_message
from ros_mbmrl.nodes.process import _deliver
from ros_mbmrl.nodes.qos import advertise
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.ros_environment import environment

ROBOT = make_robot("hexapod")
PATIENCE = 30.0  # [s] for a process to start, or to end
SPACE = f"/recorded_{os.getpid()}"  # no other graph in the domain is recorded along


class Sender:
    """Publishes the hexapod's state and command at 50 Hz, each stamped with when it was sent."""

    def __init__(self, node: Any) -> None:
        codec = SensorCodec(ROBOT.spec)
        self._codec = codec
        names = (*codec.topics, "command/safe")
        self._publishers = {name: advertise(node, name) for name in names}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        values = np.array([0, 0, 0.02, 1, *[0] * 14], dtype=float)
        while not self._stop.wait(0.02):
            stamp = time.time_ns()
            values = values + 1e-4
            messages = self._codec.encode(Measurement(stamp / 1e9, values), None)
            messages["command/safe"] = command_message(ROBOT.spec, np.ones(2), stamp)
            for name, message in messages.items():
                self._publishers[name].publish(message)

    def heard(self) -> bool:
        """Whether somebody listens to each topic."""
        return all(each.get_subscription_count() for each in self._publishers.values())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts recorder processes in the middleware domain of this process; ends them all."""
    processes: list[subprocess.Popen[str]] = []

    def started(path: Path, domain: int, **options: Any) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "ros_mbmrl.nodes.recorder", "--ros-args"]
        words += ["-r", f"__ns:={SPACE}", "-p", f"path:={path}"]
        variables = {**environment(os.environ), "ROS_DOMAIN_ID": str(domain)}
        process = subprocess.Popen(
            words, env=variables, stderr=subprocess.PIPE, text=True, **options
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def sender(context: Any) -> Iterator[Sender]:
    """Sends until the test ends."""
    import rclpy

    node = rclpy.create_node("sender", namespace=SPACE, context=context)
    made = Sender(node)
    yield made
    made.close()
    node.destroy_node()


def _growing(path: Path) -> Callable[[], bool]:
    """Whether something has been handed to the file beyond its head."""
    return lambda: path.is_file() and path.stat().st_size > 200


def _kill_at_random(
    paths: list[Path],
    start: Callable[..., subprocess.Popen[str]],
    context: Any,
    until: Callable[[Callable[[], bool]], None],
    rng: random.Random,
) -> list[float]:
    """How much of what was sent each of several recorders lost to its kill [s]."""
    processes = [start(path, context.get_domain_id()) for path in paths]
    killed = []
    for path, process in zip(paths, processes, strict=True):
        until(_growing(path))
        time.sleep(rng.uniform(0.0, 1.0))  # the moment is random: nothing is waited for
        killed.append(time.time())
        os.kill(process.pid, signal.SIGKILL)
    lost = []
    for path, process, moment in zip(paths, processes, killed, strict=True):
        assert process.wait(PATIENCE) == -signal.SIGKILL
        assert not recording_info(path).complete
        stamps = [
            recorded.message.header.stamp.sec + recorded.message.header.stamp.nanosec / 1e9
            for recorded in read_messages(path, [f"{SPACE}/odom"])
        ]
        assert stamps
        assert (np.diff(stamps) > 0).all()
        lost.append(moment - stamps[-1])
        print(f"{path.name}: {lost[-1]:.3f} s lost")
    return lost


def test_a_kill_loses_at_most_a_second_and_check_says_so(
    tmp_path: Path,
    sender: Sender,
    start: Callable[..., subprocess.Popen[str]],
    context: Any,
    until: Callable[[Callable[[], bool]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = [tmp_path / f"{k}.mcap" for k in range(6)]
    lost = _kill_at_random(paths, start, context, until, random.Random(4))
    assert max(lost) < CHUNK_SECONDS
    capsys.readouterr()
    with pytest.raises(SystemExit):  # 50 Hz is not the robot's rate
        cli.main(["data", "check", str(tmp_path), "--robot", "hexapod"])
    words = "incomplete: not closed by its recorder: at most its last 1 s is lost"
    assert capsys.readouterr().out.count(words) == 6


@pytest.mark.slow
@pytest.mark.parametrize("group", range(10))
def test_fifty_kills(
    group: int,
    tmp_path: Path,
    sender: Sender,
    start: Callable[..., subprocess.Popen[str]],
    context: Any,
    until: Callable[[Callable[[], bool]], None],
) -> None:
    paths = [tmp_path / f"{group}-{k}.mcap" for k in range(5)]
    lost = _kill_at_random(paths, start, context, until, random.Random(group))
    assert max(lost) < CHUNK_SECONDS


def test_a_signal_closes_the_file_with_everything_in_it(
    tmp_path: Path,
    sender: Sender,
    start: Callable[..., subprocess.Popen[str]],
    context: Any,
    until: Callable[[Callable[[], bool]], None],
) -> None:
    path = tmp_path / "new" / "run.mcap"
    process = start(path, context.get_domain_id())
    until(_growing(path))
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    info = recording_info(path)
    assert info.complete
    assert (path.parent / "metadata.yaml").is_file()
    sent_before_it_came(path)
    assert {f"{SPACE}/{name}" for name in ("odom", "imu", "command/safe")} <= set(info.topics)
    # A transform a measurement, made here, of which every part came.
    assert info.topics["/tf_static"].messages == 1
    names = [f"{SPACE}/{name}" for name in measurement_topics(make_robot("hexapod").spec)]
    whole = set.intersection(*(set(stamps_of(path, name)) for name in names))
    assert len(whole) - 1 <= info.topics["/tf"].messages <= len(whole)


def test_what_a_paused_recorder_missed_is_sent_again_before_its_sender_leaves(
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    context: Any,
    until: Callable[[Callable[[], bool]], None],
) -> None:
    """More than a socket's buffer holds, while the recorder does not run."""
    import rclpy
    from geometry_msgs.msg import PoseStamped
    from nav_msgs.msg import Path as NavPath

    path, count = tmp_path / "run.mcap", 20
    process = start(path, context.get_domain_id())
    node = rclpy.create_node("sender", namespace=SPACE, context=context)
    codec = SensorCodec(ROBOT.spec)
    publishers = {name: advertise(node, name) for name in codec.topics}
    values = np.array([0, 0, 0.02, 1, *[0] * 14], dtype=float)
    growing, steps = _growing(path), iter(range(10**6))
    plan = advertise(node, "plan")

    def publish(plans: int = 0) -> int:
        step = next(steps)
        for _ in range(plans):
            plan.publish(NavPath(poses=[PoseStamped()] * 150))
        for name, message in codec.encode(Measurement(0.02 * step, values), None).items():
            publishers[name].publish(message)
        return step

    until(lambda: publish() >= 0 and growing())  # both ends know of each other
    process.send_signal(signal.SIGSTOP)
    last = [publish(plans=1) for _ in range(count)]
    leaving = threading.Thread(target=_deliver, args=([node],))
    leaving.start()
    process.send_signal(signal.SIGCONT)
    leaving.join()
    node.destroy_node()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    for name in codec.topics:
        expected = [20_000_000 * step for step in last]
        assert stamps_of(path, f"{SPACE}/{name}")[-count:] == expected


def stamps_of(path: Path, name: str) -> list[int]:
    """Stamps [ns] of the messages of a topic."""
    headers = (recorded.message.header for recorded in read_messages(path, [name]))
    return [header.stamp.sec * 10**9 + header.stamp.nanosec for header in headers]


def sent_before_it_came(path: Path) -> None:
    """Messages carry when they were sent and, later, when they came."""
    with path.open("rb") as stream:
        messages = [m for _, _, m in make_reader(stream).iter_messages(topics=[f"{SPACE}/odom"])]
    stamps = stamps_of(path, f"{SPACE}/odom")
    assert len(messages) > 5
    for stamp, message in zip(stamps, messages, strict=True):
        assert stamp <= message.publish_time <= message.log_time
    assert any(message.publish_time < message.log_time for message in messages)


def test_a_file_that_is_there_is_not_written_over(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], context: Any
) -> None:
    path = tmp_path / "run.mcap"
    path.write_text("precious")
    process = start(path, context.get_domain_id())
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert said.strip() == f"{path}: is there already: expected a new file"
    assert path.read_text() == "precious"


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_what_was_written(
    tmp_path: Path, sender: Sender, start: Callable[..., subprocess.Popen[str]], context: Any
) -> None:
    path = tmp_path / "run.mcap"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    process = start(path, context.get_domain_id(), preexec_fn=limit)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    # The middleware, which has its own files in memory, complains about the limit before.
    assert said.splitlines()[-1] == (
        f"{path}: cannot be written on (File too large); what was recorded until now can be read"
    )
    assert "Traceback" not in said
    info = recording_info(path)
    assert not info.complete
    assert info.topics[f"{SPACE}/odom"].messages > 10
