"""Every fault of the catalogue, injected into the real graph, one after the other."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ros_mbmrl.bringup import AT_REST
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.faults.catalogue import (
    DIVERGING,
    ENDS,
    JOY_TIMEOUT,
    STILL_TIMEOUT,
    STOPS,
    Fault,
)
from ros_mbmrl.faults.robot_faults import GRAPH as TOPICS
from ros_mbmrl.faults.robot_faults import SAFETY_STOP, Played
from ros_mbmrl.faults.rows import MASS, Evidence, row
from ros_mbmrl.faults.starts import refused_start
from ros_mbmrl.nodes.far_side import FarSide
from ros_mbmrl.nodes.fault_graph import (
    ROBOT,
    SETTLE,
    Emulator,
    GraphUnderTest,
    LaunchUnderTest,
    busy,
    counters,
    wait,
)
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import described

BEFORE = 1.0  # [s] before a fault that count as how it was
GRACE = 0.6  # [s] after which a robot that should stop counts as not stopped
Row = dict[str, Any]


class Campaign:
    """Runs faults and makes their rows.

    tell(row): called with each as soon as it is known. played: the robot of a file that the
    campaign plays on its topics; None: all is tried on the hexapod.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[Row], None],
        noise: float,
        seed: int,
        played: Played | None = None,
    ) -> None:
        self._folder, self._tell, self._noise, self._seed = folder, tell, noise, seed
        self._played = played
        self._spec = make_robot(ROBOT if played is None else played.robot).spec
        self._count = 0

    def run(self, chosen: Mapping[str, Sequence[Fault]]) -> list[Row]:
        """All these faults, by the graph that they are tried on."""
        rows: list[Row] = []
        for graph, faults in chosen.items():
            tried = {
                TOPICS: self._topics,
                "pty": self._pty,
                "ros_time": self._ros_time,
                "composed": self._composed,
                "launch": self._launch,
                "physics": self._physics,
                "gamepad": self._gamepad,
                "start": self._start,
            }
            rows += tried.get(graph, self._twin)(graph, faults) if faults else []
        return rows

    def _twin(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        words = [f"noise:={self._noise}", f"seed:={self._seed}"]
        return self._on(graph, faults, lambda path: GraphUnderTest(words, path, disturb=True))

    def _physics(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        words = [f"noise:={self._noise}", f"seed:={self._seed}"]
        words.append(f"fault:=broken_physics@{DIVERGING}")
        return self._on(graph, faults, lambda path: GraphUnderTest(words, path, False))

    def _gamepad(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        node = f"/{ROBOT}/teleop"
        params = self._parameters(node, joy_timeout=JOY_TIMEOUT, still_timeout=STILL_TIMEOUT)
        words = [f"noise:={self._noise}", f"seed:={self._seed}", "source:=joystick", params]
        start = partial(GraphUnderTest, words, disturb=False, graph="collect")
        return self._on(graph, faults, start)

    def _pty(
        self,
        graph: str,
        faults: Sequence[Fault],
        more: Sequence[str] = (),
        kind: type[GraphUnderTest] = GraphUnderTest,
    ) -> list[Row]:
        link = self._folder / "robot"
        words = ["plant:=serial", f"port:={link}", f"seed:={self._seed}", *more]
        with Emulator(link, self._noise, self._seed) as emulator:
            return self._on(graph, faults, lambda path: kind(words, path, False, emulator))

    def _ros_time(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        return self._pty(graph, faults, [self._parameters("/**", use_sim_time=True)])

    def _composed(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        return self._pty(graph, faults, ["composed:=true"])

    def _launch(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        return self._pty(graph, faults, kind=LaunchUnderTest)

    def _topics(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        assert self._played is not None
        words, kind = [*self._played.words, f"seed:={self._seed}"], self._played.graph
        description = described()[self._played.robot]
        with FarSide(description, self._played.timeout, self._seed) as far:
            start = partial(GraphUnderTest, words, disturb=False, emulator=far, graph=kind)
            return self._on(graph, faults, partial(start, robot=self._played.robot))

    def _parameters(self, node: str, **values: Any) -> str:
        """Write a parameter file; the launch argument that names it."""
        path = self._folder / "params.yaml"
        path.write_text(yaml.safe_dump({node: {"ros__parameters": values}}))
        return f"params:={path}"

    def _on(
        self, name: str, faults: Sequence[Fault], start: Callable[[Path], GraphUnderTest]
    ) -> list[Row]:
        """Faults in turn on one graph; after one that ends it or that it does not survive, anew."""
        rows: list[Row] = []
        left = list(faults)
        while left:
            self._count += 1
            path = self._folder / f"{name}-{self._count}.mcap"
            path.unlink(missing_ok=True)
            tried: list[tuple[Fault, Evidence]] = []
            with start(path) as graph:
                while left and not graph.ended:
                    fault = left.pop(0)
                    print(f"{name}: {fault.name}", flush=True)
                    tried.append((fault, self._try(graph, fault)))
                    if fault.expected == ENDS or tried[-1][1].recovered is False:
                        break
            gaps = Gaps(path)
            for fault, seen in tried:
                lost = gaps.lost(seen.began, fault)
                made = row(fault, name, replace(seen, lost_record=lost), self._spec)
                self._tell(made)
                rows.append(made)
        return rows

    def _try(self, graph: GraphUnderTest, fault: Fault) -> Evidence:
        graph.walks(SETTLE)
        if fault.how == "physics":
            wait(lambda: graph.watch.seen.walked >= DIVERGING - 0.1, DIVERGING)
        began = time.monotonic()
        refused = None
        with _injected(graph, fault) as answer:
            if answer:
                refused = (time.monotonic(), answer)
            if fault.expected == ENDS:
                wait(lambda: graph.ended, fault.hold + 15.0)
            else:
                hold = max(fault.hold, GRACE if fault.expected == STOPS else 0.0)
                wait(lambda: graph.ended, hold)
            until = time.monotonic()
        recovered: bool | None = None
        if fault.expected != ENDS:
            recovered = not graph.ended and graph.walks(SETTLE)
        # What a paused driver has to tell comes late.
        until = time.monotonic() if fault.how == "process" else until
        seen, since = graph.watch.seen, began - BEFORE
        said = [(w, line) for w, line in graph.lines if w >= began]
        ended = [(w, line) for w, line in said if "ended with" in line or "is paused" in line]
        rests = [float(line.split()[-1]) for _, line in said if f"[driver] {AT_REST}" in line]
        if fault.how == "process" and fault.target == "driver":
            rests = [began]  # the twin's time stands still with it; over the radio see the robot
        driven, arrived = graph.emulator.seen(began, until) if graph.emulator else ([], [])
        return Evidence(
            began=began,
            safety=[each for each in list(seen.safety) if since <= each[0] <= until],
            driver=[each for each in list(seen.driver) if since <= each[0] <= until],
            counters=counters(graph.watch, since, until),
            poses=[each for each in list(seen.poses) if began <= each[0] <= until],
            ended=ended,
            at_rest=min(rests, default=None),
            driven=driven,
            arrived=arrived,
            mass=MASS if self._played is None else None,
            refused=refused,
            recovered=recovered,
        )

    def _start(self, graph: str, faults: Sequence[Fault]) -> list[Row]:
        rows = []
        for fault in faults:
            began = time.monotonic()
            said = refused_start(fault.kind)
            seen = Evidence(began, refused=(time.monotonic(), said) if said else None)
            rows.append(row(fault, graph, seen, self._spec))
            self._tell(rows[-1])
        return rows


@contextmanager
def _injected(graph: GraphUnderTest, fault: Fault) -> Iterator[str]:
    """The fault stands inside; gives why it was refused, if it was."""
    watch, answer = graph.watch, ""
    undo: Callable[[], None] = lambda: None  # noqa: E731 (what there is nothing to undo of)
    if fault.how == "topic":
        watch.disturb(fault.kind, fault.target)
        undo = watch.disturb
    elif fault.how == "process":
        graph.signal(fault.target, signal.Signals[fault.kind])
        undo = lambda: graph.signal(fault.target, signal.SIGCONT)  # noqa: E731
    elif fault.how == "line":
        assert isinstance(graph.emulator, Emulator)
        graph.emulator.faults(fault.kind)
        undo = graph.emulator.faults
    elif fault.how == "robot":
        assert isinstance(graph.emulator, FarSide)
        graph.emulator.break_down(fault.target, fault.kind)
        undo = graph.emulator.mend
    elif fault.kind == SAFETY_STOP:
        watch.stop()
    elif fault.how == "launch":
        assert isinstance(graph, LaunchUnderTest)
        graph.kill()
    elif fault.how == "gamepad":
        watch.gamepad.trouble = fault.kind
        undo = lambda: setattr(watch.gamepad, "trouble", "")  # noqa: E731
    elif fault.kind == "faults of another robot on /diagnostics":
        watch.neighbour = True
        undo = lambda: setattr(watch, "neighbour", False)  # noqa: E731
    elif fault.kind.startswith("second publisher"):
        intruder = watch.intruder(fault.kind.rpartition(" ")[2])
        undo = lambda: watch.destroy_publisher(intruder)  # noqa: E731
    elif fault.kind == "parameter changed while running":
        answer = watch.set_parameter("safety", "check_period", 1.0)
        answer = f"safety: {answer}" if answer else ""
    elif fault.kind == "CPU starved":
        hogs = busy(4 * (os.cpu_count() or 1))

        def undo() -> None:
            for hog in hogs:
                hog.kill()
                hog.wait()

    elif fault.kind == "disk full":
        process = graph.process("recorder")
        if process is not None:
            size = graph.recording.stat().st_size
            process.rlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        yield answer
    finally:
        undo()


class Gaps:
    """When something was recorded, on the steady clock."""

    def __init__(self, recording: Path) -> None:
        offset = time.time() - time.monotonic()
        times = [each.log_time_ns * 1e-9 - offset for each in read_messages(recording)]
        self._times = np.sort(np.array(times))

    def lost(self, began: float, fault: Fault) -> float | None:
        """The longest time around a fault of which nothing is recorded, beyond a few periods [s].

        Of a recorder that ends: from its newest message to its end. None where the whole graph
        stands still by the fault itself, so that there is nothing to record.
        """
        if fault.how == "process" and fault.target in ("driver", "safety"):
            return None
        if fault.expected == ENDS and (fault.target == "recorder" or fault.kind == "disk full"):
            return max(0.0, round(began - float(self._times[-1]), 3))
        if fault.expected == ENDS:
            return None
        near = self._times[(self._times > began - 1.0) & (self._times < began + fault.hold + 1.0)]
        return round(max(0.0, float(np.diff(near).max(initial=0.0)) - 0.3), 3)
