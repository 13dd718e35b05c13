"""A graph's episodes in the run's data: returns, versions, pauses, the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.live_collector import LiveCollector, placed
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.servers import DataServer
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path as RobotPath

ONE = 22  # states of an episode of ten steps, and of what is around it
LINE = RobotPath.from_points([(0.0, 0.0), (10.0, 0.0)])


def collector(folder: Path, **settings: Any) -> LiveCollector:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.5
        return now[0]

    robot = make_robot("hexapod")
    return LiveCollector(folder, robot, "hexapod", 1.0, clock=clock, seed=7, **settings)


def test_each_episode_is_a_trajectory_with_its_versions(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path, name="robot-3")
    graph.drive(live, ONE, model=4)
    graph.drive(live, ONE, first=ONE, model=5)
    first, second = DataServer(tmp_path / "trajectories").since(0)
    assert (first.model_version, second.model_version) == (4, 5)
    assert (first.policy_version, first.collector, first.seed) == (None, "robot-3", 7)
    assert len(first.rollout) == len(second.rollout) == 10
    assert first.began < first.ended < second.began


def test_a_return_is_the_tasks_and_less_far_from_the_path(tmp_path: Path, graph: Any) -> None:
    returns = []
    for name, y in (("on", 0.0), ("off", 1.0)):
        (tmp_path / name).mkdir()
        live = collector(tmp_path / name)
        live.follow(RobotPath.from_points([(0.0, y), (10.0, y)]))
        graph.drive(live, ONE)
        (only,) = DataServer(tmp_path / name / "trajectories").since(0)
        returns.append(only.episode_return)
    assert returns[1] < returns[0] < 0


def test_returns_go_on_along_the_path_from_episode_to_episode(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path)
    live.follow(LINE)
    graph.drive(live, 5 * ONE + 2)  # a metre, of which returns see 0.3 m around where they were
    returns = [each.episode_return for each in DataServer(tmp_path / "trajectories").since(0)]
    assert len(returns) == 5
    assert max(returns) - min(returns) < 1.0


def test_a_robot_that_left_its_place_on_the_path_is_found_again() -> None:
    task = PathFollowing(make_robot("hexapod"), LINE)
    assert placed(task, (0.1, 0.0, 0.0)).progress == 0.0  # `reference` moves it on itself
    assert placed(task, (5.0, 0.2, 0.0)).progress == pytest.approx(5.0)
    assert placed(task, None) is task


def test_the_run_is_complete_at_its_number_and_none_is_pushed_beyond(
    tmp_path: Path, graph: Any
) -> None:
    live = collector(tmp_path, trajectories=2)
    graph.drive(live, 4 * ONE)
    assert live.complete
    assert live.trajectories == 2


def test_a_stop_pauses_the_run_and_a_reset_ends_the_pause(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path)
    graph.drive(live, 9)
    (event,) = live.stop("the robot is stopped")
    assert event.kind == "discard"
    assert Pause(tmp_path).reason == "the robot is stopped"
    graph.drive(live, 3 * ONE, first=20)
    assert live.trajectories == 0
    assert live.figures()["graph-0"]["phase"] == "paused"
    live.stop("")
    assert Pause(tmp_path).reason == ""
    graph.drive(live, ONE, first=200)
    assert live.trajectories == 1


def test_a_pause_that_a_killed_graph_left_is_ended_by_the_next_one(tmp_path: Path) -> None:
    Pause(tmp_path).begin("stopped")
    collector(tmp_path)
    assert Pause(tmp_path).reason == ""


def test_an_end_discards_what_runs_and_keeps_what_was_pushed(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path)
    graph.drive(live, ONE + 9)
    (event,) = live.close()
    assert (event.kind, event.index) == ("discard", 2)
    assert len(DataServer(tmp_path / "trajectories")) == 1


def test_events_tell_the_versions_that_act(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path)
    told = [live.described(e) for each in graph.drive(live, 12, model=4) for e in each]
    assert told[0]["event"] == "start"
    assert told[0]["model_version"] == "4"
    assert "policy_version" not in told[0]


def test_figures_tell_how_far_behind_the_graph_is(tmp_path: Path, graph: Any) -> None:
    live = collector(tmp_path, trajectories=9)
    graph.drive(live, ONE, model=0)
    for k in range(3):
        (tmp_path / "models" / f"{k:06d}").mkdir(parents=True)
    figures = live.figures()
    run, own = figures["run"], figures["graph-0"]
    assert (run["trajectories"], run["trajectories_wanted"], run["model_version"]) == (1, 9, 2)
    assert (own["model_behind"], own["turns"], own["versions.model"]) == (2, 1, 0)
    assert "policy_behind" not in own
    assert own["idle_s"] > 0


def test_a_run_of_another_robot_is_refused(tmp_path: Path) -> None:
    (tmp_path / "description.json").write_text(json.dumps({"robot": "ant"}))
    with pytest.raises(UserError, match="run of ant"):
        collector(tmp_path)
