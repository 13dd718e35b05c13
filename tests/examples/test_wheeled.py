"""A robot from outside goes all the way: tests of its own, data, training, the graph, scores."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
RECIPE = """
hidden: [32, 32]
adapt_windows: [8]
predict_window: 8
supervised_steps: 300
meta_steps: 300
batch: 16
horizon: 4
"""
MBMRL = ("-m", "ros_mbmrl.cli")


def passed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["wheeled", "template"])
def test_its_own_tests_pass(run: Run, name: str) -> None:
    assert " passed" in passed(run("-m", "pytest", "-q", "-p", "no:cacheprovider", name))


def test_installed_it_is_a_robot_as_ours_are(run: Run) -> None:
    shown = passed(run(*MBMRL, "launch", "adapt", "--show-args"))
    assert (
        "ant|arm_7dof|cart|half_cheetah|hexapod|hopper|humanoid|pr2_arm|pr2_insertion|pr2_reach|"
        "pr2_stacking|snake|swimmer|walker2d|wheeled" in shown
    )
    refused = run(*MBMRL, "launch", "adapt", "robot:=wheeled", "plant:=serial")
    assert refused.returncode == 2
    assert "unknown plant 'serial': expected one of topics, twin" in refused.stderr


@pytest.fixture(scope="module")
def model(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained in seconds; beside it lies its data."""
    folder = tmp_path_factory.mktemp("wheeled")
    (folder / "recipe.yaml").write_text(RECIPE)
    passed(run("-m", "wheeled.collect", "data", "--runs", "20", "--steps", "60", cwd=folder))
    words = ("bayes_context", "wheeled", "--data", "data/random", "--recipe", "recipe.yaml")
    passed(run(*MBMRL, "train", *words, "--out", "bayes_context", cwd=folder))
    return folder / "bayes_context"


@pytest.mark.slow
def test_it_is_trained_and_scored(run: Run, model: Path) -> None:
    words = ("score", "bayes_context", "--data", "data/faults", "--tag", "fault")
    passed(run(*MBMRL, *words, "--json", "score.json", cwd=model.parent))
    rows = json.loads((model.parent / "score.json").read_text())["results"]["rows"]
    medians = {
        row["adapter"]: row["median"] for row in rows if (row["tag"], row["horizon"]) == ("all", 8)
    }
    assert medians["adapted"] < medians["prior"]


@pytest.mark.slow
def test_a_recording_of_it_trains(run: Run, model: Path) -> None:
    folder = model.parent
    words = ("collect", "wheeled", "--duration", "20", "--episode-seconds", "5")
    passed(run(*MBMRL, *words, "--out", "recordings", cwd=folder))
    told = ("--data", "recordings", "--recipe", "recipe.yaml", "--out", "recorded", "--json", "r")
    passed(run(*MBMRL, "train", "mb", "wheeled", *told, cwd=folder))
    results = json.loads((folder / "r").read_text())["results"]
    assert results["validation_after"] < 1.0


@pytest.mark.slow
def test_the_graph_drives_it(run: Run, model: Path) -> None:
    pytest.importorskip("rclpy")
    folder = model.parent
    words = ("robot:=wheeled", "path:=figure8", "fault:=left_tyre_lost@4", "duration:=8")
    told = ("method:=bayes_context", "model:=bayes_context", "lockstep:=true", "report:=report")
    passed(run(*MBMRL, "launch", "adapt", *words, *told, cwd=folder))
    report = json.loads((folder / "report" / "report.json").read_text())
    figures = report["results"]["methods"]["bayes_context"]
    assert figures["steps"] == 80
    assert figures["safety_events"] == 0
    assert figures["cross_track_before_fault_m"] < 0.02
    assert figures["cross_track_after_fault_m"] < 0.04
