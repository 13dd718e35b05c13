"""`mbmrl replay`: the settings that it takes over, and what users get wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import cli
from ros_mbmrl.commands.replay import settings
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.player import ReplayConfig


def test_settings_are_those_of_the_controllers_node(tmp_path: Path) -> None:
    path, own = tmp_path / "params.yaml", settings("hexapod", None)["planner"]
    path.write_text(
        "/hexapod/controller: {ros__parameters: {speed: 0.3, planner: {horizon: 4}, threads: 2}}\n"
    )
    assert settings("hexapod", path) == {"speed": 0.3, "planner": {**own, "horizon": 4}}
    for text, said in (
        ("[1, 2", "not plain YAML"),
        ("- a list\n", "expected parameters by node"),
        ("/hexapod/contrller: {ros__parameters: {speed: 0.3}}\n", "names no node of this graph"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=said):
            settings("hexapod", path)


def test_a_file_with_limits_alone_leaves_the_robots_planner_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("/pr2_arm/safety: {ros__parameters: {limits.arena_x: [-1.0, 1.0]}}\n")
    assert settings("pr2_arm", path) == settings("pr2_arm", None)
    assert settings("pr2_arm", path)["planner"]["num_samples"] == 300


@pytest.mark.parametrize("speed", ["fast", True, -1.0])
def test_a_speed_is_a_number_above_zero(speed: Any) -> None:
    with pytest.raises(ValueError, match="speed: expected"):
        ReplayConfig(speed=speed)


@pytest.mark.parametrize("words", [("none.mcap", "--model", "m"), (__file__, "--model", "m")])
def test_what_is_no_recording_is_one_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["replay", *words])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
