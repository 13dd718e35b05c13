"""Planners over the same episodes: what is counted, paired, refused, and never run again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import planner_curve
from ros_mbmrl.evaluation.planner_curve import Curve, make_jobs, summarise, table
from ros_mbmrl.evaluation.planner_settings import REFERENCE, SETTINGS


def rows_of(costs: dict[str, Sequence[float]]) -> list[dict[str, Any]]:
    """An episode a seed: the reference's and others' costs."""
    named = {setting.name: setting for setting in SETTINGS}
    return [
        {
            "robot": "hexapod",
            "setting": name,
            "family": named[name].family,
            "operations": named[name].operations((1, 1)),
            "condition": "none",
            "path": "left",
            "seed": seed,
            "cost": cost,
            "cross_track_mean_m": cost / 100,
            "plan_ms_p50": 2.0,
            "safety_stops": 0,
        }
        for name, values in costs.items()
        for seed, cost in enumerate(values)
    ]


def test_a_summary_is_paired_with_the_reference() -> None:
    reference = [1.0, 2.0, 3.0, 4.0, 10.0]
    half = [0.5 * cost for cost in reference]
    rows = rows_of({REFERENCE.name: reference, "mppi 125 x 5": half})
    cheap, whole = summarise(rows[::-1], np.random.default_rng(0))
    assert cheap["setting"] == "mppi 125 x 5"
    assert cheap["operations_ratio"] == pytest.approx(125 * 5 / (1000 * 10))
    assert cheap["cost"] == pytest.approx(2.0)
    # Paired: whichever episodes are drawn, the ratio is a half.
    assert cheap["cost_interval"] == pytest.approx((0.5, 0.5))
    assert (cheap["as_good"], whole["as_good"]) == (True, True)


def test_what_may_be_worse_is_not_as_good() -> None:
    rows = rows_of({REFERENCE.name: [1.0] * 6, "mppi 64 x 5": [0.7, 0.8, 0.9, 1.0, 1.1, 1.4]})
    (cheap, _) = summarise(rows, np.random.default_rng(0))
    assert cheap["cost_ratio"] < 1
    assert cheap["as_good"] is False


def test_a_table_has_a_line_a_setting() -> None:
    rows = rows_of({REFERENCE.name: [1.0] * 3, "mppi 64 x 5": [0.5] * 3})
    lines = table(summarise(rows, np.random.default_rng(0)), "hexapod").splitlines()
    assert lines[2].startswith("| mppi 64 x 5 | 0.032 | 2.0 | 0.5 | 0.500 | 0.005 | 0.500 |")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"settings": ("mppi 1 x 1",)}, "unknown setting 'mppi 1 x 1': expected one of"),
        ({"experiment": "hexapod"}, "unknown experiment"),
        ({"method": "wizardry"}, "no model for method 'wizardry'"),
        ({"seeds": 0}, "seeds >= 1"),
        ({"experiment": "pr2-arm", "duration": 0.5}, "1 s or more"),
        ({"workers": 0}, "workers: expected at least 1"),
    ],
)
def test_bad_input_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make_jobs(Curve(**wrong))


def test_every_setting_meets_the_same_episodes() -> None:
    jobs = make_jobs(Curve(experiment="pr2-arm", seeds=2, settings=("mppi 64 x 5",)))
    met = {
        name: [job.what for job in jobs if job.setting.name == name]
        for name in (REFERENCE.name, "mppi 64 x 5")
    }
    assert met[REFERENCE.name] == met["mppi 64 x 5"]
    assert len({job.key for job in jobs}) == len(jobs) == 2 * 2 * len(planner_curve.ARM_FAULTS)


def test_a_run_writes_its_files_and_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def run_job(job: planner_curve.Job) -> tuple[str, dict[str, Any]]:
        ran.append(job.key)
        (row,) = rows_of({job.setting.name: [1.0]})
        assert not isinstance(job.what, tuple)
        row |= {"condition": job.what.condition, "path": job.what.scenario.path}
        return job.key, row

    monkeypatch.setattr(planner_curve, "run_job", run_job)
    words = ["--seeds", "1", "--out", str(tmp_path / "out"), "--json", str(tmp_path / "c.json")]
    words += ["--workers", "1", "--settings", "mppi 64 x 5"]
    monkeypatch.setattr(sys, "argv", ["planner_curve", *words])
    planner_curve.main()
    count = len(ran)
    planner_curve.main()
    assert len(ran) == count == 2 * 14  # validation's conditions and paths
    assert "| mppi 64 x 5 |" in capsys.readouterr().out
    assert (tmp_path / "out" / "hexapod-validation.png").stat().st_size > 1000
    assert len(json.loads((tmp_path / "c.json").read_text())["rows"]) == 2


def test_an_episode_of_each_robot() -> None:
    pytest.importorskip("mujoco")
    for experiment in ("hexapod-validation", "pr2-arm"):
        curve = Curve(experiment, seeds=1, duration=1.0, settings=("mppi 32 x 5",))
        job = next(job for job in make_jobs(curve) if job.setting.name == "mppi 32 x 5")
        key, row = planner_curve.run_job(job)
        assert key == job.key
        assert row["cost"] > 0
        json.dumps(row, allow_nan=False)
