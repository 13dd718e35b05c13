"""Supervisor behind `mbmrl launch`: starts a graph's nodes as processes, and ends all of them.

Nodes are in sessions of their own, so that Ctrl-C in a terminal reaches only the supervisor and the
recorder can be ended last. Each watches its parent, and ends if that is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ros_mbmrl.bringup import FIRST_COMMAND, PARENT, NodeSpec, graph
from ros_mbmrl.launch_values import Value
from ros_mbmrl.ros_environment import check_middleware, environment
from ros_mbmrl.runtime.alone import alone
from ros_mbmrl.runtime.output import Output
from ros_mbmrl.runtime.signals import end_on_signals

# Seconds that each signal is given, mildest first.
PATIENCE: tuple[tuple[signal.Signals, float], ...] = (
    (signal.SIGINT, 5.0),
    (signal.SIGTERM, 2.0),
    (signal.SIGKILL, 2.0),
)
POLL = 0.05  # [s]
NEWBORN = 1.0  # [s] until a new node has set its signal handlers


@dataclass(frozen=True)
class Summary:
    """Result of a run.

    Args:
        status: 0 clean, 1 failed, 2 bad input.
        reason: for the end of the run.
        exit_codes: by node; negative: ended by that signal.
        peak_rss_bytes: largest sum of the nodes' and the supervisor's resident memory.
        first_command_seconds: from the start to the driver's first command, None if none came.
        seconds: length of the run.
    """

    status: int
    reason: str
    exit_codes: Mapping[str, int]
    peak_rss_bytes: int
    first_command_seconds: float | None
    seconds: float


@dataclass
class _Child:
    spec: NodeSpec
    process: subprocess.Popen[str]
    began: float
    reader: threading.Thread | None = None
    restarts: int = 0
    paused: bool = False
    given_up: bool = False


@dataclass
class _Watch:
    """Observations while the graph runs."""

    began: float
    first_command: float | None = None
    peak_rss: int = 0
    interrupted: threading.Event = field(default_factory=threading.Event)


def command_line(spec: NodeSpec) -> list[str]:
    """Return the command that starts a node, with this interpreter."""
    words = [sys.executable, "-m", f"ros_mbmrl.nodes.{spec.executable}", "--ros-args"]
    words += ["-r", f"__ns:={spec.namespace}", "--enclave", spec.enclave]
    for old, new in spec.remappings.items():
        words += ["-r", f"{old}:={new}"]
    for path in spec.parameter_files:
        words += ["--params-file", path]
    for name, value in spec.parameters.items():
        words += ["-p", f"{name}:={_yaml(value)}"]
    return words


def show(line: str) -> None:
    """Print a line of a node at once."""
    print(line, flush=True)


def launch(name: str, words: Sequence[str], echo: Callable[[str], None] = show) -> Summary:
    """Run the graph called `name` with `name:=value` words until it ends; `echo` shows a line.

    Raises UserError for bad words, RunError if the robot's graph already runs in this domain.
    """
    specs = graph(name, words)
    check_middleware(os.environ)
    with _alone(specs[0].namespace):
        return supervise(specs, echo=echo)


def _alone(namespace: str) -> AbstractContextManager[None]:
    return alone(namespace, os.environ.get("ROS_DOMAIN_ID", "0"))


def supervise(
    specs: Sequence[NodeSpec],
    command: Callable[[NodeSpec], list[str]] = command_line,
    patience: Iterable[tuple[signal.Signals, float]] = PATIENCE,
    echo: Callable[[str], None] = show,
    max_restarts: int = 3,
) -> Summary:
    """Start the nodes, wait until a critical one ends or a signal asks for the end, end all.

    A node that is not critical is restarted if it fails, an optional one not for bad input: then
    the run goes on without it. The run is clean if the node that ended it
    ended cleanly, or a signal asked for its end.

    Args:
        specs: the nodes.
        command: returns the command line of a node.
        patience: signals that end a node, each with its time [s], mildest first.
        echo: shows a line of output.
        max_restarts: of a node that is not critical.
    """
    watch = _Watch(time.monotonic())
    output = Output(echo)
    children: list[_Child] = []
    # no time limit here: `_end_all` has its own
    restore = end_on_signals(watch.interrupted.set, patience=0)
    try:
        children.extend(_start(spec, command, watch, output.put) for spec in specs)
        ended = _wait(children, command, watch, output.put, max_restarts)
    finally:
        try:
            _end_all(children, tuple(patience))
        finally:
            restore()
    for child in children:
        if child.reader is not None:
            child.reader.join(timeout=2.0)
    output.close()
    return _summary(children, ended, watch)


def _start(
    spec: NodeSpec,
    command: Callable[[NodeSpec], list[str]],
    watch: _Watch,
    echo: Callable[[str], None],
) -> _Child:
    process = subprocess.Popen(
        command(spec),
        env=environment({**os.environ, **spec.environment, PARENT: str(os.getpid())}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    child = _Child(spec, process, time.monotonic())

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if watch.first_command is None and line.strip() == FIRST_COMMAND:
                watch.first_command = time.monotonic() - watch.began
            echo(f"[{spec.name}] {line.rstrip()}")

    child.reader = threading.Thread(target=read, daemon=True)
    child.reader.start()
    return child


def _wait(
    children: list[_Child],
    command: Callable[[NodeSpec], list[str]],
    watch: _Watch,
    echo: Callable[[str], None],
    max_restarts: int,
) -> _Child | None:
    """Return the critical node that ended first, or None if interrupted."""
    sampled = 0.0
    while not watch.interrupted.wait(POLL):
        for index, child in enumerate(children):
            code = child.process.poll()
            if code is None:
                continue
            # Bad input stays bad: a restart would not help.
            if child.spec.optional and code == 2:
                if not child.given_up:
                    child.given_up = True
                    echo(f"[{child.spec.name}] ended with status 2: the run goes on without it")
                continue
            if child.spec.critical or code == 2:
                echo(f"[{child.spec.name}] ended with status {code}: ending the graph")
                return child
            if code != 0 and child.restarts < max_restarts:
                echo(f"[{child.spec.name}] ended with status {code}: starting it again")
                children[index] = _start(child.spec, command, watch, echo)
                children[index].restarts = child.restarts + 1
        if time.monotonic() - sampled > 0.5:
            sampled = time.monotonic()
            watch.peak_rss = max(watch.peak_rss, _resident(children))
            _tell_paused(children, echo)
    return None


def _tell_paused(children: Sequence[_Child], echo: Callable[[str], None]) -> None:
    """Report a process that was stopped from outside (SIGSTOP), and its continuation."""
    import psutil

    for child in children:
        try:
            paused = psutil.Process(child.process.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            continue
        if paused is not child.paused:
            child.paused = paused
            echo(f"[{child.spec.name}] {'is paused' if paused else 'goes on'}")


def _end_all(children: Sequence[_Child], patience: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send signals of growing force until no node is left; nodes with `ends_last` come last.

    The first signal waits for a node that was just started, because Python prints a traceback if it
    is interrupted while it starts.
    """
    newest = max((child.began for child in children), default=0.0)
    time.sleep(max(0.0, newest + NEWBORN - time.monotonic()))
    for last in (False, True):
        group = [child for child in children if child.spec.ends_last is last]
        for kind, seconds in patience:
            running = [child for child in group if child.process.poll() is None]
            for child in running:
                child.process.send_signal(kind)
            until = time.monotonic() + seconds
            for child in running:
                try:
                    child.process.wait(max(0.0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue


def _summary(children: Sequence[_Child], ended: _Child | None, watch: _Watch) -> Summary:
    codes = {child.spec.name: _code(child) for child in children}
    if ended is None:
        status, reason = 0, "interrupted"
    else:
        code = codes[ended.spec.name]
        status = code if code in (0, 2) else 1
        reason = f"{ended.spec.name} ended with status {code}"
    needed = {child.spec.name for child in children if not child.spec.optional}
    late = [name for name, code in codes.items() if code != 0 and name in needed]
    if status == 0 and late:
        status, reason = 1, f"not ended cleanly: {', '.join(late)}"
    return Summary(
        status=status,
        reason=reason,
        exit_codes=codes,
        peak_rss_bytes=watch.peak_rss,
        first_command_seconds=watch.first_command,
        seconds=time.monotonic() - watch.began,
    )


def _code(child: _Child) -> int:
    code = child.process.poll()
    return -int(signal.SIGKILL) if code is None else code


def _resident(children: Sequence[_Child]) -> int:
    import psutil

    total = psutil.Process().memory_info().rss
    for child in children:
        try:
            total += psutil.Process(child.process.pid).memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return int(total)


def _yaml(value: Value) -> str:
    """Return a value as YAML that cannot be mistaken for another type."""
    return repr(value) if isinstance(value, float) else json.dumps(value)
