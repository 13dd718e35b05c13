"""The graph under test: started as `mbmrl launch` starts it, watched, broken, and let go again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import psutil
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from ros_mbmrl import bringup
from ros_mbmrl.bringup import NodeSpec
from ros_mbmrl.data.measurement_messages import measurement_topics
from ros_mbmrl.errors import RunError
from ros_mbmrl.nodes.disturber import DISTURBED, RAW
from ros_mbmrl.nodes.far_side import FarSide
from ros_mbmrl.nodes.fault_watch import FaultWatch
from ros_mbmrl.plants.emulators.radio_faults import DRIVEN, PAUSED
from ros_mbmrl.robots import make_robot
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import supervise

ROBOT = "hexapod"
START, SETTLE = 40.0, 8.0  # [s] for the graph to walk at first, and again
FRESH = 0.5  # [s] within which the graph must have been heard


def disturbed(specs: Sequence[NodeSpec], robot: str) -> list[NodeSpec]:
    """The graph with a disturber on every topic that carries the loop."""
    states = measurement_topics(make_robot(robot).spec)
    sent = {"driver": states, "adaptive": ("adaptation",)}
    received = {"driver": "command/safe", "safety": "command/proposed"}
    out = []
    for spec in specs:
        remapped = {topic: topic + RAW for topic in sent.get(spec.name, ())}
        if spec.name in received:
            remapped[received[spec.name]] = received[spec.name] + DISTURBED
        parameters = dict(spec.parameters)
        if "await_nodes" in parameters:
            parameters["await_nodes"] = "disturber"
        out.append(replace(spec, parameters=MappingProxyType(parameters), remappings=remapped))
    topics = ",".join([*states, "adaptation", *received.values()])
    own = MappingProxyType({"robot": robot, "topics": topics})
    return [NodeSpec("disturber", "disturber", f"/{robot}", own), *out]


class GraphUnderTest:
    """A context: the graph walks inside of it, and every process has ended behind it.

    A robot that is collected with is driven by the watch's gamepad.
    """

    def __init__(
        self,
        words: Sequence[str],
        recording: Path,
        disturb: bool,
        emulator: Emulator | FarSide | None = None,
        graph: str = "adapt",
        robot: str = ROBOT,
    ) -> None:
        self.recording, self.emulator, self._robot = recording, emulator, robot
        self._words = [graph, *words, f"recording:={recording}"]
        self._by_gamepad = graph == "collect"
        self._by_chance = "source:=random" in words
        specs = bringup.graph(graph, self._words[1:])
        self._specs = disturbed(specs, ROBOT) if disturb else specs
        self._disturb = disturb
        self.lines: list[tuple[float, str]] = []
        self._over = threading.Event()
        self._context = rclpy.Context()

    def __enter__(self) -> GraphUnderTest:
        self._context.init(args=[], domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        far = self.emulator if isinstance(self.emulator, FarSide) else None
        self.watch = FaultWatch(
            self._disturb,
            mocap="/mocap/hexapod/pose" if self.emulator else "",
            poses=None if far is None else far.poses,
            context=self._context,
            namespace=f"/{self._robot}",
        )
        self._placed = far is None or far.placed
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.watch)
        self.watch.gamepad.pressed = self._by_gamepad
        threading.Thread(target=self._spin, daemon=True).start()
        self._runner = threading.Thread(target=self._supervise, daemon=True)
        self._runner.start()
        if not self.walks(START):
            self.__exit__(None, None, None)
            said = self.lines[-1][1] if self.lines else "nothing was said"
            raise RunError(f"the graph does not walk: {said}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in ("safety", "driver"):  # whoever was paused
            self.signal(name, signal.SIGCONT)
        self.signal("driver", signal.SIGINT)
        self._runner.join(30.0)
        self._context.try_shutdown()

    @property
    def ended(self) -> bool:
        """Return whether every process has ended."""
        return self._over.is_set()

    def walks(self, patience: float) -> bool:
        """Wait until the robot is told to walk, resetting and steering it; whether it is."""
        until = time.monotonic() + patience
        steered = time.monotonic() if self._by_chance else 0.0
        while time.monotonic() < until and not self.ended:
            now = time.monotonic()
            if self.watch.seen.stopped:
                self.watch.reset()
            if now - steered > 1.0:
                steered = now
                if self._by_chance:  # what drives at random rests after a stop
                    self.watch.gamepad.begin()
                elif not self._by_gamepad:
                    self.watch.walk()
            if self._walking(now):
                return True
            time.sleep(0.02)
        return False

    def _walking(self, now: float) -> bool:
        seen = self.watch.seen
        heard: list[list[Any]] = [seen.driver, seen.safety, *([seen.poses] if self._placed else [])]
        if not all(heard):
            return False
        fresh = min(each[-1][0] for each in heard) > now - FRESH
        recent = [values for when, values in seen.driver[-3:] if when > now - FRESH]
        moving = len(recent) == 3 and all(any(values["commanded"]) for values in recent)
        return fresh and moving and seen.safety[-1][1] in ("RUN", "LIMITED")

    def process(self, name: str) -> psutil.Process | None:
        """The process of a node."""
        module = f"ros_mbmrl.nodes.{name}"
        for child in psutil.Process().children(recursive=True):
            try:
                if module in child.cmdline():
                    return child
            except psutil.Error:
                continue
        return None

    def signal(self, name: str, kind: signal.Signals) -> None:
        """Send a signal to a node's process, if it is there."""
        process = self.process(name)
        if process is not None:
            process.send_signal(kind)

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _supervise(self) -> None:
        def echo(line: str) -> None:
            self.lines.append((time.monotonic(), line))

        try:
            echo(supervise(self._specs, echo=echo).reason)
        finally:
            self._over.set()


