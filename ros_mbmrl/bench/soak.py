"""`bench soak`: resources of the graph's processes at work, while stopped, and in the long run.

The graph runs on the twin for `seconds`; then the robot is stopped (`safety/stop`) for `idle`
seconds. Growth is the slope of a line through the samples of the working part, its first tenth left
out: memory that is taken once and kept is not growth.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil

from ros_mbmrl.bench.fast import arguments_of, check_wanted
from ros_mbmrl.bench.graph import supervised
from ros_mbmrl.bench.timing import Figure, Findings, Times, at_least
from ros_mbmrl.bringup import COMPOSED, FIRST_COMMAND, NodeSpec, adapt
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.ros_environment import environment

WARM_UP = 0.1  # share of a part's samples that does not count
HOUR, MEGABYTE = 3600.0, 2.0**20
LIMIT = 0.15  # of one core, for the whole idle graph
SPARE = 8.0  # [s] that the request for the stop may take


@dataclass(frozen=True)
class Config:
    """Settings.

    Args:
        seconds: of work [s].
        idle: seconds stopped, afterwards [s].
        interval: between samples [s].
        launch: name:=value words for the graph.
        fast, robot, hidden: a fast robot and its untrained model, as of `bench graph`.
    """

    seconds: float = 60.0
    idle: float = 30.0
    interval: float = 1.0
    launch: tuple[str, ...] = ()
    fast: bool = False
    robot: str = "hexapod"
    hidden: tuple[int, ...] = (128, 128, 128)
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, threads=self.threads, hidden=min(self.hidden, default=1))
        check_wanted(self)
        for seconds in (self.seconds, self.idle):
            if not 0 < 4 * self.interval <= seconds < math.inf:
                raise ValueError("seconds, idle: expected at least four times the interval")


QUICK = Config(seconds=4.0, idle=4.0, interval=0.5)


@dataclass(frozen=True)
class Usage:
    """Usage by a process: processor time [s], resident memory [bytes], threads, open files."""

    cpu: float
    memory: float
    threads: float
    files: float


@dataclass(frozen=True)
class Sample:
    """Usage of each node by name; at: [s] on the steady clock."""

    at: float
    nodes: Mapping[str, Usage]


@dataclass
class Watch:
    """Observer of the graph from outside, in a thread beside the supervisor's."""

    config: Config
    namespace: str
    clock: Callable[[], float] = time.monotonic
    working: list[Sample] = field(default_factory=list)
    idle: list[Sample] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    problem: str = ""

    def heard(self, line: str) -> None:
        """Take in a line that a node printed."""
        if line.endswith(FIRST_COMMAND):
            self.began.set()

    def run(self) -> None:
        """Sample the working part, stop the robot, sample the idle part."""
        while not self.began.wait(0.1):
            if self.over.is_set():
                return
        began, config = self.clock(), self.config
        self._sample(self.working, began + config.seconds)
        if not self.over.is_set():
            self.problem = stop(self.namespace)
        self._sample(self.idle, self.clock() + config.idle)
        end()

    def _sample(self, samples: list[Sample], until: float) -> None:
        while self.clock() < until and not self.over.wait(self.config.interval):
            samples.append(Sample(self.clock(), usage()))


def run(config: Config) -> Findings:
    """Run the graph and watch it. Raises UserError, RunError."""
    if find_spec("rclpy") is None:
        raise UserError("bench soak: no rclpy here: install the package's extra 'ros'")
    with tempfile.TemporaryDirectory(prefix="mbmrl-soak-") as folder, ExitStack() as stack:
        another = config.fast or any(word.startswith("robot:=") for word in config.launch)
        words = [] if another else ["path:=figure8"]
        words += [*config.launch, "lockstep:=false", "record:=true"]
        words += [f"recording:={Path(folder) / 'run.mcap'}", f"seed:={config.seed}"]
        # Longer than the observation, which ends the graph: its end must not disturb.
        words += [f"duration:={config.seconds + config.idle + SPARE}"]
        words += [f"threads:={config.threads}"]
        arguments = stack.enter_context(arguments_of(config, words, Path(folder)))
        watch = Watch(config, f"/{arguments['robot']}")
        specs: Sequence[NodeSpec] = adapt(arguments)
        thread = threading.Thread(target=watch.run)
        thread.start()
        unclean = ""
        try:
            supervised(specs, watch.heard)
        except RunError as error:
            if len(watch.idle) < 2:
                raise
            unclean = f"the graph: {error}"  # an hour's samples are not lost for its end
        finally:
            watch.over.set()
            thread.join()
    if watch.problem:
        raise RunError(watch.problem)
    found = findings(watch.working, watch.idle)
    return replace(found, notes=(*found.notes, *filter(None, [unclean])))


