"""Which studies compare `causes`, and where by default."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.studies import (
    BY_CAUSES,
    METHODS,
    STUDIES,
    default_methods,
    tells_causes,
)
from ros_mbmrl.evaluation.study.worlds import situations_of
from ros_mbmrl.simulation.distributions import EXPERIMENTS
from ros_mbmrl.simulation.simulated_robots import make_simulated


@pytest.mark.parametrize("name", STUDIES)
def test_causes_take_part_where_every_fault_is_of_an_actuator(name: str) -> None:
    study = STUDIES[name]
    situations = situations_of(study, study.conditions, [1], 0.5)
    robots = make_simulated(study.robot, situations, [1] * len(situations))
    told = (robots.effectiveness(10) < 1).any(axis=(0, 2))
    assert bool(np.all(told)) == tells_causes(study)
    assert (set(BY_CAUSES) <= set(study.methods)) == tells_causes(study)


@pytest.mark.parametrize("scale", ["smoke", "small", "paper"])
def test_on_single_networks_the_methods_are_those_of_before(scale: str) -> None:
    for name in EXPERIMENTS:
        study = STUDIES[name]
        assert default_methods(study, study.at(scale)) == METHODS


def test_on_an_ensemble_causes_take_part() -> None:
    disabled, slope = STUDIES["cheetah-disabled"], STUDIES["cheetah-slope"]
    assert default_methods(disabled, disabled.at("ensemble")) == disabled.methods
    assert default_methods(slope, slope.at("ensemble")) == METHODS
