"""Fast robots: known only while their folder is on the path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl import bringup
from ros_mbmrl.bench import fast, graph
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot

ROBOTS = {"hexapod": ("fast_hexapod", 0.02), "half_cheetah": ("fast_half_cheetah", 0.01)}


@pytest.mark.parametrize("base", ROBOTS)
def test_a_fast_robot_is_known_only_meanwhile(base: str, tmp_path: Path) -> None:
    name, period = ROBOTS[base]
    config = graph.Config(fast=True, robot=base, hidden=(8,))
    with fast.arguments_of(config, ["record:=false"], tmp_path) as arguments:
        robot = make_robot(arguments["robot"])
        assert (robot.spec.name, robot.spec.period) == (name, period)
        assert load_model(Path(arguments["model"]), robot).model.mlp.sizes[1:-1] == (8,)
        composed = [node.name for node in bringup.adapt(arguments)]
        assert composed[-1] == "composed"  # from 30 control steps a second on
        separate = [node.name for node in bringup.adapt({**arguments, "composed": "false"})]
        assert {"safety", "adaptive", "driver"} <= set(separate)
        check = f"from ros_mbmrl.robots import make_robot; print(make_robot('{name}').spec.name)"
        child = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
        assert child.stdout.strip() == name
    with pytest.raises(UserError, match=f"unknown robot '{name}'"):
        make_robot(name)


def test_a_fast_twin_moves_as_the_slow_one_does() -> None:
    """The same command held for as long leads to the same place."""
    options = PlantOptions(terrain="flat", seed=3)
    slow = make_plant(make_robot("half_cheetah"), "twin", options)
    quick = fast.HALF_CHEETAH.make(fast.FastHalfCheetah(), options)
    action = np.array([0.5, -0.5, 0.2, 0.1, -0.3, 0.4])
    for plant, period in ((slow, 0.05), (quick, 0.01)):
        with plant:
            for _ in range(round(0.5 / period)):
                plant.command(action)
                plant.advance(period)
    assert quick.observe().time == pytest.approx(0.5)
    np.testing.assert_allclose(quick.observe().values, slow.observe().values, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"fast": True, "robot": "ant"}, "robot: expected hexapod or half_cheetah, got 'ant'"),
        ({"robot": "half_cheetah"}, "robot: expected --fast with it"),
    ],
)
def test_other_robots_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        graph.Config(**wrong)
