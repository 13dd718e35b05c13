from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.simulation.distributions import (
    EXPERIMENTS,
    ROBOTS,
    TEST,
    TEST_SEEDS,
    TRAINING,
    TRAINING_SEEDS,
    VALIDATION,
    VALIDATION_SEEDS,
    draw_seed,
)
from ros_mbmrl.simulation.situations import Situation, check_situation


def many(draw: object, *more: float) -> list[Situation]:
    rng = np.random.default_rng(0)
    return [draw(rng, *more) for _ in range(50)]  # type: ignore[operator]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_is_drawn_can_be_and_depends_on_the_generator_alone(experiment: str) -> None:
    assert many(TRAINING[experiment]) == many(TRAINING[experiment])
    drawn = many(TRAINING[experiment])
    for conditions in (TEST[experiment], VALIDATION[experiment]):
        for draw in conditions.values():
            assert many(draw, 10.0) == many(draw, 10.0)
            drawn += many(draw, 10.0)
    for situation in drawn:
        check_situation(ROBOTS[experiment], situation)


@pytest.mark.parametrize("experiment", ["cheetah-disabled", "ant-crippled"])
def test_what_is_unseen_was_not_trained_on(experiment: str) -> None:
    def faults(situations: list[Situation]) -> set[str]:
        return {fault.name for situation in situations for fault in situation.faults}

    trained = faults(many(TRAINING[experiment]))
    tested = faults(many(TEST[experiment]["unseen"], 10.0))
    chosen = faults(many(VALIDATION[experiment]["unseen"], 10.0))
    assert len(tested) == len(chosen) == 1
    assert not trained & tested and not trained & chosen and not tested & chosen
    middle = {f.begin for s in many(TEST[experiment]["training"], 10.0) for f in s.faults}
    assert middle == {0.0}


def test_piers_and_seeds_are_apart() -> None:
    piers = [
        {each.terrain.seed for each in many(draw, *more)}
        for draw, more in (
            (TRAINING["cheetah-pier"], ()),
            (VALIDATION["cheetah-pier"]["pier"], (10.0,)),
            (TEST["cheetah-pier"]["random"], (10.0,)),
            (TEST["cheetah-pier"]["fixed"], (10.0,)),
        )
    ]
    assert [len(each) for each in piers] == [50, 50, 50, 1]
    assert len(set().union(*piers)) == 151
    uses = (TRAINING_SEEDS, VALIDATION_SEEDS, TEST_SEEDS)
    assert all(first[1] <= second[0] for first, second in zip(uses, uses[1:], strict=False))
    rng = np.random.default_rng(0)
    assert all(low <= draw_seed(rng, (low, high)) < high for low, high in uses)


def test_slopes_and_forces_of_a_test_are_beyond_those_of_training() -> None:
    slopes = [each.terrain.angle for each in many(TRAINING["cheetah-slope"])]
    assert min(slopes) < 0 < max(slopes)
    assert max(map(abs, slopes)) < 0.15
    trained = max(np.linalg.norm(each.force) for each in many(TRAINING["arm-force"]))
    tested = [np.linalg.norm(each.force) for each in many(TEST["arm-force"]["constant"], 10.0)]
    assert trained <= 2
    np.testing.assert_allclose(tested, 4.0)


def test_in_mid_rollout_is_the_middle() -> None:
    switched = many(TEST["cheetah-disabled"]["switching"], 10.0)
    assert all(
        (first.end, second.begin) == (5.0, 5.0) and first.name != second.name
        for first, second in (situation.faults for situation in switched)
    )
    (fault,) = many(TEST["ant-crippled"]["failing"], 8.0)[0].faults
    assert fault.begin == 4.0
    assert many(TEST["arm-force"]["change"], 8.0)[0].force_begin == 4.0
