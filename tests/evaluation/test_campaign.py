"""What is finished is never run again, and never taken for something else's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ros_mbmrl.episodes import hexapod as closed_loop
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import campaign
from ros_mbmrl.evaluation.campaign import Entrant, Job
from ros_mbmrl.evaluation.experiments import EXPERIMENTS, cells
from ros_mbmrl.simulation import faults
from ros_mbmrl.simulation.faults import Effect

ENTRANT = Entrant("mb", Path("mb"), "hexapod", "abc", 0)
JOBS = [Job(ENTRANT, cell) for cell in cells(EXPERIMENTS["hexapod-ood"], 1, 0, 5.0)]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that were really run, by a stand-in for the episode."""
    log: list[Job] = []

    def run_job(job: Job) -> tuple[str, dict[str, Any]]:
        log.append(job)
        return job.key, {"method": job.entrant.method, "outcome": len(log)}

    monkeypatch.setattr(campaign, "run_job", run_job)
    return log


def test_a_second_run_runs_nothing_and_gives_the_same(ran: list[Job], tmp_path: Path) -> None:
    first = campaign.run(JOBS, tmp_path, workers=1)
    assert ran == JOBS
    assert campaign.run(JOBS, tmp_path, workers=1) == first
    assert ran == JOBS


def test_an_interrupted_run_goes_on_where_it_was(
    ran: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = campaign.run_job

    def interrupted(job: Job) -> tuple[str, dict[str, Any]]:
        if len(ran) == 3:
            raise KeyboardInterrupt
        return whole(job)

    monkeypatch.setattr(campaign, "run_job", interrupted)
    with pytest.raises(KeyboardInterrupt):
        campaign.run(JOBS, tmp_path, workers=1)
    rows = tmp_path / campaign.ROWS
    rows.write_text(rows.read_text() + '{"key": "cut sho')  # killed in the middle of a line
    monkeypatch.setattr(campaign, "run_job", whole)
    result = campaign.run(JOBS, tmp_path, workers=1)
    assert [row["outcome"] for row in result] == list(range(1, len(JOBS) + 1))
    assert ran == JOBS
    assert set(campaign.read(rows)) == {job.key for job in JOBS}


def test_another_model_or_scenario_is_run_anew(ran: list[Job], tmp_path: Path) -> None:
    job = JOBS[0]
    retrained = Job(replace(ENTRANT, digest="abd"), job.cell)
    longer = Job(ENTRANT, replace(job.cell, scenario=replace(job.cell.scenario, duration=6.0)))
    campaign.run([job], tmp_path, workers=1)
    campaign.run([retrained, longer], tmp_path, workers=1)
    assert ran == [job, retrained, longer]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("PathWeights", {"cross_track": 0.03}),
        ("MPPIConfig", {"num_samples": 499}),
        ("GuardConfig", {"folds": 3}),
        ("SafetyConfig", {"limited_range": 0.5}),
    ],
)
def test_another_default_is_run_anew(
    monkeypatch: pytest.MonkeyPatch, part: str, value: dict[str, float]
) -> None:
    before = JOBS[0].key
    assert JOBS[0].key == before
    made = getattr(closed_loop, part)
    monkeypatch.setattr(closed_loop, part, lambda **given: made(**given, **value))
    assert JOBS[0].key != before


def test_another_planner_or_setting_of_it_is_run_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = JOBS[0].key
    assert replace(JOBS[0], controller="cem").key != before
    monkeypatch.setattr(closed_loop, "planned_with", lambda robot: ("mppi", {"horizon": 4}))
    assert JOBS[0].key != before


def test_a_fault_or_twin_that_became_another_is_run_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = (
        job for job in JOBS if job.cell.condition == "slope" and "8" in job.cell.scenario.path
    )
    before = job.key
    twin = closed_loop.calibrated()
    heavier = replace(twin, telemetry=replace(twin.telemetry, battery=3.8))
    with monkeypatch.context() as patch:
        patch.setattr(closed_loop, "calibrated", lambda: heavier)
        assert job.key != before
    monkeypatch.setitem(faults.FAULTS, "slope", Effect(slope=0.3))
    assert job.key != before


def test_a_renamed_model_keeps_its_rows_under_its_new_name(ran: list[Job], tmp_path: Path) -> None:
    campaign.run(JOBS[:1], tmp_path, workers=1)
    renamed = replace(ENTRANT, method="plain", folder=Path("plain"))
    (row,) = campaign.run([Job(renamed, JOBS[0].cell)], tmp_path, workers=1)
    assert row["method"] == "plain"
    assert len(ran) == 1


def test_lines_of_other_making_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(["[1]", "7", "{}", "", json.dumps({"key": "k", "a": 1})]))
    assert campaign.read(file) == {"k": {"a": 1}}


def test_a_folder_that_cannot_be_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="out:"):
        campaign.run(JOBS, tmp_path / "file" / "under", workers=1)


def test_episodes_run_on_one_thread() -> None:
    torch.set_num_threads(2)
    closed_loop.pin_threads()
    assert torch.get_num_threads() == 1
