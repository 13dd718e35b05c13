"""Points are run in their order, each once, and a folder keeps to one study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.policies import run as running
from ros_mbmrl.evaluation.policies.run import Runner
from ros_mbmrl.evaluation.policies.studies import make_policy_study
from ros_mbmrl.evaluation.policies.training import Training

STUDY = make_policy_study("me-trpo")
SCALE = replace(STUDY.at("smoke"), train_seeds=2)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """Jobs in the order in which they are done; nothing is trained."""
    done: list[Training] = []

    def train(job: Training) -> tuple[str, dict[str, Any]]:
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(job)
        return job.key, {"method": job.entry.name, "transitions": job.point}

    monkeypatch.setattr(running, "train", train)
    return done


def test_an_interrupted_study_goes_on(trained: list[Training], tmp_path: Path) -> None:
    names = ("me_trpo", "trpo")
    with pytest.raises(KeyboardInterrupt):
        Runner(STUDY, SCALE, names, tmp_path, workers=1).run()
    assert [job.point for job in trained] == [400] * 4 + [800]
    first = list(trained)
    trained.clear()
    rows = Runner(STUDY, SCALE, names, tmp_path, workers=1).run()
    assert [job.point for job in trained] == [800] * 3
    assert not {job.key for job in first} & {job.key for job in trained}
    assert [row["transitions"] for row in rows] == [400] * 4 + [800] * 4


def test_a_shorter_curve_ends_earlier(tmp_path: Path) -> None:
    kinds = {e.kind for e in STUDY.entries}
    points = {kind: (400, 800, 1200) if kind.value == "model-free" else (400,) for kind in kinds}
    runner = Runner(STUDY, replace(SCALE, points=points), ("me_trpo", "trpo"), tmp_path)
    rounds = [[job.entry.name for job in jobs] for jobs in runner.rounds()]
    assert rounds == [["me_trpo"] * 2 + ["trpo"] * 2, ["trpo"] * 2, ["trpo"] * 2]


def test_training_seeds_can_be_shared_out(trained: list[Training], tmp_path: Path) -> None:
    Runner(STUDY, replace(SCALE, train_seeds=1), ("trpo",), tmp_path, workers=1).run()
    first = {job.key for job in trained}
    Runner(STUDY, SCALE, ("trpo",), tmp_path, workers=1, first_train_seed=1)
    trained.clear()
    Runner(STUDY, SCALE, ("trpo",), tmp_path, workers=1).run()
    assert [job.train_seed for job in trained] == [1, 1] and not first & {
        job.key for job in trained
    }


def test_another_study_is_refused_by_the_first_difference(tmp_path: Path) -> None:
    Runner(STUDY, SCALE, ("me_trpo",), tmp_path)
    with pytest.raises(UserError, match=r"holds another study: scale\.tests was 2, now 5"):
        Runner(STUDY, replace(SCALE, tests=5), ("me_trpo",), tmp_path)


def test_a_wrong_setting_is_found_before_anything_is_written(tmp_path: Path) -> None:
    wrong = replace(SCALE, settings={kind: {"clop": 1} for kind in SCALE.settings})
    with pytest.raises(UserError, match="unknown setting 'clop'"):
        Runner(STUDY, wrong, ("me_trpo",), tmp_path / "out")
    assert not (tmp_path / "out").exists()
