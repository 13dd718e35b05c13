"""Figures of a run, from its folder alone."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.run_figures import run_figures
from ros_mbmrl.learning.asynchronous.servers import Servers


def test_a_run_that_has_just_begun_has_no_versions(tmp_path: Path) -> None:
    assert run_figures(Servers(tmp_path)) == {
        "run": {
            "trajectories": 0,
            "trajectories_wanted": 0,
            "model_version": -1,
            "policy_version": -1,
            "episode_return": 0.0,
            "collector": "",
            "paused": False,
        }
    }


def test_workers_are_told_with_how_far_behind_they_are(tmp_path: Path) -> None:
    servers = Servers(tmp_path, limit=8)
    for _ in range(3):
        servers.models.push(lambda folder: None)
    Pause(tmp_path).begin("stopped")
    told = {"phase": "step", "versions": {"model": 1}, "idle_s": 0.5, "figures": {"loss": 0.25}}
    write_json(servers.heartbeat("policy"), told)
    found = run_figures(servers)
    assert found["run"]["model_version"] == 2
    assert found["run"]["trajectories_wanted"] == 8
    assert found["run"]["paused"] is True
    assert found["policy"] == {
        "phase": "step",
        "versions.model": 1,
        "idle_s": 0.5,
        "figures.loss": 0.25,
        "model_behind": 1,
    }


def test_a_heartbeat_without_versions_has_none_behind(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    write_json(servers.heartbeat("model"), {"phase": "step", "versions": {}})
    assert run_figures(servers)["model"] == {"phase": "step"}