class LaunchUnderTest(GraphUnderTest):
    """The same, with `mbmrl launch` as a process of its own, which can be killed."""

    _launch: psutil.Process
    _nodes: Sequence[psutil.Process] = ()

    def kill(self) -> None:
        """Kill the launch; its nodes are nobody's children then."""
        self._nodes = self._launch.children()
        self._launch.kill()

    def _supervise(self) -> None:
        words = [sys.executable, "-m", "ros_mbmrl.cli", "launch", *self._words]
        with subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as launch:
            self._launch = psutil.Process(launch.pid)
            assert launch.stdout is not None
            for line in launch.stdout:
                self.lines.append((time.monotonic(), line.rstrip()))
        psutil.wait_procs(self._nodes, timeout=START)
        left = [node for node in self._nodes if node.is_running()]
        said = f"{len(left)} nodes drive on" if left else "every node ended with it"
        self.lines.append((time.monotonic(), f"the launch is gone, {said}"))
        self._over.set()


class Emulator:
    """`mbmrl emulate velociroach --control` in a process of its own.

    driven: (steady time, whether its motors turn from then on). pauses: stretches of the steady
    clock that its time left out, because the machine did not let it run.
    """

    def __init__(self, link: Path, noise: float, seed: int) -> None:
        words = [sys.executable, "-m", "ros_mbmrl.cli", "emulate", "velociroach", "--control"]
        words += ["--link", str(link), "--noise", str(noise), "--seed", str(seed)]
        self.driven: list[tuple[float, bool]] = []
        self.pauses: list[tuple[float, float]] = []
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(os.environ),
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline().startswith("listening on"):
            raise RunError("the emulated robot does not start")
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20.0)

    def seen(
        self, since: float, until: float
    ) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
        """See `FarSide.seen`; its commands are not judged. Times are the robot's own since then."""
        return own_time(self.driven, list(self.pauses), since), []

    def faults(self, *names: str) -> None:
        """Exactly these from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(names or ("none",)) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, *rest = line.split() or [""]
            if word == PAUSED:
                self.pauses.append((float(rest[0]), float(rest[1])))
            elif word == DRIVEN:
                self.driven.append((float(rest[1]), rest[0] == "1"))


def own_time(
    changes: Sequence[tuple[float, bool]], pauses: Sequence[tuple[float, float]], since: float
) -> list[tuple[float, bool]]:
    """Return changes (time, value), those after `since` less what pauses took of the time between.

    A robot that the machine does not let run stands still meanwhile: as long as it takes to stop is
    a matter of its own time.
    """
    return [
        (when - sum(max(0.0, min(end, when) - max(begin, since)) for begin, end in pauses), value)
        for when, value in changes
    ]


def wait(condition: Callable[[], Any], patience: float) -> bool:
    """Wait until it holds; whether it did in time."""
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def busy(count: int) -> list[subprocess.Popen[bytes]]:
    """Processes that keep a core each, before all others where that is allowed."""
    code = "import os\ntry:\n os.nice(-15)\nexcept OSError:\n pass\np = os.getppid()\n"
    code += "while os.getppid() == p:\n sum(range(10**6))"
    return [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]


COUNTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "safety: input": ("malformed", "repeated", "disordered", "foreign"),
        "driver: plant": ("checksum_errors", "skipped", "timeouts", "malformed", "reconnects"),
        "controller: timing": ("dropped", "skipped"),
    }
)


def counters(watch: FaultWatch, since: float, until: float) -> list[tuple[float, str, float]]:
    """Return the counters of the nodes as (time, name, value)."""
    rows = []
    for source, names in COUNTED.items():
        for when, values in watch.seen.others.get(source, ())[-2000:]:
            if since <= when <= until:
                node = source.partition(":")[0]
                found = ((name, values[name]) for name in names if name in values)
                rows += [(when, f"{node}: {n.replace('_', ' ')}", float(v)) for n, v in found]
    return sorted(rows)
