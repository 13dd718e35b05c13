"""`bench graph`: the real graph on the twin; latency of its commands without planning.

The graph of separate processes, then the one whose control path is one process. The recording has
the times: the driver records when the first command for an observation came, the controller how
long it adapted and planned. The peer, over the same seconds: a command there and back between two
processes that do nothing else. The separate graph's path has three hops, the peer's two.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.bench import fast
from ros_mbmrl.bench.timing import Figure, Findings, Times, at_least
from ros_mbmrl.bringup import NodeSpec, adapt
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.supervisor import supervise

WARM_UP = 1.0  # [s] after the first command that do not count
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10**6))"
DRIVER, CONTROLLER = "driver: timing", "controller: timing"
COMPOSED = "in one process"
LATENCY, BEYOND, PEER = "less planning", "less adapting and planning", "ping-pong"


@dataclass(frozen=True)
class Config:
    """Settings.

    Args:
        seconds: of control that count, of each graph [s].
        load: number of processes that keep a core busy meanwhile.
        launch: name:=value words for the graph.
        fast: a fast robot, with an untrained model (`fast.py`).
        robot: which one.
        hidden: units of that model's hidden layers.
    """

    seconds: float = 30.0
    load: int = 0
    launch: tuple[str, ...] = ()
    fast: bool = False
    robot: str = "hexapod"
    hidden: tuple[int, ...] = (128, 128, 128)
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(0, load=self.load)
        at_least(1, threads=self.threads)
        at_least(1, hidden=min(self.hidden, default=1))
        fast.check_wanted(self)
        if not 1.0 <= self.seconds < float("inf"):
            raise ValueError(f"seconds: expected at least 1, got {self.seconds}")


QUICK = Config(seconds=2.0)


@dataclass(frozen=True)
class Timing:
    """Control steps from `WARM_UP` after the first command on, one row each, (n,).

    Args:
        late: from an observation to its first command [s]; nan if none came in its period.
        adapting, planning: [s]; nan if unknown.
        period: since the step before [s].
        missed: number of periods without a command.
    """

    late: Array
    adapting: Array
    planning: Array
    period: Array
    missed: int

    @property
    def beyond(self) -> Array:
        """Return what is left of the way to the command without adapting and planning [s], (n,)."""
        return self.late - self.planning - self.adapting


def run(config: Config) -> Findings:
    """Run the graph and the ping-pong beside it. Raises UserError, RunError."""
    if find_spec("rclpy") is None:
        raise UserError("bench graph: no rclpy here: install the package's extra 'ros'")
    separate, peer, period = _measured(config, "false")
    composed, _, _ = _measured(config, "true")
    return findings(separate, peer, period, composed)


def _measured(config: Config, composed: str) -> tuple[Timing, Array, float]:
    """Run one graph with the ping-pong beside it; return its timing, the peer's, the period."""
    with tempfile.TemporaryDirectory(prefix="mbmrl-bench-") as folder:
        recording, trips = Path(folder) / "run.mcap", Path(folder) / "ping.json"
        words = [*config.launch, "lockstep:=false", "record:=true", f"recording:={recording}"]
        words += [f"seed:={config.seed}", f"threads:={config.threads}", f"composed:={composed}"]
        words += [f"duration:={WARM_UP + config.seconds}"]
        with fast.arguments_of(config, words, Path(folder)) as arguments, _busy(config.load):
            spec = make_robot(arguments["robot"]).spec
            supervised([*ping_pong(spec.name, trips), *adapt(arguments)])
        timing = read_timing(recording, spec.name)
        # The newest ones, as many: while the graph starts, everything is slow.
        peer = np.array(json.loads(trips.read_text()), dtype=float)[-len(timing.late) :]
    return timing, peer, spec.period


def ping_pong(robot: str, path: Path) -> list[NodeSpec]:
    """Return the peer's two processes; round trips are written to `path` when they end."""

    def node(name: str, **parameters: str) -> NodeSpec:
        given = MappingProxyType({"robot": robot, **parameters})
        return NodeSpec(name, "ping_pong", f"/{robot}/bench", given, critical=False)

    return [node("pong"), node("ping", path=str(path))]


