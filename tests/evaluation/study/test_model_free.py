"""Policies of a study: trained to the budget, kept in a folder, and the curve of their returns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.model_free import Practice, practise
from ros_mbmrl.evaluation.study.studies import SCALES
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot

SCALE: Scale = replace(
    SCALES["smoke"], training=replace(SCALES["smoke"].training, steps=4), model_free=80
)


def job(folder: Path, **changes: Any) -> Practice:
    return replace(Practice("arm-force", SCALE, "maml_rl", 1, folder), **changes)


def test_the_curve_ends_with_the_budget_and_the_policy_is_kept(tmp_path: Path) -> None:
    key, row = practise(job(tmp_path / "one"))
    assert key == job(tmp_path / "one").key
    curve = row["curve"]
    of = {"method": "maml_rl", "train_seed": 1, "condition": "training"}
    assert all(of.items() <= point.items() for point in curve)
    assert [point["transitions"] for point in curve] == [40, 80]
    assert all(point["return"] < 0 for point in curve)  # minus a distance
    card = load_policy(tmp_path / "one", make_robot("arm_7dof")).card
    assert (card["method"], card["seed"], card["study"]) == ("maml_rl", 1, "arm-force")
    assert [each["mean_return"] for each in card["curve"]] == [each["return"] for each in curve]


def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    short = replace(SCALE, model_free=40)
    practise(job(tmp_path / "one", scale=short))
    _, resumed = practise(job(tmp_path / "one"))
    assert resumed == practise(job(tmp_path / "two"))[1]
    with pytest.raises(UserError, match="of another run: seed is 1, expected 2"):
        practise(job(tmp_path / "one", train_seed=2))


@pytest.mark.parametrize(
    "change", [{"method": "trpo"}, {"train_seed": 2}, {"study": "ant-crippled"}]
)
def test_each_fact_that_decides_the_outcome_is_in_the_key(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    assert job(tmp_path).key == job(tmp_path / "elsewhere").key
    assert job(tmp_path, **change).key != job(tmp_path).key
    assert job(tmp_path, scale=replace(SCALE, model_free=200)).key != job(tmp_path).key
