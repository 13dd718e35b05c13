"""Every method meets the same episodes, and a fault on the way does come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.experiments import (
    EXPERIMENTS,
    Condition,
    cells,
    make_experiment,
    opponents,
)
from ros_mbmrl.robots.paths import SPEED, make_path
from ros_mbmrl.simulation.faults import FAULTS
from ros_mbmrl.simulation.randomisation import NOMINAL

OOD = EXPERIMENTS["hexapod-ood"]


def test_the_terrains_are_table_2_and_gravel_on_the_nominal_robot() -> None:
    plan = cells(EXPERIMENTS["hexapod-terrains"], seeds=2, first_seed=7, duration=20.0)
    assert len(plan) == 4 * 4 * 2
    assert {(c.scenario.terrain, c.scenario.path, c.scenario.seed) for c in plan} == {
        (terrain, path, seed)
        for terrain in ("carpet", "styrofoam", "turf", "gravel")
        for path in ("straight", "left", "zigzag", "figure8")
        for seed in (7, 8)
    }
    assert {c.scenario.fault.name for c in plan} == {"none"}
    assert {c.scenario.physics for c in plan} == {NOMINAL}


def test_settings_are_chosen_on_faults_that_no_other_experiment_has() -> None:
    plan = cells(EXPERIMENTS["hexapod-validation"], seeds=1, first_seed=0, duration=20.0)
    chosen = {c.scenario.fault.name for c in plan}
    assert len(plan) == 2 * len(chosen) == 14
    others = ("hexapod-terrains", "hexapod-ood")
    reported = {c.fault for name in others for c in EXPERIMENTS[name].conditions}
    effects = [FAULTS[name] for name in reported]
    assert all(FAULTS[name] not in effects for name in chosen)
    assert {c.scenario.path for c in plan} == {"figure8", "zigzag"}
    assert len({c.scenario.physics for c in plan}) == len(plan)


def test_cells_are_the_same_every_time_and_their_robots_differ() -> None:
    plan = cells(OOD, seeds=2, first_seed=0, duration=20.0)
    assert plan == cells(OOD, seeds=2, first_seed=0, duration=20.0)
    assert plan[len(plan) // 2 :] == cells(OOD, seeds=1, first_seed=1, duration=20.0)
    assert len({c.scenario.physics for c in plan}) == len(plan)


def test_faults_set_in_at_the_start_or_half_way_and_count_from_there() -> None:
    plan = cells(OOD, seeds=1, first_seed=0, duration=20.0)
    for cell in plan:
        expected = 10.0 if cell.condition == "leg_lost_midrun" else 0.0
        assert cell.scenario.fault.seconds == cell.after == expected
        assert cell.scenario.terrain == "carpet"


def test_half_way_is_half_of_a_path_that_ends_before_the_time() -> None:
    for cell in cells(OOD, seeds=1, first_seed=0, duration=1000.0):
        if cell.condition == "leg_lost_midrun":
            assert cell.after == pytest.approx(make_path(cell.scenario.path).length / SPEED / 2)


@pytest.mark.parametrize(
    ("seeds", "first_seed", "duration"),
    [(0, 0, 20.0), (1, -1, 20.0), (1, 0, 0.5), (1, 0, float("nan")), (1, 0, float("inf"))],
)
def test_impossible_plans_are_refused(seeds: int, first_seed: int, duration: float) -> None:
    with pytest.raises(UserError, match="expected"):
        cells(OOD, seeds, first_seed, duration)


def test_wrong_descriptions_are_refused() -> None:
    with pytest.raises(UserError, match="unknown experiment 'walk'.*hexapod-ood"):
        make_experiment("walk")
    with pytest.raises(UserError, match="unknown fault 'rain'"):
        Condition("wet", fault="rain")
    with pytest.raises(UserError, match="unknown terrain 'ice'"):
        Condition("cold", terrain="ice")
    with pytest.raises(ValueError, match="onset of late"):
        Condition("late", onset=1.0)
    with pytest.raises(UserError, match="unknown path 'spiral'"):
        replace(OOD, paths=("spiral",))
    with pytest.raises(ValueError, match="same name"):
        replace(OOD, conditions=OOD.conditions * 2)


def test_opponents_are_those_that_take_part() -> None:
    assert opponents(["mb", "grbal"], [], ["mb_de", "mb", "mb"]) == ("mb",)
    assert opponents(["mine"], [], ["mine"]) == ("mine",)
    with pytest.raises(UserError, match="opponent 'x'"):
        opponents(["mb"], ["grbal"], ["x"])
