"""Teleoperation in the graph: a virtual joystick or keys at a pseudo-terminal, a recording."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.driver import DriverNode
from ros_mbmrl.nodes.messages import to_stamp
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.recorder import RecorderNode
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.teleop import TeleopNode
from ros_mbmrl.robots.hexapod import SPEC

Until = Callable[[Callable[[], bool]], None]
DEADMAN, EPISODE, DISCARD, TERRAIN, STOP, SOURCE = 4, 7, 6, 0, 1, 2


def given(**parameters: Any) -> list[Parameter[Any]]:
    return [Parameter(name, value=value) for name, value in parameters.items()]


class Pad(Node):
    """A joystick that speaks 50 times a second, and listens to what comes of it."""

    def __init__(self, context: Any) -> None:
        super().__init__("pad", context=context)
        self.forward = self.turn = 0.0
        self.down: set[int] = set()
        self.silent, self.said = False, 0
        self.events: list[tuple[str, str, str]] = []
        self.proposed: list[tuple[float, ...]] = []
        self.stopped: list[bool] = []
        self.stamp: Callable[[], float] = lambda: 0  # [ns]
        self._joy = advertise(self, "joy")
        self.create_timer(0.02, self._speak)
        listen(self, "episode", self._on_episode)
        listen(self, "command/proposed", lambda m: self.proposed.append(tuple(m.velocity)))
        listen(self, "safety/state", lambda m: self.stopped.append(m.data))

    def click(self, button: int, until: Until, what: Callable[[], bool]) -> None:
        """Hold a button down until something has come of it."""
        self.say(until)
        self.down.add(button)
        until(what)
        self.down.discard(button)
        self.say(until)

    def say(self, until: Until) -> None:
        """Until it is known what is down now."""
        until(lambda: self._joy.get_subscription_count() == 2)  # the teleop's and the recorder's
        until(lambda said=self.said: self.said > said + 2)

    def told(self, *event: str) -> Callable[[], bool]:
        return lambda: event in self.events

    def _speak(self) -> None:
        if not self.silent:
            buttons = [int(k in self.down) for k in range(8)]
            self.said += 1
            message = Joy(axes=[self.turn, self.forward], buttons=buttons)
            message.header.stamp = to_stamp(int(self.stamp()))
            self._joy.publish(message)

    def _on_episode(self, message: Any) -> None:
        for line in message.status:
            assert (line.name, line.hardware_id) == ("hexapod/collect: episode", "hexapod")
            values = {pair.key: pair.value for pair in line.values}
            self.events.append((values["event"], values["index"], values["terrain"]))


class Rig:
    """Driver, safety, recorder, teleop and a pad, around a plant without physics."""

    def __init__(self, context: Any, plant: Any, path: Path, **teleop: Any) -> None:
        self.plant, self.path = plant, path
        awaited = "safety,recorder,teleop"
        self.driver = DriverNode(
            Ending(),
            lambda *_: plant.__enter__() and plant,
            context=context,
            parameter_overrides=given(await_nodes=awaited),
        )
        self.safety = SafetyNode(context=context, parameter_overrides=given(adaptation=False))
        self.recorder = RecorderNode(context=context, parameter_overrides=given(path=str(path)))
        self.ending = Ending()
        self.teleop = TeleopNode(self.ending, context=context, parameter_overrides=given(**teleop))
        self.pad = Pad(context)
        self.nodes = (self.driver, self.safety, self.recorder, self.teleop, self.pad)

    def recorded(self) -> list[str]:
        """What has been recorded of episodes, as far as its chunk is closed."""
        return [
            pair.value
            for recorded in read_messages(self.path)
            if recorded.topic.endswith("/episode")
            for line in recorded.message.status
            for pair in line.values
            if pair.key == "event"
        ]


def drives(rig: Rig) -> Callable[[], bool]:
    return lambda: bool(rig.plant.action.any())


def stands(rig: Rig) -> Callable[[], bool]:
    return lambda: not rig.plant.action.any()


def test_a_virtual_joystick_collects_two_episodes(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap", tags="carpet,turf")
    spin(*rig.nodes)
    pad = rig.pad
    pad.forward, pad.turn = 1.0, 0.0
    until(lambda: plant.now > 0.3)
    assert not plant.action.any()  # the stick alone is not enough
    pad.down.add(DEADMAN)
    until(drives(rig))
    pad.click(EPISODE, until, pad.told("start", "1", "carpet"))
    until(lambda now=plant.now: plant.now > now + 0.8)
    pad.click(TERRAIN, until, lambda: rig.teleop._session.terrain == "turf")
    pad.click(EPISODE, until, pad.told("stop", "1", "carpet"))
    pad.turn = 0.5
    pad.click(EPISODE, until, pad.told("start", "2", "turf"))
    until(lambda now=plant.now: plant.now > now + 0.8)
    pad.down.discard(DEADMAN)  # let go of in the middle
    until(stands(rig))
    until(lambda now=plant.now: plant.now > now + 0.4)
    pad.click(EPISODE, until, pad.told("stop", "2", "turf"))
    until(lambda: rig.recorded() == ["start", "stop"] * 2)
    carpet, turf = rollouts_from_recording(rig.path, "hexapod")
    half = 0.5 * SPEC.action_high
    assert carpet.tags["terrain"] == "carpet" and len(carpet) >= 6
    assert carpet.actions[-2].tolist() == pytest.approx(half.tolist())
    assert turf.actions[1].tolist() == pytest.approx((half * [0.5, 1.5]).tolist())
    assert turf.actions[-1].tolist() == [0.0, 0.0]


def test_one_zero_on_release_and_then_silence(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap")
    spin(*rig.nodes)
    rig.pad.forward = 1.0
    rig.pad.down.add(DEADMAN)
    until(lambda: any(any(action) for action in rig.pad.proposed))
    rig.pad.silent = True  # a joystick that is unplugged
    until(lambda: not any(rig.pad.proposed[-1]))
    count = len(rig.pad.proposed)
    until(lambda now=plant.now: plant.now > now + 0.5)
    assert len(rig.pad.proposed) == count
    assert not plant.action.any()


def test_chance_and_the_way_back_need_a_lone_joysticks_dead_man_button(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap")
    spin(*rig.nodes)
    pad, session = rig.pad, rig.teleop._session
    pad.click(SOURCE, until, lambda: session.source == "random")
    pad.click(EPISODE, until, pad.told("start", "1", "unknown"))
    until(lambda now=plant.now: plant.now > now + 0.4)
    assert not plant.action.any()
    pad.down.add(DEADMAN)
    until(drives(rig))
    pad.click(STOP, until, pad.told("stop", "1", "unknown"))
    until(stands(rig))
    pad.click(DISCARD, until, pad.told("discard", "1", "unknown"))


def test_a_joystick_that_never_changes_is_out_of_range_and_told(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path, capfd: Any
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap", still_timeout=1.0)
    spin(*rig.nodes)
    pad = rig.pad
    pad.forward = 1.0
    pad.down.add(DEADMAN)
    until(drives(rig))
    until(stands(rig))  # though the same goes on coming 50 times a second
    seen: list[str] = []
    told = "joystick: no change for 1 s"
    until(lambda: seen.append(capfd.readouterr().err) or told in "".join(seen))
    pad.forward = 0.9
    until(drives(rig))


def test_old_stamps_repeated_do_not_drive(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap")
    spin(*rig.nodes)
    pad = rig.pad
    pad.stamp = lambda: 1e9 * 1000 + pad.get_clock().now().nanoseconds % 10**15  # another clock
    pad.forward = 1.0
    pad.down.add(DEADMAN)
    until(drives(rig))
    old = pad.stamp()
    pad.stamp = lambda: old
    until(stands(rig))
    count = len(rig.pad.proposed)
    until(lambda now=plant.now: plant.now > now + 0.5)
    assert len(rig.pad.proposed) <= count + 1


def test_a_joystick_in_another_namespace_is_named_in_a_hint(
    context: Any, spin: Any, until: Until, capfd: Any
) -> None:
    now = [0.0]
    other = Node("joy_node", context=context)
    joys = other.create_publisher(Joy, "/joy", 5)
    teleop = TeleopNode(Ending(), lambda: now[0], context=context, namespace="/hexapod")
    spin(teleop, other)
    until(lambda: teleop.count_publishers("/joy") == 1)
    now[0] = 5.0
    hint = "joystick: nobody publishes /hexapod/joy; /joy has a publisher: start the joystick's"
    seen: list[str] = []
    until(lambda: seen.append(capfd.readouterr().err) or hint in "".join(seen))
    assert joys.get_subscription_count() == 0  # two robots would both hear it


class Typist:
    """Types at one end of a pseudo-terminal, and reads what is drawn there."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.ours)
        self.seen = b""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    @property
    def device(self) -> str:
        return os.ttyname(self.theirs)

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def _read(self) -> None:
        while not self._ended.is_set():
            if select.select([self.ours], [], [], 0.05)[0]:
                self.seen += os.read(self.ours, 4096)

    def hang_up(self) -> None:
        """Close the window."""
        self._ended.set()
        self._thread.join()
        for end in {self.ours, self.theirs} - {-1}:
            os.close(end)
        self.ours = self.theirs = -1


