"""The supervisor starts processes and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ros_mbmrl.bringup import FIRST_COMMAND, NodeSpec
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.runtime import output
from ros_mbmrl.supervisor import Summary, _alone, command_line, launch, supervise

QUIET = "import signal,sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(0)); signal.pause()"
STUBBORN = (
    "import signal\nfor s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\n"
    "print('deaf', flush=True)\nwhile True: signal.pause()"
)
PATIENCE = ((signal.SIGINT, 1.0), (signal.SIGTERM, 0.2), (signal.SIGKILL, 3.0))


def run(nodes: dict[str, str], critical: tuple[str, ...], **options: object) -> Summary:
    """Supervises Python one-liners by name."""
    specs = [NodeSpec(name, name, "/r", critical=name in critical) for name in nodes]
    lines = options.pop("lines", [])
    return supervise(
        specs,
        command=lambda spec: [sys.executable, "-c", nodes[spec.name]],
        patience=PATIENCE,
        echo=lines.append,  # type: ignore[attr-defined]
        **options,  # type: ignore[arg-type]
    )


def test_a_critical_node_that_ends_cleanly_ends_the_run_cleanly() -> None:
    lines: list[str] = []
    code = f"import time; print('{FIRST_COMMAND}', flush=True); time.sleep(0.6)"
    summary = run({"driver": code, "safety": QUIET}, ("driver", "safety"), lines=lines)
    assert (summary.status, summary.reason) == (0, "driver ended with status 0")
    assert summary.exit_codes == {"driver": 0, "safety": 0}
    assert summary.first_command_seconds is not None
    assert 0 < summary.first_command_seconds < summary.seconds
    assert summary.peak_rss_bytes > 5_000_000
    assert f"[driver] {FIRST_COMMAND}" in lines


@pytest.mark.parametrize(("code", "status"), [(1, 1), (2, 2), (7, 1)])
def test_a_critical_node_that_fails_fails_the_run(code: int, status: int) -> None:
    summary = run({"a": f"raise SystemExit({code})", "b": QUIET}, ("a", "b"))
    assert summary.status == status
    assert summary.reason == f"a ended with status {code}"


def test_a_node_that_is_deaf_is_killed_and_told_of() -> None:
    code = "import time; time.sleep(1.0)"
    summary = run({"deaf": STUBBORN, "driver": code}, ("driver",))
    assert summary.exit_codes["deaf"] == -signal.SIGKILL
    assert (summary.status, summary.reason) == (1, "not ended cleanly: deaf")


def test_a_node_that_is_not_critical_is_started_again(tmp_path: Path) -> None:
    count = tmp_path / "count"
    flaky = f"open(r'{count}', 'a').write('x'); raise SystemExit(3)"
    wait = f"import time\nwhile len(open(r'{count}', 'a+').read() or open(r'{count}').read()) < 3:"
    run({"flaky": flaky, "driver": wait + " time.sleep(0.02)"}, ("driver",), max_restarts=2)
    assert count.read_text() == "xxx"


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("raise SystemExit(2)", "[view] ended with status 2: the run goes on without it"),
        ("raise SystemExit(1)", "[view] ended with status 1: starting it again"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "[view] ended with status -9: starting it again",
        ),
    ],
)
def test_a_run_ends_well_without_what_is_optional(view: str, said: str) -> None:
    nodes = {"view": view, "driver": "import time; time.sleep(0.6)"}
    specs = [NodeSpec(n, n, "/r", critical=n == "driver", optional=n == "view") for n in nodes]
    lines: list[str] = []
    summary = supervise(
        specs,
        command=lambda spec: [sys.executable, "-c", nodes[spec.name]],
        patience=PATIENCE,
        echo=lines.append,
    )
    assert (summary.status, summary.reason) == (0, "driver ended with status 0")
    assert said in lines
    assert lines.count("[view] ended with status 2: the run goes on without it") <= 1


def test_bad_input_is_said_before_anything_starts() -> None:
    with pytest.raises(UserError, match="unknown argument"):
        launch("twin", ["colour:=red"])


def test_values_keep_their_type_on_the_command_line() -> None:
    parameters = {"a": "3", "b": "", "c": True, "d": 3, "e": 1e-7, "f": "x@1 y"}
    line = command_line(NodeSpec("n", "n", "/r", parameters, {"x": "y"}, "p.yaml"))
    assert line[2:6] == ["ros_mbmrl.nodes.n", "--ros-args", "-r", "__ns:=/r"]
    assert line[6:10] == ["--enclave", "/r/n", "-r", "x:=y"]
    assert [word for word in line if word.startswith(tuple(f"{n}:=" for n in "abcdef"))] == [
        'a:="3"',
        'b:=""',
        "c:=true",
        "d:=3",
        "e:=1e-07",
        'f:="x@1 y"',
    ]


def test_a_graph_does_not_start_beside_its_like(domain: int) -> None:
    with _alone("/hexapod"):
        with pytest.raises(RunError, match=f"/hexapod already runs in ROS domain {domain}"):
            launch("twin", [])
        with _alone("/pr2_arm"):
            pass


SUPERVISOR = """
import sys
from ros_mbmrl.bringup import NodeSpec
from ros_mbmrl.supervisor import supervise
code = sys.argv[1]
summary = supervise(
    [NodeSpec("a", "a", "/r"), NodeSpec("b", "b", "/r", ends_last=True)],
    command=lambda spec: [sys.executable, "-c", code],
)
sys.exit(summary.status)
"""


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.Error:
        return []


def _gone(process: psutil.Process) -> bool:
    """Not running: where nobody reaps orphans, they stay behind as zombies."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_them(kind: signal.Signals) -> None:
    code = f"print('up', flush=True)\n{QUIET}"
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        up = [process.stdout.readline().strip() for _ in range(2)]
        assert sorted(up) == ["[a] up", "[b] up"]
        children = _children(process.pid)
        assert len(children) == 2
        # `up` is printed before the handler stands: a node in its first instants may be cut off.
        _until(lambda: all(child.status() == psutil.STATUS_SLEEPING for child in children))
        os.kill(process.pid, kind)
        assert process.wait(15) == 0
    assert not any(child.is_running() for child in children)


