"""The report of a launch: figures by hand, and one from a graph that really ran."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import graph_report
from ros_mbmrl.evaluation.graph_report import write_report
from ros_mbmrl.evaluation.recorded_run import RecordedRun, read_run

Reported = Callable[[str], tuple[list[str], Path]]

CONTRACT = (
    "cross_track_before_fault_m",
    "cross_track_after_fault_m",
    "missed_deadlines",
    "period_mean_s",
    "period_p99_s",
    "plan_ms_p50",
    "plan_ms_p99",
    "adapt_ms_p50",
    "safety_events",
)


def a_run() -> RecordedRun:
    times = np.arange(4) * 0.1
    return RecordedRun(
        times=times,
        xy=np.zeros((4, 2)),
        reference=np.zeros((2, 2)),
        cross_track=np.array([0.01, -0.03, 0.2, -0.4]),
        period=np.array([0.1, 0.1, 0.13]),
        missed=2,
        adapt_ms=np.array([1.0, 2.0, 3.0]),
        plan_ms=np.array([10.0, 20.0, 60.0]),
        error_times=times,
        errors=np.array([[1.0, 0.5]] * 4),
        accepted=np.array([True, False, True, True]),
        refusals={},
        safety_events=0,
        worst_level="RUN",
    )


def test_figures_before_and_after_the_fault() -> None:
    figures = a_run().figures(0.2)
    assert figures["cross_track_before_fault_m"] == pytest.approx(0.02)
    assert figures["cross_track_after_fault_m"] == pytest.approx(0.3)
    assert figures["period_mean_s"] == pytest.approx(0.11)
    assert figures["plan_ms_p50"] == 20.0
    assert figures["missed_deadlines"] == 2
    assert figures["accepted_fraction"] == 0.75


def test_without_a_fault_all_is_before_it() -> None:
    figures = a_run().figures(None)
    assert figures["cross_track_before_fault_m"] == pytest.approx(0.16)
    assert figures["cross_track_after_fault_m"] is None


def test_a_robot_without_a_path_has_all_other_figures() -> None:
    run = replace(a_run(), xy=np.empty((0, 2)), reference=np.empty((0, 2)), cross_track=np.empty(0))
    figures = run.figures(0.2)
    assert figures["cross_track_before_fault_m"] is figures["cross_track_max_m"] is None
    assert figures["period_mean_s"] == pytest.approx(0.11)
    assert figures["steps"] == 4


def test_only_figures_that_there_are_are_shown() -> None:
    rows = graph_report.shown(
        {"mb": {"missed_deadlines": 2, "cross_track_max_m": None}, "rebal": {}}
    )
    assert rows == [["missed deadlines", "2", "-"]]


def test_lengths_are_in_centimetres_and_who_does_not_adapt_has_dashes() -> None:
    figures = {"cross_track_after_fault_m": 0.0241, "accepted_fraction": 0.0, "adapt_ms_p50": 0.7}
    rows = graph_report.shown({"mb": {**figures, "adapts": False}, "rebal": figures})
    assert rows == [
        ["cross-track after the fault [cm]", "2.41", "2.41"],
        ["adaptations accepted", "-", "0"],
        ["adapting, median [ms]", "-", "0.7"],
    ]


def test_its_report_shows_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = replace(a_run(), xy=np.empty((0, 2)), reference=np.empty((0, 2)), cross_track=np.empty(0))
    monkeypatch.setattr(graph_report, "read_run", lambda path: run)
    (tmp_path / "mb.mcap").touch()
    report = write_report(tmp_path, {"task": "reach"}, {})
    assert report["results"]["methods"]["mb"]["cross_track_before_fault_m"] is None
    page = (tmp_path / "report.html").read_text()
    assert "task reach" in page and "Over time" in page and "the path to follow" not in page
    assert "adaptations accepted" in page and "cross-track" not in page
    opening = page[page.index("</h1>") : page.index("<h2>")]
    assert "<p>What the robot did was not measured.</p>\n<p>No film: " in opening


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no recordings"):
        write_report(tmp_path, {}, {})


def test_a_graph_that_ran_is_reported(reported: Reported) -> None:
    _, folder = reported("hexapod")
    report = json.loads((folder / "report.json").read_text())
    methods = report["results"]["methods"]
    assert list(methods) == ["mb", "residual"]
    for figures in methods.values():
        assert set(CONTRACT) <= set(figures)
        assert figures["steps"] == 40
        assert figures["cross_track_before_fault_m"] < 0.05
        assert figures["first_command_s"] > 0
    assert methods["mb"]["accepted_fraction"] == 0.0
    assert "data:image/png" in (folder / "report.html").read_text()
    said = report["results"]["sentence"]
    assert said.startswith("After the leg was lost: ") and "without adaptation" in said
    # Two steps at rest, then the first command that moves it.
    assert read_run(folder / "mb.mcap").times[:3] == pytest.approx([-0.2, -0.1, 0.0])


def test_a_robot_that_follows_no_path_is_reported_by_its_task(
    reported: Reported,
) -> None:
    _, folder = reported("half_cheetah")
    report = json.loads((folder / "report.json").read_text())
    figures = report["results"]["methods"]["mb"]
    assert set(CONTRACT) <= set(figures)
    assert figures["cross_track_before_fault_m"] is figures["cost_after_fault"] is None
    assert figures["return"] == pytest.approx(-39 * figures["cost_before_fault"], rel=0.05)
    assert 0.0 < figures["speed_before_fault_m_s"] < 10.0
    page = (folder / "report.html").read_text()
    assert "speed before the fault" in page and "return" in page
