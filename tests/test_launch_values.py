"""What launch arguments mean: each by hand; the graph as a whole is in test_bringup.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.launch_arguments import parse
from ros_mbmrl.launch_values import (
    broken_at,
    check_plant_arguments,
    default_recording,
    goal_of,
    learning_of,
    model_folder,
    policy_of,
    speed_of,
)


def test_a_robots_goal_is_a_path_or_a_task() -> None:
    assert goal_of(parse("adapt", ["path:=figure8"])) == ("figure8", "")
    assert goal_of(parse("adapt", ["robot:=pr2_arm", "task:=insert"])) == ("", "insert")
    with pytest.raises(UserError, match="task: hexapod has none: expected a path"):
        goal_of(parse("adapt", ["task:=insert"]))


def test_a_model_is_the_shipped_one_unless_a_folder_is_given(tmp_path: Path) -> None:
    assert model_folder(parse("adapt", ["method:=grbal"]), {}).endswith("models/hexapod/grbal")
    assert model_folder(parse("adapt", [f"model:={tmp_path}"]), {}) == str(tmp_path)
    with pytest.raises(UserError, match="no model for method 'mb': expected models/hopper/mb"):
        model_folder(parse("adapt", ["robot:=hopper", "method:=mb"]), {})


def test_speed_and_what_breaks() -> None:
    assert speed_of(parse("adapt", []), "straight") == {}
    assert speed_of(parse("adapt", ["speed:=0.3"]), "straight") == {"speed": 0.3}
    assert broken_at(parse("adapt", ["fault:=leg_left_middle@4"])) == "leg_left_middle@4"
    assert policy_of(parse("adapt", []), "") == {}


def test_a_real_robot_is_not_driven_in_lockstep() -> None:
    words = ["plant:=serial", "port:=/dev/null", "lockstep:=true"]
    with pytest.raises(UserError, match="lockstep: a real robot does not wait"):
        check_plant_arguments(parse("adapt", words))


def test_a_reports_recording_is_in_its_folder(tmp_path: Path) -> None:
    arguments = parse("adapt", [f"report:={tmp_path}", "method:=mb"])
    assert default_recording(arguments) == str(tmp_path / "mb.mcap")
    assert default_recording(parse("adapt", [])).startswith("runs/recordings/hexapod-")


def test_a_run_that_is_followed_has_an_absolute_path_and_no_model_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    arguments = parse("adapt", ["learning:=run", f"report:={tmp_path}"])
    assert learning_of(arguments) == {"learning": str(tmp_path / "run"), "switch": "episode"}
    assert model_folder(arguments, {}) == ""
    assert default_recording(arguments) == str(tmp_path / "learned.mcap")
    assert learning_of(parse("adapt", [])) == {}
