"""The study at its smallest: from runs to a report; finished runs are not run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.asynchronous import run
from ros_mbmrl.evaluation.asynchronous.description import scale_of
from ros_mbmrl.evaluation.asynchronous.report import tables, write_report
from ros_mbmrl.evaluation.asynchronous.run import run_study

ARMS = ("me_trpo_async", "me_trpo_sync", "twice_speed")


def test_a_study_from_runs_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = scale_of("smoke")
    rows = run_study(scale, ARMS, tmp_path, workers=1)
    assert [row["method"] for row in rows] == list(ARMS)
    for row in rows:
        assert [point["trajectories"] for point in row["curve"]] == [2, 4]
        assert [point["transitions"] for point in row["curve"]] == [26, 52]
        times = [point["time_s"] for point in row["curve"]]
        assert 0 < times[0] < times[1] <= row["seconds"]
    lasts = 13 * 0.05  # a trajectory [s]
    fast, slow, twice = (row["curve"][-1]["time_s"] for row in rows)
    assert 4 * lasts <= fast and 4 * lasts <= slow
    assert twice < fast

    page, summary = write_report(tmp_path, scale, rows)
    text = page.read_text()
    assert "Figure 24: Wall clock" in text and "Figure 27b" in text
    assert "Figure 26a" not in text  # one of its arms did not take part
    assert {each.name for each in tmp_path.glob("*.png")} == {
        *("figure_24.png", "figure_25.png", "figure_27b.png"),
    }
    assert len(tables(summary)) == 2

    monkeypatch.setattr(run, "learn", lambda job: pytest.fail("run again"))
    assert run_study(scale, ARMS, tmp_path, workers=1) == rows
    with pytest.raises(UserError, match="holds another study"):
        run_study(replace(scale, tests=3), ARMS, tmp_path, workers=1)


def test_settings_that_do_not_fit_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    scale = replace(scale_of("smoke"), settings={"horizon": 0})
    with pytest.raises(UserError, match="me_trpo_async on pendulum: "):
        run_study(scale, ARMS, tmp_path / "none", workers=1)
    assert not (tmp_path / "none").exists()
