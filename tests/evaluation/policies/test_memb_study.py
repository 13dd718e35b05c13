"""Table 2 in the study's settings; test_studies.py configures every pair of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.evaluation.policies.memb_study import CHEETAH, MEMB_STUDY, TRUE
from ros_mbmrl.evaluation.policies.training import Training, train
from ros_mbmrl.robots.pendulum import PENDULUM


def job(entry: str, place: str, scale: str, point: int, out: Path) -> Training:
    return Training(MEMB_STUDY.at(scale), MEMB_STUDY.entry(entry), place, 0, point, out)


def test_table_2() -> None:
    cheetah = job("memb", CHEETAH, "paper", 10_000, Path()).config
    assert (cheetah.updates, cheetah.soft.temperature, cheetah.own.value_rate) == (5, 0.4, 1e-3)
    assert cheetah.soft.hidden == (256, 256) and cheetah.model.hidden == (256, 128)
    walker = job("memb", "mbbl-walker2d", "paper", 10_000, Path()).config
    assert (walker.updates, walker.own.value_rate, walker.model.hidden) == (3, 3e-4, (256, 256))
    swing = job("memb_h5", PENDULUM, "paper", 10_000, Path()).config
    assert swing.own.expansion == 5 and swing.own.value_rate == 3e-4 and swing.horizon == 200
    assert (swing.soft.temperature, swing.model.hidden) == (0.2, (32, 16))


def test_the_true_model_is_asked_where_it_is_known() -> None:
    places = {place for place, entry in MEMB_STUDY.pairs(MEMB_STUDY.at("paper"), (TRUE.name,))}
    assert places == {PENDULUM}
    config = job(TRUE.name, PENDULUM, "paper", 10_000, Path()).config
    assert config.true_model and not config.learned_reward


@pytest.mark.parametrize("entry", ["memb_true", "sac"])
def test_a_job_goes_on_from_the_point_before(entry: str, tmp_path: Path) -> None:
    rows = [train(job(entry, PENDULUM, "smoke", point, tmp_path))[1] for point in (200, 400)]
    _, whole = train(job(entry, PENDULUM, "smoke", 400, tmp_path / "other"))
    assert [row["transitions"] for row in rows] == [200, 400]
    assert {**rows[1], "seconds": 0} == {**whole, "seconds": 0}
    assert len(whole["returns"]) == 2 and whole["return_before"] is None