def test_nodes_end_when_the_supervisor_is_killed() -> None:
    pytest.importorskip("rclpy")
    code = (
        "from rclpy.node import Node\nfrom ros_mbmrl.nodes.process import run\n"
        "class N(Node):\n    def close(self): pass\n"
        "def build(_):\n    node = N('n')\n    print('up', flush=True)\n    return [node]\n"
        "raise SystemExit(run(build, []))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        children = _children(process.pid)
        assert len(children) == 2
        process.kill()
        _until(lambda: all(_gone(child) for child in children))


WORDY = "for k in range(4000): print('x' * 50, flush=True)\nopen(r'{}', 'w').close()"


@pytest.mark.parametrize("slow", [False, True])
def test_a_node_never_waits_for_who_reads_the_output(tmp_path: Path, slow: bool) -> None:
    through, read = tmp_path / "through", threading.Event()

    def echo(line: str) -> None:
        if slow:
            read.wait(20)  # as `less` does, and a terminal after Ctrl-S
        else:
            raise BrokenPipeError(32, "Broken pipe")  # as after `| head -1`

    nodes = {"wordy": WORDY.format(through), "safety": QUIET}
    specs = [NodeSpec(name, name, "/r") for name in nodes]
    summary = supervise(
        specs, command=lambda spec: [sys.executable, "-c", nodes[spec.name]], echo=echo
    )
    read.set()
    assert through.exists()
    assert (summary.status, summary.exit_codes) == (0, {"wordy": 0, "safety": 0})


def test_lines_that_wait_are_bounded_and_the_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LINES", 10)
    lines: list[str] = []

    def echo(line: str) -> None:
        if not lines:
            time.sleep(1.0)
        lines.append(line)

    run_of = "print('x\\n' * 2000, flush=True); import time; time.sleep(3)"
    supervise(
        [NodeSpec("a", "a", "/r")], command=lambda _: [sys.executable, "-c", run_of], echo=echo
    )
    assert lines[0] == "[a] x" and len(lines) < 100
    assert any(line.endswith("lines dropped: the output was not read in time") for line in lines)
