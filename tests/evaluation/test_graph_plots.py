from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.evaluation.graph_plots import draw_errors, draw_paths
from ros_mbmrl.evaluation.recorded_run import RecordedRun

TIMES = np.arange(4) * 0.1
RUN = RecordedRun(
    times=TIMES,
    xy=np.zeros((4, 2)),
    reference=np.zeros((2, 2)),
    cross_track=np.array([0.01, -0.03, 0.2, -0.4]),
    period=TIMES,
    missed=0,
    adapt_ms=TIMES,
    plan_ms=TIMES,
    error_times=TIMES,
    errors=np.ones((4, 2)),
    accepted=np.ones(4, dtype=bool),
    refusals={},
    safety_events=0,
    worst_level="RUN",
)


@pytest.mark.parametrize("fault_at", [None, 0.2, 9.0])
def test_runs_are_drawn_wherever_the_fault_is(tmp_path: Path, fault_at: float | None) -> None:
    nowhere = np.empty((0, 2))
    stays = replace(RUN, xy=nowhere, reference=nowhere, cross_track=np.empty(0))
    draw_paths(tmp_path / "paths.png", {"mb": RUN}, fault_at)
    draw_errors(tmp_path / "errors.png", {"mb": RUN, "rebal": stays}, fault_at)
    for name in ("paths.png", "errors.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
