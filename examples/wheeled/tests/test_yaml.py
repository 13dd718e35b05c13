"""The base as YAML: the same robot as in Python, and the same numbers from its twin."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.spec import Robot

from wheeled.robot import SPEC, Wheeled
from wheeled.twin import FAULTS, make

FILE = Path(__file__).parents[1] / "wheeled.yaml"


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> Robot:
    """The robot of the file."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    return make_robot(robot_name(str(FILE)))


def test_its_specification_is_the_same_but_for_the_name(robot: Robot) -> None:
    for each in fields(SPEC):
        if each.name != "name":
            assert getattr(robot.spec, each.name) == getattr(SPEC, each.name), each.name


@pytest.mark.parametrize("fault", ["", *(n for n in FAULTS if n[-4:] not in ("worn", "mall"))])
def test_its_twin_gives_the_same_numbers(robot: Robot, fault: str) -> None:
    """Up to the solver's warm start, which the twin in Python carries over."""
    options = PlantOptions(fault=fault and f"{fault}@1", path="figure8", noise=0.0, terrain="flat")
    twins = make(Wheeled(), replace(options, terrain="carpet")), make_plant(robot, "twin", options)
    rng = np.random.default_rng(0)
    for _ in range(30):
        command = rng.uniform(SPEC.action_low, SPEC.action_high)
        states = []
        for twin in twins:
            twin.command(command)
            twin.advance(0.1)
            states.append(robot.estimate(twin.observe().values, None, 0.1))
        np.testing.assert_allclose(*states, atol=0.01)


def test_noise_is_as_large(robot: Robot) -> None:
    def spread(made: list) -> np.ndarray:
        return np.std([robot.estimate(t.observe().values, None, 0.1) for t in made], axis=0)

    options = [PlantOptions(seed=seed, terrain="flat") for seed in range(60)]
    python = [make(Wheeled(), replace(each, terrain="carpet")) for each in options]
    yaml = [make_plant(robot, "twin", each) for each in options]
    np.testing.assert_allclose(spread(yaml), spread(python), rtol=0.4, atol=1e-4)
