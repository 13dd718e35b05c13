"""A job trains to its point from the one before, and tells the policy's figures there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.policies.studies import make_policy_study
from ros_mbmrl.evaluation.policies.training import Training, train
from ros_mbmrl.learning.run import CHECKPOINT

CORNERS = "point_corners"


def job_of(study: str, entry: str, place: str, point: int, out: Path) -> Training:
    found = make_policy_study(study)
    return Training(found.at("smoke"), found.entry(entry), place, 0, point, out)


def test_a_curve_that_is_gone_on_with_is_that_of_one_run(tmp_path: Path) -> None:
    jobs = [job_of("promp", "lvc_trpo", CORNERS, n, tmp_path / "a") for n in (800, 1600)]
    rows = [train(job)[1] for job in jobs]
    assert jobs[0].folder == jobs[1].folder and (jobs[0].folder / CHECKPOINT).exists()
    _, whole = train(replace(jobs[1], out=tmp_path / "b"))
    assert [row["transitions"] for row in rows] == [800, 1600]
    assert {**rows[1], "seconds": 0} == {**whole, "seconds": 0}
    assert len(whole["returns"]) == 2 and len(whole["paths"]["goals"]) == 2
    assert whole["return_before"] is not None and "imagined" not in whole


def test_a_checkpoint_beyond_the_point_is_not_taken_for_it(tmp_path: Path) -> None:
    job = job_of("promp", "lvc_trpo", CORNERS, 1600, tmp_path)
    train(job)
    with pytest.raises(UserError, match="its checkpoint is at 1600 transitions, expected up to 80"):
        train(replace(job, point=800))


@pytest.mark.parametrize(("study", "entry"), [("me-trpo", "me_trpo"), ("mb-mpo", "mb_mpo")])
def test_what_learns_in_models_tells_their_optimism(study: str, entry: str, tmp_path: Path) -> None:
    place = "me-trpo-half-cheetah" if study == "me-trpo" else "mb-mpo-swimmer"
    key, row = train(job_of(study, entry, place, 400, tmp_path))
    assert key == job_of(study, entry, place, 400, tmp_path / "elsewhere").key
    assert row["optimism"] == pytest.approx(row["imagined"] - row["return"])
    assert row["return"] == pytest.approx(sum(row["returns"]) / 2)
    assert row["return_before"] is None and row["updates"] >= 1
    assert (row["method"], row["condition"], row["transitions"]) == (entry, place, 400)


def test_a_key_is_of_all_that_decides_the_outcome(tmp_path: Path) -> None:
    job = job_of("me-trpo", "me_trpo", "me-trpo-half-cheetah", 400, tmp_path)
    others = [
        replace(job, train_seed=1),
        replace(job, point=800),
        replace(job, environment="me-trpo-ant"),
        replace(job, scale=replace(job.scale, tests=3)),
        replace(job, scale=replace(job.scale, first_test=3)),
        job_of("me-trpo", "me_trpo_10", "me-trpo-half-cheetah", 400, tmp_path),
    ]
    assert len({each.key for each in (job, *others)}) == 7


def test_a_setting_that_the_method_does_not_take_is_named(tmp_path: Path) -> None:
    job = job_of("promp", "promp", CORNERS, 400, tmp_path)
    wrong = replace(job, entry=replace(job.entry, settings={"clop": 1}))
    with pytest.raises(UserError, match="promp on point_corners: unknown setting 'clop'"):
        assert wrong.config


def test_points_at_the_centre_tell_how_far_adaptation_goes_where(tmp_path: Path) -> None:
    told = train(job_of("mb-mpo", "mb_mpo", "point_centre", 400, tmp_path))[1]["plasticity"]
    assert len(told["states"]) == len(told["divergence"]) == len(told["disagreement"]) == 441
    assert min(told["divergence"]) >= 0 and -1 <= told["correlation"] <= 1
