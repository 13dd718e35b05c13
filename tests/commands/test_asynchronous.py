"""`mbmrl train --asynchronous`: arguments, the run in turn, its folder, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ros_mbmrl import cli
from ros_mbmrl.commands import asynchronous
from ros_mbmrl.learning.asynchronous.job import Job

SMALL = [
    *("--set", "horizon=25", "--set", "rows=4", "--set", "hidden=[8]", "--set", "model.rows=32"),
    *("--set", "model.hidden=[8]", "--set", "model.members=2"),
    *("--set", "asynchronous.held_out=0.5", "--set", "asynchronous.trajectories=3"),
]


def refused(words: list[str], capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == status
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_run_in_turn_and_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "run", tmp_path / "report.json"
    words = ["train", "me_trpo", "pendulum", "--asynchronous", "--in-turn", "--out", str(out)]
    cli.main([*words, *SMALL, "--json", str(report)])
    said = capsys.readouterr().out
    assert "trajectory 3/3: " in said and "curves: tensorboard --logdir" in said
    results = json.loads(report.read_text())["results"]
    assert results["trajectories"] == len(results["returns"]) == 3
    for name in ("policy.safetensors", "model/card.yaml", "description.json", "tensorboard"):
        assert (out / name).exists()
    cli.main([*words, *SMALL])  # nothing is left to do
    other = refused([*words, *SMALL, "--set", "asynchronous.pace=2"], capsys)
    assert "holds another run: asynchronous.pace was 1.0, now 2" in other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["me_trpo", "pendulum", "--in-turn"], "in-turn: expected --asynchronous beside it"),
        (["me_trpo", "pendulum", "--collectors", "2"], "collectors: expected --asynchronous"),
        (["maac", "pendulum", "--asynchronous"], "'maac' has no asynchronous form"),
        (["me_trpo", "pendulum", "--asynchronous", "--fresh"], "expected none with --asynch"),
        (["me_trpo", "pendulum", "--asynchronous", "--rounds", "3"], "it has no --rounds"),
        (["me_trpo", "nowhere", "--asynchronous"], "unknown simulated robot 'nowhere'"),
        (["no_method", "pendulum", "--asynchronous"], "unknown method 'no_method'"),
        (
            ["me_trpo", "pendulum", "--asynchronous", "--set", "asynchronous.buffer=10"],
            "buffer: expected at least",
        ),
        (
            ["me_trpo", "pendulum", "--asynchronous", "--set", "asynchronous.speed=1"],
            "unknown setting 'speed': expected one of buffer, ",
        ),
        (["mb", "half_cheetah", "--asynchronous", "--set", "tempo=1"], "unknown setting 'tempo'"),
        (["me_trpo", "pendulum", "--asynchronous", "--cluster", "auto"], "--cluster needs ray"),
    ],
)
def test_what_cannot_run_is_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert said in refused(["train", *words, "--out", str(tmp_path / "run")], capsys)


def test_the_driver_that_the_arguments_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def named(name: str):  # type: ignore[no-untyped-def]
        return lambda job, *rest: called.append(f"{name} {job.collectors} {job.device}")

    monkeypatch.setattr(asynchronous, "run_in_processes", named("processes"))
    monkeypatch.setattr(asynchronous, "run_on_cluster", named("cluster"))
    monkeypatch.setattr(asynchronous, "write_result", lambda job: [1.0])
    words = ["train", "mb", "half_cheetah", "--asynchronous", "--collectors", "2"]
    cli.main([*words, "--out", str(tmp_path / "a")])
    cli.main([*words, "--out", str(tmp_path / "b"), "--cluster", "auto"])
    assert called == ["processes 2 cpu", "cluster 2 cpu"]


def test_a_model_that_plans_takes_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Job] = []
    monkeypatch.setattr(asynchronous, "drive", lambda job, *_: seen.append(job))
    monkeypatch.setattr(asynchronous, "write_result", lambda job: [1.0])
    words = ["train", "grbal", "half_cheetah", "--asynchronous", "--out", str(tmp_path / "a")]
    cli.main([*words, "--set", "hidden=[16]", "--set", "asynchronous.steps=30", "--seed", "4"])
    (job,) = seen
    assert (job.settings.hidden, job.settings.seed, job.steps) == ((16,), 4, 30)
    assert job.names == ("collector-0", "model")
