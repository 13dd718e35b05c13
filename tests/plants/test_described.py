"""Plants of robots of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.plants import PLANTS, plants_of, usual_ground
from ros_mbmrl.plants.described import described_plants
from ros_mbmrl.robots import robot_name
from ros_mbmrl.robots.described.known import VARIABLE, adopt
from tests.plants.topics.conftest import BASE


def test_a_robot_with_topics_has_a_plant_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    file = tmp_path / "base.yaml"
    file.write_text(BASE)
    assert "wheeled_yaml.topics" not in PLANTS
    adopt(file)
    assert described_plants() == {"wheeled_yaml.topics": "ros_mbmrl.plants.topics.plant"}
    assert plants_of("wheeled_yaml") == ("topics",)
    assert PLANTS["wheeled_yaml.topics"].value == "ros_mbmrl.plants.topics.plant"
    assert usual_ground("wheeled_yaml") == "carpet"  # it has no twin
    assert set(plants_of("hexapod")) == {"twin", "serial"}


def test_a_file_with_a_twin_has_that_plant(planar_arm: str) -> None:
    assert "twin" in plants_of(planar_arm)
    assert usual_ground(planar_arm) == "flat"
    assert "planar_arm.twin" in described_plants()


def test_one_without_has_none(arm_file: Path) -> None:
    text = arm_file.read_text()
    arm_file.write_text(text[: text.index("twin:")])
    assert "twin" not in plants_of(robot_name(str(arm_file)))