@pytest.fixture
def typist() -> Iterator[Typist]:
    made = Typist()
    yield made
    made.hang_up()


def test_keys_drive_and_the_view_is_drawn_beside_them(
    context: Any, plant: Any, typist: Typist, until: Until, spin: Any, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap", source="keyboard", tty=typist.device)
    spin(*rig.nodes)
    pad = rig.pad

    def typing(keys: str, what: Callable[[], bool]) -> Callable[[], bool]:
        def typed() -> bool:
            typist.type(keys)
            return what()

        return typed

    until(typing("w", drives(rig)))
    typist.type("\r")
    until(pad.told("start", "1", "unknown"))
    until(lambda: b"episode 1 on unknown" in typist.seen)
    until(typing("w", drives(rig)))
    typist.type(" ")
    until(pad.told("stop", "1", "unknown"))
    until(stands(rig))
    stop = pad.create_client(Trigger, "safety/stop")
    until(stop.service_is_ready)
    stop.call_async(Trigger.Request())
    until(lambda: bool(pad.stopped) and pad.stopped[-1])
    typist.type("\r")  # not while it is stopped
    until(lambda now=plant.now: plant.now > now + 0.3)
    until(typing("r", lambda: not pad.stopped[-1]))
    until(typing("w", drives(rig)))
    assert len(pad.events) == 2
    rig.teleop.close()
    assert termios.tcgetattr(typist.ours) == typist.before


def test_what_drives_by_itself_ends_with_its_terminal(
    context: Any, plant: Any, typist: Typist, until: Until, spin: Any, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap", source="random", tty=typist.device)
    spin(*rig.nodes)
    until(drives(rig))
    typist.hang_up()
    until(rig.ending.event.is_set)
    assert rig.ending.status == 1
    rig.teleop.close()
    until(stands(rig))


def test_the_running_episode_ends_with_the_node(
    context: Any, plant: Any, spin: Any, until: Until, tmp_path: Path
) -> None:
    rig = Rig(context, plant, tmp_path / "run.mcap", source="random", tags="gravel")
    spin(*rig.nodes)
    until(rig.pad.told("start", "1", "gravel"))
    until(drives(rig))
    rig.teleop.close()
    until(rig.pad.told("stop", "1", "gravel"))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"source": "parrot"}, "unknown source 'parrot'"),
        ({"source": "keyboard"}, "source keyboard: expected a terminal"),
        ({"source": "random", "tty": "/dev/null"}, "/dev/null is not a terminal"),
        ({"robot": "pr2_arm"}, "pr2_arm cannot be driven by hand"),
        ({"scale": 2.0}, "scale: expected above 0, up to 1"),
        ({"tags": "a, a"}, "tags: expected 1 to 9 different words"),
        ({"joy_timeout": 0.0}, "joy_timeout: expected above 0 s"),
        ({"still_timeout": -1.0}, "still_timeout: expected above 0 s"),
        ({"hold_timeout": 0.0}, "hold_timeout: expected above 0 s"),
        ({"deadman_button": -1}, "deadman_button: expected 0 or more"),
    ],
)
def test_parameters_are_checked(context: Any, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as error:
        TeleopNode(Ending(), context=context, parameter_overrides=given(**parameters))
    assert expected in str(error.value)


def test_the_robots_parameter_file_is_read() -> None:
    config = Path(__file__).resolve().parents[2] / "config" / "hexapod.yaml"
    code = (
        "import rclpy, sys; rclpy.init(args=sys.argv);"
        "from ros_mbmrl.nodes.process import Ending;"
        "from ros_mbmrl.nodes.teleop import TeleopNode;"
        "print(TeleopNode(Ending())._settings.stop_button)"
    )
    words = ["--ros-args", "-r", "__ns:=/hexapod", "--params-file", str(config)]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "1", done.stderr
