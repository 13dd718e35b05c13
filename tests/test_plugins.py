"""Robots and plants of other packages, found by their entry points; nothing is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROBOT = """
from dataclasses import replace

from ros_mbmrl.robots.hexapod import Hexapod


class Mine(Hexapod):
    spec = replace(Hexapod.spec, name="mine")
"""

PLANT = """
from ros_mbmrl.errors import UserError


def check(options):
    if options.terrain != "moon":
        raise UserError("expected the moon")


def make(robot, options):
    check(options)
    return f"{robot.spec.name} on the {options.terrain}"
"""

ENTRY_POINTS = """
[ros_mbmrl.robots]
mine = elsewhere.robot:Mine
hexapod = elsewhere.robot:Mine

[ros_mbmrl.plants]
mine.twin = elsewhere.plant
mine.wire = elsewhere.missing
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """What an installed package leaves on the path."""
    package, facts = tmp_path / "elsewhere", tmp_path / "elsewhere-1.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    (package / "robot.py").write_text(ROBOT)
    (package / "plant.py").write_text(PLANT)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (facts / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def python(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = os.pathsep.join([str(path), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(path: Path, code: str) -> str:
    done = python(path, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_robot_from_elsewhere_is_found_and_ours_keep_their_names(elsewhere: Path) -> None:
    code = """
from ros_mbmrl.robots import make_robot
for name in ("mine", "hexapod"):
    robot = make_robot(name)
    print(type(robot).__name__, robot.spec.name)
"""
    assert told(elsewhere, code).splitlines() == ["Mine mine", "Hexapod hexapod"]


def test_its_plants_are_found_and_asked(elsewhere: Path) -> None:
    code = """
from ros_mbmrl.plants import make_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot
print(sorted(plants_of("mine")))
print(make_plant(make_robot("mine"), "twin", PlantOptions(terrain="moon")))
"""
    assert told(elsewhere, code).splitlines() == ["['twin', 'wire']", "mine on the moon"]


def test_naming_imports_nothing_of_it(elsewhere: Path) -> None:
    code = """
import sys
import ros_mbmrl.bringup, ros_mbmrl.plants, ros_mbmrl.robots
print("mine" in ros_mbmrl.robots.ROBOTS, "elsewhere" in sys.modules)
"""
    assert told(elsewhere, code) == "True False"


def test_the_launch_knows_it_and_asks_its_plant_beforehand(elsewhere: Path) -> None:
    launch = ("-m", "ros_mbmrl.cli", "launch", "twin")
    shown = python(elsewhere, *launch, "--show-args").stdout
    assert "hexapod|mine|pr2_arm" in shown
    refused = python(elsewhere, *launch, "robot:=mine", "terrain:=mars")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == ["mbmrl launch: expected the moon"]


def test_without_it_the_name_is_unknown(tmp_path: Path) -> None:
    refused = python(tmp_path, "-m", "ros_mbmrl.cli", "launch", "twin", "robot:=mine")
    assert refused.returncode == 2
    assert "expected one of ant" in refused.stderr
