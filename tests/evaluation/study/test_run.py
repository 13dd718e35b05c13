"""A study from description to report, at the smoke scale and with few methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.judge import begin_of
from ros_mbmrl.evaluation.study.learn import Learning, situations_of
from ros_mbmrl.evaluation.study.run import Runner, digest
from ros_mbmrl.evaluation.study.studies import SCALES, make_study
from ros_mbmrl.evaluation.study.tuning import candidates
from ros_mbmrl.robots import make_robot

STUDY = replace(make_study("cheetah-disabled"), vary_window=False)
METHODS = ("mb", "residual", "grbal", "mb_oracle", "random")
SCALE: Scale = replace(SCALES["smoke"], train_seeds=1)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("study")
    return out, Runner(STUDY, SCALE, METHODS, out, workers=1).run()


def test_all_methods_meet_the_same_episodes(done: tuple[Path, dict]) -> None:
    met = {
        method: {(r["condition"], r["seed"]) for r in done[1]["rows"] if r["method"] == method}
        for method in METHODS
    }
    assert set(met) == set(METHODS)
    assert all(cells == met["mb"] for cells in met.values())
    assert len(met["mb"]) == SCALE.episodes * len(STUDY.conditions)


def test_curves_have_a_point_for_every_round_and_condition(done: tuple[Path, dict]) -> None:
    own = [row for row in done[1]["curves"] if row["method"] == "grbal"]
    sizes = {SCALE.training.transitions(k) for k in range(SCALE.training.rounds + 1)}
    assert {row["transitions"] for row in own} == sizes
    assert {row["condition"] for row in own} == set(STUDY.conditions)


def test_errors_are_of_the_same_windows_for_every_model(done: tuple[Path, dict]) -> None:
    for condition in STUDY.conditions:
        own = [r for r in done[1]["errors"] if r["condition"] == condition]
        assert [r["method"] for r in own] == ["mb", "residual", "grbal"]
        assert all((r["rollout"], r["time"]) == (own[0]["rollout"], own[0]["time"]) for r in own)
    mb = next(r for r in done[1]["errors"] if r["method"] == "mb")
    assert mb["before"] == mb["after"]


def test_the_best_setting_on_validation_is_the_models(done: tuple[Path, dict]) -> None:
    out, found = done
    tried = [row for row in found["tuning"] if row["method"] == "residual"]
    assert len(tried) == len(candidates("residual"))
    (chosen,) = (row for row in tried if row["chosen"])
    assert chosen["return"] == max(row["return"] for row in tried)
    card = load_model(out / "models/residual/0", make_robot("half_cheetah")).card
    assert card["options"] == {"gain": chosen["gain"]}
    assert len(card["tuning"]) == len(tried)


def test_a_finished_study_is_not_run_again(done: tuple[Path, dict]) -> None:
    out, found = done
    before = digest(out / "models")
    assert Runner(STUDY, SCALE, METHODS, out, workers=1).run() == found
    assert digest(out / "models") == before


def test_who_gathers_and_where() -> None:
    def job(method: str, **more: object) -> Learning:
        return Learning(STUDY.name, SCALE, method, 3, Path("out"), **more)  # type: ignore[arg-type]

    assert job("mb").gathers and not job("grbal").gathers
    assert job("mb").data == job("grbal").data == job("grbal", window=8).data
    oracle = job("mb_oracle", condition="unseen")
    assert oracle.gathers and oracle.trained == "mb" and oracle.data != job("mb").data
    assert job("grbal", force=2.0).gathers
    assert len({job("mb").key, job("grbal").key, oracle.key, job("grbal", window=8).key}) == 4


def test_situations_are_paired_and_their_change_is_known() -> None:
    situations = situations_of(STUDY, ("unseen", "switching"), (1, 2), 10.0)
    assert situations == situations_of(STUDY, ("unseen", "switching"), (1, 2), 10.0)
    assert [begin_of(situation) for situation in situations] == [0.0, 0.0, 5.0, 5.0]
