"""`mbmrl evaluate` of a study of policies: from nothing to a report; one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import cli
from ros_mbmrl.evaluation.policies import run as running
from ros_mbmrl.evaluation.policies.training import Training


def test_smoke_from_training_to_report_and_again_without_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["evaluate", "promp", "--scale", "smoke", "--methods", "promp", "lvc_trpo"]
    given += ["--workers", "1", "--out", str(tmp_path / "out"), "--json", str(tmp_path / "r.json")]
    cli.main(given)
    told = json.loads((tmp_path / "r.json").read_text())["results"]
    places = ("promp-half-cheetah-fwd-back", "point_corners")
    assert {row["condition"] for row in told["rows"]} == set(places)
    assert [row["transitions"] for row in told["rows"]] == [800, 800, 1600, 1600]
    assert [(row["condition"], row["method"]) for row in told["summary"]["finals"]] == [
        *zip(places, ("promp", "lvc_trpo"), strict=True)
    ]
    assert Path(told["report"]).exists() and (tmp_path / "out" / "figure_16.png").exists()
    monkeypatch.setattr(running, "train", None)  # everything is there
    cli.main(given)
    assert json.loads((tmp_path / "r.json").read_text())["results"] == told


def test_an_interrupted_study_has_a_report_of_its_first_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = running.train

    def until_the_second(job: Training) -> tuple[str, dict[str, Any]]:
        if job.point > 800:
            raise KeyboardInterrupt
        return train(job)

    monkeypatch.setattr(running, "train", until_the_second)
    given = ["evaluate", "promp", "--scale", "smoke", "--methods", "lvc_trpo", "--workers", "1"]
    with pytest.raises(SystemExit):
        cli.main([*given, "--environments", "point_corners", "--out", str(tmp_path)])
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [row["transitions"] for row in summary["finals"]] == [800]
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["me-trpoo"], "unknown experiment 'me-trpoo'"),
        (["me-trpo", "--scale", "huge"], "unknown scale 'huge': expected one of paper, small"),
        (["promp", "--methods", "me_trpo"], "unknown method 'me_trpo': expected one of"),
        (["promp", "--seeds", "0"], "tests: expected at least 1, got 0"),
        (["promp", "--train-seeds", "0"], "train_seeds: expected at least 1, got 0"),
        (["promp", "--first-seed", "-1"], "first_test: expected at least 0, got -1"),
        (["promp", "--device", "cuda"], "device: policies are trained on the CPU, got cuda"),
        (["promp", "--models", "m"], "--models: policies are trained; expected none with promp"),
        (["promp", "--controller", "cem"], "--controller: a study has its own; expected none"),
        (["mb-mpo", "--scale", "smoke", "--methods", "mb_mpo_still"], "is drawn on none of"),
        (["gssm", "--environments", "mars"], "unknown environment 'mars': expected one of acrobot"),
        (["cheetah-run", "--environments", "ant"], "--environments: only studies of policies have"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", *words, "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and message in line
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("study", ["me-trpo", "mb-mpo", "promp", "maac", "m3po", "memb", "gssm"])
def test_the_whole_smoke_scale(study: str, tmp_path: Path) -> None:
    cli.main(["evaluate", study, "--scale", "smoke", "--workers", "1", "--out", str(tmp_path)])
    assert (tmp_path / "report.html").exists()
