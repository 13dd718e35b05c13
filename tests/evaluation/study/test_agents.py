"""Who acts in a study, by what a method names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.physics import PhysicsAgent
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.agents import make_agent
from ros_mbmrl.evaluation.study.studies import SCALES, make_study
from ros_mbmrl.methods.built_in import BUILT_IN
from ros_mbmrl.methods.method import Learned
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import NOMINAL

STUDY, SCALE = make_study("cheetah-disabled"), SCALES["smoke"]


@pytest.fixture(scope="module")
def robots() -> SimulatedRobots:
    return make_simulated("half_cheetah", [NOMINAL], [0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("random", RandomAgent), ("nominal", PhysicsAgent), ("true_model", PhysicsAgent)],
)
def test_what_needs_no_folder(name: str, kind: type, robots: SimulatedRobots) -> None:
    assert BUILT_IN[name].learned is Learned.NOTHING
    assert type(make_agent(STUDY, SCALE, name, Path(), robots)) is kind


@pytest.mark.parametrize("name", ["mb", "mb_oracle", "trpo"])
def test_what_has_learned_looks_into_its_folder(
    name: str, robots: SimulatedRobots, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no model folder"):
        make_agent(STUDY, SCALE, name, tmp_path / "none", robots)


def test_an_unknown_method_is_refused(robots: SimulatedRobots) -> None:
    with pytest.raises(UserError, match="unknown method 'clever'"):
        make_agent(STUDY, SCALE, "clever", Path(), robots)
