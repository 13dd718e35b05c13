"""`bench graph`: what the recording says, computed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.bench import graph
from ros_mbmrl.bringup import NodeSpec
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.supervisor import Summary

NAN = float("nan")
FILE = Path("run.mcap")


def line(name: str, stamp: float, owner: str = "hexapod", **values: float) -> Any:
    """A recorded line of diagnostics."""
    pairs = [SimpleNamespace(key=k, value=repr(v)) for k, v in values.items()]
    whole, part = divmod(round(stamp * 10), 10)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=whole, nanosec=part * 10**8))
    status = SimpleNamespace(name=name, hardware_id=owner, values=pairs)
    return SimpleNamespace(message=SimpleNamespace(header=header, status=[status]))


def recorded(monkeypatch: pytest.MonkeyPatch, lines: Iterable[Any]) -> None:
    monkeypatch.setattr(graph, "read_messages", lambda path, topics: iter(list(lines)))


def driver(stamp: float, offset: float, period: float = 0.1) -> Any:
    missed = int(offset != offset)
    return line(graph.DRIVER, stamp, offset_s=offset, period_s=period, missed=missed)


def controller(stamp: float, adapt: float, plan: float) -> Any:
    return line(graph.CONTROLLER, stamp, adapt_ms=adapt, plan_ms=plan)


def test_latency_is_what_is_left_of_the_way_without_planning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [driver(0.0, NAN, NAN), driver(0.1, 0.09), controller(0.1, 1, 80)]
    lines += [driver(1.0, 0.09), driver(1.1, 0.012, 0.11), controller(1.1, 2, 8)]
    lines += [controller(1.2, 1, 3), line("safety: state", 1.2, level=1)]
    lines += [line(graph.CONTROLLER, 1.2, "half_cheetah", adapt_ms=50.0, plan_ms=50.0)]
    lines += [driver(1.2, 0.005, 0.09), driver(1.3, NAN, 0.1), driver(1.4, 0.02, 0.1)]
    recorded(monkeypatch, lines)
    timing = graph.read_timing(FILE, "hexapod")
    np.testing.assert_allclose(timing.late, [0.012, 0.005, NAN, 0.02])
    np.testing.assert_allclose(timing.planning, [0.008, 0.003, NAN, NAN])
    assert timing.missed == 1
    composed = replace(timing, late=timing.late - 0.001, missed=0)
    results = graph.findings(timing, np.array([0.001, 0.003]), 0.1, composed).results
    assert results["latency_ms_p50"] == pytest.approx(3.0)  # of 4 and 2
    assert results["latency_ms_p99"] == pytest.approx(3.98)
    assert results["beyond_ms_p50"] == pytest.approx(1.5)  # of 2 and 1
    assert results["over_ping_pong"] == pytest.approx(1.5)
    assert results["period_mean"] == pytest.approx(1.0)
    assert results["period_p99"] == pytest.approx(1.097)
    assert (results["missed"], results["steps"]) == (1, 4)
    assert results["composed_beyond_ms_p50"] == pytest.approx(0.5)  # of 1 and 0
    assert results["composed_missed"] == 0


def test_a_run_without_answers_or_peer_has_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    for lines in ([], [driver(k / 10, NAN) for k in range(30)], [driver(0.0, 0.01)]):
        recorded(monkeypatch, lines)
        with pytest.raises(UserError, match="fewer than two steps after the first 1 s"):
            graph.read_timing(FILE, "hexapod")
    recorded(monkeypatch, [driver(k / 10, 0.01) for k in range(30)])
    timing = graph.read_timing(FILE, "hexapod")
    results = graph.findings(timing, np.empty(0), 0.1, timing).results
    assert results["latency_ms_p50"] is results["over_ping_pong"] is None
    assert results["medians_ms"] == {"observation to command": 10.0}


@pytest.mark.parametrize(("status", "kind"), [(1, RunError), (2, UserError)])
def test_a_graph_that_fails_says_why(
    status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def supervise(specs: list[NodeSpec], echo: Any) -> Summary:
        echo("[driver] no robot")
        echo("[safety] is well")
        return Summary(status, f"driver ended with status {status}", {}, 0, None, 1.0)

    monkeypatch.setattr(graph, "supervise", supervise)
    with pytest.raises(kind, match=rf"driver ended with status {status}: \[driver\] no robot"):
        graph.supervised([])


def test_the_load_is_there_meanwhile_and_not_afterwards() -> None:
    psutil = pytest.importorskip("psutil")
    before = set(psutil.Process().children())
    with graph._busy(2):
        busy = set(psutil.Process().children()) - before
        assert len(busy) == 2
    assert not any(process.is_running() for process in busy)


def test_the_peer_is_two_processes_of_the_same_robot() -> None:
    pong, ping = graph.ping_pong("hexapod", FILE)
    assert ping.executable == pong.executable == "ping_pong"
    assert "path" not in pong.parameters and ping.parameters["path"] == str(FILE)
    assert not ping.critical and not pong.critical
    for wrong in ({"seconds": 0.5}, {"load": -1}, {"threads": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            graph.Config(**wrong)  # type: ignore[arg-type]