def usage() -> dict[str, Usage]:
    """Return the usage of every node that is a child of this process, by name."""
    nodes = {}
    for name, child in _nodes():
        with suppress(psutil.Error):  # it has just ended
            spent = child.cpu_times()
            nodes[name] = Usage(
                spent.user + spent.system,
                child.memory_info().rss,
                child.num_threads(),
                child.num_fds(),
            )
    return nodes


def end() -> None:
    """End the graph as its time would: by the end of its driver."""
    for name, child in _nodes():
        if name in ("driver", COMPOSED):
            with suppress(psutil.Error):
                child.send_signal(signal.SIGINT)


def _nodes() -> Iterator[tuple[str, psutil.Process]]:
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            for word in child.cmdline():
                if word.startswith("ros_mbmrl.nodes."):
                    yield word.rpartition(".")[2], child


def stop(namespace: str) -> str:
    """Ask the robot's safety node for a stop; return why that failed, or nothing."""
    command = [sys.executable, "-m", "ros_mbmrl.nodes.stop", "--ros-args"]
    asked = subprocess.run(
        [*command, "-r", f"__ns:={namespace}"],
        env=environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stderr.strip() if asked.returncode else ""


def findings(working: Sequence[Sample], idle: Sequence[Sample]) -> Findings:
    """Compute shares of a core, and growth per hour, in total and by node. Raises RunError."""
    parts = {"working": settled(working), "idle": settled(idle)}
    for name, samples in parts.items():
        if len(samples) < 2:
            raise RunError(f"fewer than two samples of the {name} graph: it ended too soon")
    cores = {name: processor(samples) for name, samples in parts.items()}
    growth = {what: slopes(parts["working"], what) for what in ("memory", "threads", "files")}
    growth["memory"] = {node: each / MEGABYTE for node, each in growth["memory"].items()}
    total = {name: sum(each.values()) for name, each in (cores | growth).items()}
    figures = (
        Figure("idle_core", total["idle"], "of one core, the stopped graph", f"below {LIMIT:g}"),
        Figure("working_core", total["working"], "of one core, the working graph"),
        Figure("memory_mb_per_hour", total["memory"], "growth of resident memory [MB/h]", "0"),
        Figure("threads_per_hour", total["threads"], "growth of threads", "0"),
        Figure("files_per_hour", total["files"], "growth of open files", "0"),
    )
    last = working[-1].nodes
    nodes = {
        node: {
            "working_core": share,
            "idle_core": cores["idle"].get(node, math.nan),
            "memory_mb": last[node].memory / MEGABYTE,
            "memory_mb_per_hour": growth["memory"].get(node, math.nan),
            "threads": last[node].threads,
            "files": last[node].files,
        }
        for node, share in cores["working"].items()
    }
    notes = tuple(
        f"{node}: {of['working_core']:.1%} of a core, stopped {of['idle_core']:.1%}; "
        f"{of['memory_mb']:.0f} MB, {of['memory_mb_per_hour']:+.1f} MB/h; "
        f"{of['threads']:.0f} threads, {of['files']:.0f} files"
        for node, of in nodes.items()
    )
    counts = {name: len(samples) for name, samples in parts.items()}
    return Findings(figures, Times({}), {"nodes": nodes, "samples": counts}, notes)


def settled(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples that count."""
    return samples[round(WARM_UP * len(samples)) :]


def processor(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the share of one core that each node took from the first sample to the last."""
    first, last = samples[0], samples[-1]
    return {
        node: (last.nodes[node].cpu - first.nodes[node].cpu) / (last.at - first.at)
        for node in first.nodes
        if node in last.nodes
    }


def slopes(samples: Sequence[Sample], what: str) -> dict[str, float]:
    """Return the growth of each node per hour: the slope of a line fitted to its samples."""
    at = np.array([sample.at for sample in samples])
    everywhere = set.intersection(*(set(sample.nodes) for sample in samples))
    return {
        node: HOUR
        * float(np.polyfit(at - at[0], [getattr(s.nodes[node], what) for s in samples], 1)[0])
        for node in sorted(everywhere)
    }