def read_timing(recording: Path, owner: str) -> Timing:
    """Read the timing of the graph `owner` from a recording.

    Raises UserError if it contains nothing to time.
    """
    driver: dict[int, dict[str, str]] = {}
    controller: dict[int, dict[str, str]] = {}
    for recorded in read_messages(recording, ("/diagnostics",)):
        stamp = recorded.message.header.stamp
        for line in recorded.message.status:
            rows = {DRIVER: driver, CONTROLLER: controller}.get(task_of(line))
            if rows is not None and line.hardware_id == owner:
                values = {pair.key: pair.value for pair in line.values}
                rows[stamp.sec * 1_000_000_000 + stamp.nanosec] = values
    answered = [stamp for stamp, values in driver.items() if values["offset_s"] != "nan"]
    first = min(answered, default=0) + round(1e9 * WARM_UP)
    stamps = sorted(stamp for stamp in driver if answered and stamp >= first)
    if len(stamps) < 2:
        raise UserError(f"{recording}: fewer than two steps after the first {WARM_UP:g} s")

    def column(rows: Mapping[int, Mapping[str, str]], key: str, scale: float = 1.0) -> Array:
        return scale * np.array([float(rows.get(s, {}).get(key, "nan")) for s in stamps])

    return Timing(
        late=column(driver, "offset_s"),
        adapting=column(controller, "adapt_ms", 1e-3),
        planning=column(controller, "plan_ms", 1e-3),
        period=column(driver, "period_s"),
        missed=int(column(driver, "missed").sum()),
    )


def findings(timing: Timing, peer: Array, period: float, composed: Timing) -> Findings:
    """Compute the figures.

    Args:
        timing: of the separate processes.
        peer: round trips (n,) [s].
        period: of the robot [s].
        composed: of the control path in one process.
    """
    latency, beyond = timing.late - timing.planning, timing.beyond
    relative = timing.period / period
    columns = {
        "observation to command": timing.late,
        "adapting": timing.adapting,
        "planning": timing.planning,
        LATENCY: latency,
        BEYOND: beyond,
        PEER: peer,
        f"{COMPOSED}, {BEYOND}": composed.beyond,
    }
    times = Times({name: tuple(_known(values).tolist()) for name, values in columns.items()})
    own, bare = _percentile(latency, 50), _percentile(peer, 50)
    over = own / bare if own is not None and bare else None
    figures = (
        _milliseconds("latency_ms_p50", latency, 50, "observed to commanded, less planning", 2),
        _milliseconds("latency_ms_p99", latency, 99, "the same, 99 %", 5),
        _milliseconds("beyond_ms_p50", beyond, 50, "less adapting, too", 3),
        _milliseconds("beyond_ms_p99", beyond, 99, "the same, 99 %", 5),
        _milliseconds("ping_pong_ms_p50", peer, 50, "a bare round trip"),
        _milliseconds("ping_pong_ms_p99", peer, 99, "the same, 99 %"),
        _milliseconds("composed_beyond_ms_p50", composed.beyond, 50, f"the same, {COMPOSED}", 1),
        _milliseconds("composed_beyond_ms_p99", composed.beyond, 99, "the same, 99 %", 2),
        Figure("over_ping_pong", over, "observed to commanded, less planning, over a round trip"),
        Figure("period_mean", _mean(relative), "period over the robot's", "0.99 to 1.01"),
        Figure("period_p99", _percentile(relative, 99), "the same, 99 %", "at most 1.05"),
        Figure("missed", float(timing.missed), "periods without a command", "0"),
        Figure("composed_missed", float(composed.missed), f"the same, {COMPOSED}", "0"),
    )
    facts: dict[str, Any] = {"steps": len(timing.late), "missed": timing.missed}
    return Findings(figures, times, facts)


def _milliseconds(
    name: str, seconds: Array, percent: float, meaning: str, limit: float | None = None
) -> Figure:
    value = _percentile(seconds, percent)
    goal = "" if limit is None else f"at most {limit:g}"
    return Figure(name, None if value is None else 1e3 * value, f"{meaning} [ms]", goal)


def _known(values: Array) -> Array:
    return values[np.isfinite(values)]


def _percentile(values: Array, percent: float) -> float | None:
    known = _known(values)
    return float(np.percentile(known, percent)) if len(known) else None


def _mean(values: Array) -> float | None:
    known = _known(values)
    return float(known.mean()) if len(known) else None


def supervised(specs: Sequence[NodeSpec], heard: Callable[[str], None] = lambda _: None) -> None:
    """Run nodes until they end; `heard` gets what they print. Raises UserError, RunError."""
    lines: deque[str] = deque(maxlen=1000)

    def echo(line: str) -> None:
        lines.append(line)
        heard(line)

    summary = supervise(specs, echo=echo)
    if summary.status:
        name = summary.reason.split()[0]
        said = [line for line in lines if line.startswith(f"[{name}]")] or [*lines] or [""]
        kind = UserError if summary.status == 2 else RunError
        raise kind(f"{summary.reason}: {said[-1]}")
    if summary.reason == "interrupted":
        raise KeyboardInterrupt


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """Start processes that keep a core busy each, and end them afterwards."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
