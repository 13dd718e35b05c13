"""`mbmrl evaluate my_robot.yaml`: table, report, resuming, and what users get wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import cli

SHORT = ("--seeds", "2", "--duration", "1", "--at", "0.4", "--workers", "1")
Untrained = Callable[..., Path]


@pytest.fixture
def models(arm_file: Path, untrained: Untrained, tmp_path: Path) -> Path:
    """A folder of untrained models of the planar arm, by method."""
    from ros_mbmrl.robots import robot_name

    return untrained(robot_name(str(arm_file)), tmp_path / "models", ("mb", "residual"))


def evaluate(folder: Path, robot: str, *words: str) -> dict[str, Any]:
    file = folder / "result.json"
    given = ["--out", str(folder / "out"), "--json", str(file), *words]
    cli.main(["evaluate", robot, *SHORT, *given])
    found: dict[str, Any] = json.loads(file.read_text())["results"]
    return found


def test_a_table_with_ratios_to_mb_and_a_report(
    arm_file: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--models", str(models), "--faults", "load", "none")
    found = evaluate(tmp_path, str(arm_file), *words)
    assert [(r["seed"], r["condition"], r["method"]) for r in found["rows"]] == [
        (seed, condition, method)
        for seed in (1000, 1001)
        for condition in ("load", "none")
        for method in ("mb", "residual")
    ]
    for row in found["rows"]:
        wanted = {"train_seed", "path", "task", "return", "safety_stops", "plan_ms_p50"}
        wanted |= {"prediction_error_prior", "prediction_error_adapted"}
        assert row.keys() >= wanted | {"cost_before_fault", "cost_after_fault"}
        assert (row["counted_from_s"], row["task"]) == (0.4, "bend") and "trace" not in row
    means = {(r["condition"], r["method"]): r for r in found["summary"]}
    for condition in ("load", "none", "all"):
        mb, own = means[condition, "mb"], means[condition, "residual"]
        ratio = own["cost_after_fault"] / mb["cost_after_fault"]
        assert own["ratio_to_mb"] == pytest.approx(ratio)
        assert mb["cost_before_fault"] > 0
    page = Path(found["report"]).read_text()
    assert page.count("data:image/png;base64,") == 3 and "cost a step before" in page
    assert "cost a step after" in capsys.readouterr().out


def test_it_is_resumed(
    arm_file: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ros_mbmrl.evaluation import twin_experiment

    words = ("--models", str(models), "--methods", "mb", "--faults", "none")
    first = evaluate(tmp_path, str(arm_file), *words)
    monkeypatch.setattr(twin_experiment, "run_job", lambda job: pytest.fail("run again"))
    assert evaluate(tmp_path, str(arm_file), *words)["rows"] == first["rows"]


def test_a_base_follows_a_path(rover_twin: Path, untrained: Untrained, tmp_path: Path) -> None:
    from ros_mbmrl.robots import robot_name

    models = untrained(robot_name(str(rover_twin)), tmp_path / "models")
    words = ("--models", str(models), "--path", "left")
    found = evaluate(tmp_path, str(rover_twin), *words)
    assert {row["condition"] for row in found["rows"]} == {"none", "heavy"}
    assert {row["path"] for row in found["rows"]} == {"left"}
    assert {"cross_track_mean_m", "cross_track_max_m", "progress_m_s"} <= found["rows"][0].keys()
    assert "cross_track_before_fault_m" in found["summary"][0]
    # It accelerates with 1 m/s^2 at most: from rest it lags more, the faster it is to be.
    faster = evaluate(tmp_path, str(rover_twin), *words, "--speed", "2")
    assert faster["rows"][0]["return"] < 4 * found["rows"][0]["return"]


def test_the_robots_name_is_enough_if_a_models_folder_has_its_file(
    arm_file: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    for method in ("mb", "residual"):
        shutil.copy(arm_file.parent / "arm.xml", models / method)
    words = ("--models", str(models), "--methods", "mb", "--faults", "none")
    assert len(evaluate(tmp_path, "planar_arm", *words)["rows"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "models: expected a folder of model folders named by method"),
        (("--models", "nowhere"), "nowhere"),
        (("--models", "{models}", "--task", "fly"), "task 'fly'"),
        (
            ("--models", "{models}", "--path", "left"),
            "path: planar_arm has none: expected a task",
        ),
        (("--models", "{models}", "--speed", "1"), "--speed: planar_arm follows no path"),
        (("--models", "{models}", "--faults", "rain"), "fault 'rain'"),
        (("--models", "{models}", "--at", "9"), "at: expected 0.05 s to 0.95 s"),
        (("--models", "{models}", "--methods", "grbal"), "no model for method 'grbal'"),
        (("--models", "{models}", "--scale", "smoke"), "--scale: only studies have one"),
        (("--models", "{models}", "--video"), "--video: the twin of a robot of a file"),
        (("--models", "{models}", "--seeds", "0"), "seeds"),
        (("--models", "{models}", "--versus", "x"), "opponent 'x'"),
        (("--models", "{models}", "--controller", "x"), "planner 'x'"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    said: str,
    arm_file: Path,
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [word.format(models=models) for word in words]
    with pytest.raises(SystemExit) as caught:
        evaluate(tmp_path, str(arm_file), *given)
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert said in told and told.count("\n") == 1 and "Traceback" not in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option", ["--task=x", "--path=left", "--speed=1", "--faults=none", "--at=3"]
)
def test_other_experiments_have_their_own(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for experiment in ("hexapod-ood", "cheetah-disabled", "me-trpo"):
        with pytest.raises(SystemExit) as caught:
            cli.main(["evaluate", experiment, option])
        assert caught.value.code == 2
        assert "only a robot of a file has one" in capsys.readouterr().err
