"""`bench soak`: shares and slopes by hand; `commands/test_bench.py` runs the real graph."""

from __future__ import annotations

import pytest

pytest.importorskip("psutil")

from ros_mbmrl.bench import soak
from ros_mbmrl.bench.soak import MEGABYTE, Config, Sample, Usage
from ros_mbmrl.errors import RunError


def samples(cores: float, growth: float, count: int = 20, start: float = 5.0) -> list[Sample]:
    """A node that takes `cores`, and whose memory grows by `growth` MB a second."""

    def one(k: int) -> Usage:
        jump = 50.0 if k >= 2 else 0.0  # taken once, while it warms up
        return Usage(cores * k, (100 + jump + growth * k) * MEGABYTE, 4, 10 + 2 * k)

    return [Sample(start + k, {"driver": one(k), "safety": one(k)}) for k in range(count)]


def test_shares_and_slopes_by_hand() -> None:
    found = soak.findings(samples(0.25, 0.01), samples(0.05, 0.0))
    results = found.results
    assert results["working_core"] == pytest.approx(0.5)
    assert results["idle_core"] == pytest.approx(0.1)
    assert results["memory_mb_per_hour"] == pytest.approx(2 * 36)
    assert results["threads_per_hour"] == pytest.approx(0.0, abs=1e-6)
    assert results["files_per_hour"] == pytest.approx(2 * 7200)
    assert results["nodes"]["driver"]["idle_core"] == pytest.approx(0.05)
    assert results["nodes"]["driver"]["memory_mb_per_hour"] == pytest.approx(36)
    assert found.notes[0].startswith("driver: 25.0% of a core, stopped 5.0%; 150 MB, +36.0 MB/h")


def test_a_graph_that_ends_too_soon_fails() -> None:
    with pytest.raises(RunError, match="fewer than two samples of the idle graph"):
        soak.findings(samples(0.1, 0.0), samples(0.1, 0.0, count=1))


@pytest.mark.parametrize("wrong", [{"seconds": 3.0}, {"interval": 0.0}, {"idle": float("nan")}])
def test_wrong_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least four times the interval"):
        Config(**wrong)  # type: ignore[arg-type]
