"""The base's parts, left out one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.evaluation.study.ablation import (
    BASE,
    ROUNDS,
    SCALE,
    STUDY,
    WITHOUT,
    ablate,
    shortened,
    table,
)
from ros_mbmrl.evaluation.study.studies import SMOKE, make_study
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.half_cheetah import UnwrappedHalfCheetah

FULL = make_study(STUDY).at(SCALE)


@pytest.mark.parametrize("name", [name for name in WITHOUT if name != BASE])
def test_every_variant_differs_from_the_base_alone(name: str) -> None:
    base, variant = WITHOUT[BASE](FULL), WITHOUT[name](FULL)
    assert base == FULL != variant
    assert variant.training.transitions(20) == base.training.transitions(20)
    assert variant.episodes == base.episodes


def test_a_base_is_judged_after_half_of_the_data() -> None:
    assert shortened(FULL).training.rounds == ROUNDS < FULL.training.rounds
    assert shortened(SMOKE).training.rounds == SMOKE.training.rounds


def test_it_resumes_and_tells_each_variants_share_of_the_base(tmp_path: Path) -> None:
    smoke = replace(SMOKE, train_seeds=1, training=replace(SMOKE.training, value=True))
    names = (BASE, "pitch unwrapped")
    rows = ablate(make_study(STUDY), smoke, tmp_path, names, workers=1)
    assert rows == ablate(make_study(STUDY), smoke, tmp_path, names, workers=1)
    assert {row["variant"] for row in rows} == set(names)
    (folder,) = (tmp_path / "pitch_unwrapped" / "models" / "mb").glob("0")
    loaded = load_model(folder, make_robot("half_cheetah"))
    assert isinstance(loaded.model.robot, UnwrappedHalfCheetah)

    fixed = [{**row, "return": 4.0 if row["variant"] == BASE else 3.0} for row in rows]
    told = table(fixed, np.random.default_rng(0))
    assert [line[0] for line in told.rows] == list(names)
    assert [line[-1] for line in told.rows] == ["1.00", "0.75"]
