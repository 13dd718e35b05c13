"""What users get wrong about a study: one line, status 2, and nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ros_mbmrl import cli
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.description import describe
from ros_mbmrl.evaluation.study.run import Runner
from ros_mbmrl.evaluation.study.studies import SCALES, make_study
from ros_mbmrl.runtime.kept import FILE, keep

STUDY = make_study("cheetah-disabled")


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gets past the checks fails at once."""
    monkeypatch.setattr(Runner, "run", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def refused(capsys: pytest.CaptureFixture[str], out: Path, *words: str) -> str:
    """The one line that the command says."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", "--out", str(out), *words])
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("mbmrl evaluate: ") and said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cheetah"], "unknown experiment 'cheetah': expected one of ant-crippled, arm-force"),
        (
            [STUDY.name, "--scale", "huge"],
            "unknown scale 'huge': expected one of ensemble, paper, small",
        ),
        ([STUDY.name, "--methods", "mb", "mbb"], "unknown method 'mbb': expected one of"),
        ([STUDY.name, "--methods", "context"], "unknown method 'context'"),
        ([STUDY.name, "--controller", "cem"], "--controller: a study has its own; expected none"),
        ([STUDY.name, "--device", "cuda"], "no GPU that torch can use; expected cpu"),
        ([STUDY.name, "--device", "tpu"], "unknown device 'tpu': expected one of auto, cpu, cuda"),
        ([STUDY.name, "--workers", "0"], "workers: expected at least 1, got 0"),
        ([STUDY.name, "--seeds", "0"], "episodes: expected at least 1, got 0"),
        ([STUDY.name, "--train-seeds", "0"], "train_seeds: expected at least 1, got 0"),
        ([STUDY.name, "--first-seed", "-1"], "first_episode: expected at least 0, got -1"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert message in refused(capsys, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "difference"),
    [
        (["--seeds", "3"], "scale.episodes was 2, now 3"),
        (["--scale", "small"], "scale.curve_episodes was 1, now 2"),
        (["--methods", "mb"], "methods was ['mb', 'grbal'], now ['mb']"),
    ],
)
def test_a_folder_of_another_study_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], difference: str
) -> None:
    keep(tmp_path, describe(STUDY, SCALES["smoke"], ("mb", "grbal")))
    before = (tmp_path / FILE).read_text()
    given = [STUDY.name, "--scale", "smoke", "--methods", "grbal", "mb", *words]
    said = refused(capsys, tmp_path, *given)
    assert f"{tmp_path} holds another study: {difference}; expected" in said
    assert (tmp_path / FILE).read_text() == before


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\xff"])
def test_a_damaged_description_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    said = refused(capsys, tmp_path, STUDY.name, "--scale", "smoke")
    assert str(tmp_path / FILE) in said and len(said) < 300


def test_an_output_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in refused(capsys, tmp_path / "file", STUDY.name)


def test_the_command_line_changes_the_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runners = []

    def stop(runner: Runner) -> None:
        runners.append(runner)
        raise UserError("enough")

    monkeypatch.setattr(Runner, "run", stop)
    given = ["--scale", "smoke", "--seeds", "4", "--train-seeds", "3", "--methods", "grbal", "mb"]
    assert "enough" in refused(capsys, tmp_path, STUDY.name, *given)
    assert runners[0].scale.episodes == 4
    assert runners[0].seeds == (0, 1, 2)
    assert [method.name for method in runners[0].methods] == ["mb", "grbal"]
