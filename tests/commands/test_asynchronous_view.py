"""The live view: a table in a terminal, a line a trajectory elsewhere, scalars for trackers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from rich.console import Console

from ros_mbmrl.commands.asynchronous_view import View, picture
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.servers import Servers, Trajectory
from ros_mbmrl.learning.policies.me_config import config_of

BEAT = {
    "worker": "model",
    "phase": "step",
    "turns": 12,
    "versions": {"data": 2, "model": 11},
    "idle_s": 3.25,
    "busy_s": 9.0,
    "figures": {"validation_loss": 0.125, "behind": 1, "version": 11, "stopped": 0.0},
}


def ran(servers: Servers) -> None:
    zeros = np.zeros((3, 2), dtype=np.float32)
    flat = np.zeros((2, 1), dtype=np.float32)
    rollout = Rollout("r", zeros, flat, np.arange(3) * 0.1, np.zeros(2, dtype=np.uint8))
    servers.data.push(Trajectory(rollout, -2.5, "collector-0", None, 4))


class Kept:
    def __init__(self) -> None:
        self.told: list[tuple[str, int, dict[str, float]]] = []

    def log(self, phase: str, step: int, scalars: dict[str, float]) -> None:
        self.told.append((phase, step, dict(scalars)))

    def close(self) -> None:
        """Nothing is open."""


def job_in(folder: Path) -> Job:
    return Job(folder, "me_trpo", "pendulum", config_of("me_trpo"), AsynchronousConfig(5))


def test_the_picture_tells_how_each_worker_is(tmp_path: Path) -> None:
    servers = Servers(tmp_path, limit=5)
    ran(servers)
    write_json(servers.heartbeat("model"), BEAT)
    console = Console(file=io.StringIO(), width=120)
    console.print(picture(servers, 5))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "trajectories 1/5" in text
    line = next(each for each in text.splitlines() if each.strip().startswith("model"))
    assert line.split() == ["model", "step", "12", "11", "1", "3.2", "validation_loss", "0.125"]


def test_scalars_are_logged_once_a_trajectory(tmp_path: Path) -> None:
    servers, kept, out = Servers(tmp_path, limit=5), Kept(), io.StringIO()
    write_json(servers.heartbeat("model"), BEAT)
    with View(job_in(tmp_path), "a run", kept, Console(file=out)) as view:  # type: ignore[arg-type]
        view(servers)
        assert kept.told == []
        ran(servers)
        view(servers)
        view(servers)
    figures = {"validation_loss": 0.125, "behind": 1.0, "version": 11.0, "stopped": 0.0}
    assert kept.told == [
        ("trajectory", 1, {"return": -2.5, "policy_version": 4.0}),
        ("model", 1, {**figures, "idle_s": 3.25}),
    ]
    assert out.getvalue() == "a run\ntrajectory 1/5: -2.5000\n"


def test_a_terminal_is_drawn_on_once_a_second(tmp_path: Path) -> None:
    servers, out, now = Servers(tmp_path, limit=5), io.StringIO(), [0.0]
    console = Console(file=out, force_terminal=True, width=120)
    with View(job_in(tmp_path), "a run", None, console, lambda: now[0]) as view:
        view(servers)
        first = out.getvalue().count("trajectories 0/5")
        view(servers)
        assert out.getvalue().count("trajectories 0/5") == first
        now[0] = 1.0
        view(servers)
        assert out.getvalue().count("trajectories 0/5") > first
