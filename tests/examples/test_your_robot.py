"""The page `docs/your-robot.md`, run from start to end; and the table on it, in simulated time."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import VARIABLE
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.monitor import SafetyMonitor

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "your-robot.md"
BASE = ROOT / "examples" / "your_robot" / "base.py"
SPEED, BREAKS, TICK = 0.4, 10.0, 0.02


def block(name: str) -> str:
    """Return the commands of the page that are called `name`."""
    mark = rf"<!-- run by tests/examples/test_your_robot.py: {name} -->\n```sh\n(.*?)```"
    found = re.search(mark, PAGE.read_text(), re.DOTALL)
    assert found, f"no block '{name}'"
    return found[1]


def typed(folder: Path, name: str) -> str:
    """Run the commands of a block as a user types them."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        VARIABLE: "",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", block(name)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder after the third part of the page."""
    pytest.importorskip("rosbags")
    made = tmp_path_factory.mktemp("page")
    shutil.copy(BASE, made)
    typed(made, "record")
    shown = typed(made, "describe")
    assert "/odom" in shown and "planar_base" in shown
    shown = typed(made, "train")
    assert shown.count(": ok: my_base") == 4
    return made


@pytest.fixture(scope="module")
def base() -> ModuleType:
    specification = importlib.util.spec_from_file_location("somebodys_base", BASE)
    assert specification is not None and specification.loader is not None
    made = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(made)
    return made


def test_little_is_typed(folder: Path) -> None:
    file = (folder / "my_base.yaml").read_text().splitlines()
    assert sum(bool(line.partition("#")[0].strip()) for line in file) <= 40
    words = "".join(map(block, ("record", "describe", "train", "adapt")))
    assert len(re.findall(r"^\s*(mbmrl|python)\b", words, re.MULTILINE)) <= 14


class SomebodysBase:
    """The base as a plant in simulated time; it breaks down `fault` at `BREAKS`."""

    simulated = True

    def __init__(self, base: Any, fault: str) -> None:
        self.base, self._fault, self._now, self._action = base, fault, 0.0, np.zeros(2)

    def __enter__(self) -> SomebodysBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def observe(self) -> Measurement:
        x, y, yaw, speed, rate = self.base.odometry()
        quaternion = math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)
        return Measurement(self._now, np.array([x, y, *quaternion, speed, rate]))

    def command(self, action: Array) -> None:
        self._action = np.array(action)

    def advance(self, duration: float) -> None:
        for _ in range(round(duration / TICK)):
            if self._now >= BREAKS:
                self.base.break_down(self._fault)
            self.base.step(*self._action)
            self._now += TICK

    def stop(self) -> None:
        self._action = np.zeros(2)

    def counters(self) -> dict[str, float]:
        return {}


def distances(folder: Path, base: ModuleType, method: str, fault: str, seed: int) -> Array:
    """Return the distance from the figure 8 [m] in each control period until its end."""
    robot = make_robot(str(folder / "my_base.yaml"))
    somebodys, line = base.Base(seed), make_path("figure8")
    somebodys.x, somebodys.y, somebodys.yaw = line.start
    task = PathFollowing(robot, line, SPEED)
    agent = make_live_agent(load_model(folder / "models" / method, robot), task, method, seed=seed)
    plant, away, progress = SomebodysBase(somebodys, fault), list[float](), 0.0
    with plant:
        loop = ControlLoop(plant, StateEstimator(robot), agent, SafetyMonitor(robot))
        while not task.finished:
            progress, error = line.project((somebodys.x, somebodys.y), progress)
            away.append(abs(error))
            loop.step(robot.spec.period)
            assert len(away) < 1000
    return np.array(away)


@pytest.mark.parametrize("fault", ["tyre", "both"])
def test_adaptation_keeps_the_base_on_its_path(
    folder: Path, base: ModuleType, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    after = {}
    for method in ("mb", "bayes_context_ll"):
        runs = [distances(folder, base, method, fault, seed) for seed in range(3)]
        first = round(BREAKS / 0.1)
        before = float(np.mean([run[20:first].mean() for run in runs]))
        after[method] = float(np.mean([run[first:].mean() for run in runs]))
        print(f"{fault} {method}: {100 * before:.2f} > {100 * after[method]:.2f} cm")
        assert before < 0.005
    assert after["bayes_context_ll"] < 0.6 * after["mb"]


def test_the_graph_drives_the_base_on_its_topics(folder: Path) -> None:
    pytest.importorskip("rclpy")
    file = folder / "my_base.yaml"
    # Somebody's base is late where both cores are busy with other tests.
    late = "\nenvelope:\n  state_timeout: 2.0\n  command_timeout: 2.0\n"
    file.write_text(file.read_text().replace("\nenvelope:\n", late))
    typed(folder, "adapt")
    report = json.loads((folder / "runs" / "adapted" / "report.json").read_text())
    own = report["results"]["methods"]["bayes_context_ll"]
    assert own["cross_track_before_fault_m"] < 0.05 and own["accepted_fraction"] > 0.1
    assert own["cross_track_after_fault_m"] is not None
