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
from ros_mbmrl.simulation.distributions import CHANGES, EXPERIMENTS
from ros_mbmrl.simulation.simulated_robots import make_simulated


@pytest.mark.parametrize("name", STUDIES)
def test_causes_take_part_where_they_say_all_that_changes(name: str) -> None:
    study = STUDIES[name]
    conditions = [each for each in study.conditions if each != "none"]
    situations = situations_of(study, conditions, [1], 0.5)
    robots = make_simulated(study.robot, situations, [1] * len(situations))
    spec = robots.robot.spec
    states = np.zeros((10, len(situations), len(spec.state)))
    states[5:, :, 0] = 4.0  # further on, of those that run
    truth, known = robots.truth(states), len(spec.causes)
    well = np.array([*(cause.default for cause in spec.causes), *[1.0] * len(spec.action)])
    differs = truth != well
    assert bool(differs.any(axis=(0, 2)).all()) == tells_causes(study)
    assert (set(BY_CAUSES) <= set(study.methods)) == tells_causes(study)
    changing = [cause.name for k, cause in enumerate(spec.causes) if differs[..., k].any()]
    assert tuple(changing) == CHANGES.get(name, ())
    assert not (changing and differs[..., known:].any())


@pytest.mark.parametrize("scale", ["smoke", "small", "paper"])
def test_on_single_networks_the_methods_are_those_of_before(scale: str) -> None:
    for name in EXPERIMENTS:
        study = STUDIES[name]
        assert default_methods(study, study.at(scale)) == METHODS


def test_on_an_ensemble_causes_take_part() -> None:
    slope, pier = STUDIES["cheetah-slope"], STUDIES["cheetah-pier"]
    assert default_methods(slope, slope.at("ensemble")) == slope.methods
    assert default_methods(pier, pier.at("ensemble")) == METHODS


def test_where_no_scale_is_named_it_is_small_or_else_the_largest() -> None:
    assert STUDIES["cheetah-disabled"].usual_scale == "small"
    assert STUDIES["cheetah-run"].usual_scale == "ensemble"
