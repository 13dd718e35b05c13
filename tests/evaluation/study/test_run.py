"""A study from description to report, at the smoke scale and with few methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.evaluation.study import learn, run
from ros_mbmrl.evaluation.study.comparisons import Evidence
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.judge import Trial, begin_of
from ros_mbmrl.evaluation.study.learn import Learning
from ros_mbmrl.evaluation.study.run import Runner, digest
from ros_mbmrl.evaluation.study.studies import SCALES, make_study
from ros_mbmrl.evaluation.study.tuning import candidates
from ros_mbmrl.evaluation.study.worlds import situations_of
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


def test_curves_end_with_all_of_the_data(done: tuple[Path, dict]) -> None:
    own = [row for row in done[1]["curves"] if row["method"] == "grbal"]
    training = SCALE.training  # every other round, the last one among them
    assert {row["transitions"] for row in own} == {training.transitions(training.rounds)}
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


def test_more_training_seeds_go_on_from_what_is_finished(
    done: tuple[Path, dict], tmp_path: Path
) -> None:
    known = [job.key for job in _jobs(done[0], SCALE)]
    more = _jobs(done[0], replace(SCALE, train_seeds=2))
    assert [job.key for job in more if job.train_seed == 0] == known
    assert {job.train_seed for job in more} == {0, 1}
    later = _jobs(tmp_path, SCALE, first_train_seed=3)
    assert {job.train_seed for job in later} == {3}


def _jobs(out: Path, scale: Scale, first_train_seed: int = 0) -> list[Learning]:
    runner = Runner(STUDY, scale, METHODS, out, workers=1, first_train_seed=first_train_seed)
    return [runner._learning("mb", seed) for seed in runner.seeds]


class Killed(BaseException):
    """The end of the process."""


@pytest.mark.parametrize("method", ["mb", "grbal"])
def test_a_study_that_is_killed_goes_on(
    done: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    fit, judge = learn._fit, run.judge

    def dies_between_rounds(job: Learning, *more: Any) -> LoadedModel:
        fitted = fit(job, *more)
        if job.method == method:
            raise Killed
        return fitted

    def dies_with_rollouts_alone(job: Trial) -> tuple[str, dict]:
        found = judge(job)
        if job.method == method:
            raise Killed
        return found

    def go_on() -> dict:
        return Runner(STUDY, SCALE, ("mb", "grbal", "random"), tmp_path, workers=1).run()

    monkeypatch.setattr(learn, "_fit", dies_between_rounds)
    with pytest.raises(Killed):
        go_on()
    monkeypatch.setattr(learn, "_fit", fit)
    monkeypatch.setattr(run, "judge", dies_with_rollouts_alone)
    with pytest.raises(Killed):
        go_on()
    monkeypatch.setattr(run, "judge", judge)
    rows = go_on()["rows"]
    assert rows == [r for r in done[1]["rows"] if r["method"] in ("mb", "grbal", "random")]


def test_what_was_not_trained_is_held_against_all_training_seeds(tmp_path: Path) -> None:
    scale = replace(SCALE, train_seeds=2, physics_episodes=2)
    methods = ("mb", "true_model", "random")
    rows = Runner(STUDY, scale, methods, tmp_path, workers=1).run()["rows"]
    seeds = {m: [r["train_seed"] for r in rows if r["method"] == m] for m in methods}
    assert set(seeds["mb"]) == {0, 1} and set(seeds["true_model"]) == {None}
    assert len(seeds["random"]) == scale.episodes * len(STUDY.conditions)
    key = ("true_model", "mb", ("unseen",), "return")
    found = Evidence(rows).compare(key, np.random.default_rng(0), 100)
    assert found is not None and (found.n_train_seeds, found.n_episodes) == (2, 2)


def test_an_arm_has_goals_and_is_trained_on_ranges_of_forces(tmp_path: Path) -> None:
    study = replace(make_study("arm-force"), forces=(0.0, 2.0))
    methods = ("grbal", "nominal", "maml_rl")
    found = Runner(study, replace(SCALE, model_free=60), methods, tmp_path, workers=1).run()
    assert {row["method"] for row in found["rows"]} == set(methods)
    assert all(row["return"] < 0 for row in found["rows"])
    cells = {(row["training_force"], row["condition"]) for row in found["forces"]}
    assert cells == {(force, name) for force in study.forces for name in study.conditions}
    at_rest, pushed = (dataset.load([tmp_path / f"data/seed-0-force-{f}/round-0"]) for f in (0, 2))
    assert all("force" not in r.tags for r in at_rest) and all("force" in r.tags for r in pushed)


def test_situations_are_paired_and_their_change_is_known() -> None:
    situations = situations_of(STUDY, ("unseen", "switching"), (1, 2), 10.0)
    assert situations == situations_of(STUDY, ("unseen", "switching"), (1, 2), 10.0)
    assert [begin_of(situation) for situation in situations] == [0.0, 0.0, 5.0, 5.0]


def test_every_method_learns_from_the_whole_ensemble(tmp_path: Path) -> None:
    training = replace(SCALE.training, members=2, value=True)
    planner = {"num_samples": 8, "horizon": 3, "iterations": 2}
    scale = replace(SCALE, training=training, controller="icem", planner=planner)
    learned = ("mb", "residual", "grbal", "rebal", "causes")
    methods = (*learned, "causes_told", "causes_well")
    found = Runner(STUDY, scale, methods, tmp_path, workers=1).run()
    assert {row["method"] for row in found["rows"]} == set(methods)
    assert {row["method"] for row in found["rows"] if "diagnosis" in row} == {"causes"}
    assert {row["method"] for row in found["errors"]} == set(learned)
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"collector", *learned}
    robot = make_robot("half_cheetah")
    models = {m: load_model(tmp_path / f"models/{m}/0", robot) for m in learned}
    assert all(loaded.model.mlp.members == 2 for loaded in models.values())  # type: ignore[attr-defined]
    collector = load_model(tmp_path / "models/collector/0", robot).value
    states = torch.randn(3, len(robot.spec.state), generator=torch.Generator().manual_seed(0))
    for loaded in models.values():  # all end their plans with the collector's values
        assert collector is not None and loaded.value is not None
        assert torch.equal(loaded.value(states), collector(states))
    mb, residual = models["mb"].parameters, models["residual"].parameters
    assert torch.equal(residual["member.1.w0"], mb["member.1.w0"])
    for own in ("psi.w0", "psi.b1"):
        assert f"member.1.{own}" in models["grbal"].parameters
    # Of the causes, the slope has no input where no slope was met.
    assert models["causes"].parameters["causes.values"].shape == (13, 6)
    assert models["causes"].model.robot.spec.features == robot.spec.features


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "robot", "causes"),
    [
        ("cheetah-slope", "half_cheetah", ("slope",)),
        ("arm-force", "arm_7dof", ("force_x", "force_y", "force_z")),
    ],
)
def test_causes_beside_the_actuators_are_inferred_and_told(
    tmp_path: Path, name: str, robot: str, causes: tuple[str, ...]
) -> None:
    study = replace(make_study(name), vary_window=False, forces=())
    training = replace(SCALE.training, members=2, value=True)
    methods = ("mb", "causes", "causes_told", "causes_well")
    found = Runner(study, replace(SCALE, training=training), methods, tmp_path, workers=1).run()
    assert {row["method"] for row in found["rows"]} == set(methods)
    assert {row["method"] for row in found["rows"] if "estimates" in row} == {"causes"}
    assert not any("diagnosis" in row for row in found["rows"])
    models = (load_model(tmp_path / f"models/{m}/0", make_robot(robot)) for m in ("mb", "causes"))
    plain, inferring = (loaded.model.robot.spec.features for loaded in models)
    assert inferring == (*plain, *causes)
