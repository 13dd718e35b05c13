"""Settings tried on validation situations, and the model of a method on another's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.studies import SCALES
from ros_mbmrl.evaluation.study.tuning import FIRST_SEED, Tuning, candidates, derive, score
from ros_mbmrl.robots import make_robot

SCALE: Scale = replace(
    SCALES["smoke"], training=replace(SCALES["smoke"].training, steps=6), tuning_episodes=2
)
ROBOT = "arm_7dof"


def job(folder: Path, gain: float = 0.5, **changes: Any) -> Tuning:
    made = Tuning("arm-force", SCALE, "residual", (("gain", gain),), folder, "digest")
    return replace(made, **changes)


@pytest.fixture
def base(untrained: Callable[..., Path], tmp_path: Path) -> Path:
    """An untrained model of the arm, with a study's card."""
    folder = untrained(ROBOT, tmp_path) / "mb"
    loaded = load_model(folder, make_robot(ROBOT))
    kept = {"adapt_windows": [2, 4], "predict_window": 4, "horizon": 3, "guard": {"folds": 2}}
    facts = {**loaded.card, **kept, "scores": {"loss": 0.5}, "data": [], "training": {"steps": 6}}
    save_model(folder, loaded.model, loaded.parameters, {**facts, "notes": "of mb"})
    return folder


def test_the_candidates_are_the_coarse_grid() -> None:
    gains = [(("gain", gain),) for gain in (0.25, 0.5, 0.75, 1.0)]
    assert candidates("residual") == gains
    assert len(candidates("mb_de")) == 2 * 1 * 3  # steps, step, bias_step
    assert candidates("mb") == []


def test_each_fact_that_decides_the_outcome_is_in_the_key(tmp_path: Path) -> None:
    one = job(tmp_path)
    assert one.key == job(tmp_path / "elsewhere").key  # the digest tells the model, not the folder
    others = [
        job(tmp_path, gain=0.75),
        job(tmp_path, digest="another"),
        job(tmp_path, method="last_layer"),
        job(tmp_path, scale=SCALES["small"]),
    ]
    assert len({one.key, *(other.key for other in others)}) == 5


def test_a_score_is_of_validation_episodes_and_the_same_again(base: Path) -> None:
    key, row = score(job(base))
    assert key == job(base).key
    assert {name: row[name] for name in ("method", "gain")} == {"method": "residual", "gain": 0.5}
    assert row["return"] < 0 and math.isfinite(row["error"])  # a distance, and a model's error
    assert score(job(base)) == (key, row)


def test_no_validation_episode_has_the_seed_of_a_test_episode() -> None:
    lasts = [FIRST_SEED + scale.tuning_episodes - 1 for scale in SCALES.values()]
    firsts = [scale.first_episode for scale in SCALES.values()]
    assert max(lasts) < min(firsts)


def test_a_method_on_anothers_model_has_its_weights_and_its_own_options(
    base: Path, tmp_path: Path
) -> None:
    record = [{"gain": 0.75, "return": -1.0, "chosen": True}]
    derive(base, tmp_path / "new", ROBOT, "residual", {"gain": 0.75}, record)
    before, after = (load_model(each, make_robot(ROBOT)) for each in (base, tmp_path / "new"))
    assert all(torch.equal(after.parameters[n], v) for n, v in before.parameters.items())
    card = after.card
    assert (card["method"], card["options"], card["tuning"]) == ("residual", {"gain": 0.75}, record)
    assert card["trained_as"] == "mb" and card["guard"] == {"folds": 2}
    assert "notes" not in card
