"""Models that are there on a study's conditions: the same episodes as the study's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.evaluation.study import judging
from ros_mbmrl.evaluation.study.existing import find_entrants
from ros_mbmrl.evaluation.study.judge import Trial, judge
from ros_mbmrl.evaluation.study.judging import Judging, summarise, tables
from ros_mbmrl.evaluation.study.run import digest
from ros_mbmrl.evaluation.study.studies import SCALES, make_study

STUDY = make_study("cheetah-disabled")
SCALE = replace(SCALES["smoke"], physics_episodes=1)
MODELS = Path(__file__).parents[3] / "models" / "half_cheetah"


def _job(out: Path, *methods: str) -> Judging:
    entrants = find_entrants("half_cheetah", [MODELS / method for method in methods])
    return Judging(STUDY, SCALE, entrants, ("random", "true_model"), out)


def test_the_episodes_and_returns_are_those_of_a_study(tmp_path: Path) -> None:
    rows = _job(tmp_path, "mb", "grbal").rows(workers=1)
    met = {
        m: {(r["condition"], r["seed"]) for r in rows if r["method"] == m} for m in ("mb", "random")
    }
    assert met["mb"] == met["random"]
    assert met["mb"] == {(c, s) for c in STUDY.conditions for s in (1000, 1001)}
    assert [r["seed"] for r in rows if r["method"] == "true_model"] == [1000] * 3
    assert {r["train_seed"] for r in rows if r["method"] in ("mb", "grbal")} == {0}
    assert {r["train_seed"] for r in rows if r["method"] == "random"} == {None}
    what = (STUDY.name, SCALE, "mb", 0, STUDY.conditions, 1000, 2, tmp_path, MODELS / "mb")
    _, own = judge(Trial(*what, digest(MODELS / "mb")))
    returns = [r["return"] for r in rows if r["method"] == "mb"]
    np.testing.assert_allclose(returns, [r["return"] for r in own["rows"]], rtol=1e-5)


def test_what_is_finished_is_kept_and_more_models_can_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _job(tmp_path, "mb").rows(workers=1)
    monkeypatch.setattr(judging, "judge", None)  # running anything again would fail
    assert _job(tmp_path, "mb").rows(workers=1) == rows


def test_means_and_standard_errors_by_hand() -> None:
    rows = [
        {
            **{"method": "mb", "train_seed": 0, "condition": "unseen", "seed": k},
            **{"return": value, "safety_stops": k % 2, "prediction_error_prior": 0.5},
            "prediction_error_adapted": 0.25,
        }
        for k, value in enumerate((1.0, 2.0, 3.0, 6.0))
    ]
    alone = {"method": "random", "train_seed": None, "condition": "unseen", "seed": 0}
    rows.append({**alone, "return": -1.0, "safety_stops": 0})
    rng = np.random.default_rng(0)
    mb, random = summarise(STUDY, rows, rng)["returns"]
    assert (mb["return"], mb["n_train_seeds"], mb["n_episodes"], mb["safety_stops"]) == (3, 1, 4, 2)
    assert mb["standard_error"] == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    assert random["standard_error"] is random["prediction_error_prior"] is None
    (table,) = tables(summarise(STUDY, rows, rng))
    assert list(table.rows) == [
        ("MB", "3.00 (1.08)", "0.5 > 0.25", "1 x 4", "2"),
        ("random", "-1.00", "", "1 x 1", "0"),
    ]
