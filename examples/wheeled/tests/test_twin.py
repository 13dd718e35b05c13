"""The twin: it goes where it is told, and a lost tyre shows."""

from __future__ import annotations

import numpy as np
import pytest
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant, make_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot

from wheeled.twin import FAULTS, Body, WheeledTwin

ROBOT = make_robot("wheeled")


def driven(twin: WheeledTwin, action: tuple[float, float], seconds: float) -> np.ndarray:
    for _ in range(round(seconds / 0.1)):
        twin.command(np.array(action))
        twin.advance(0.1)
    return ROBOT.estimate(twin.observe().values, None, 0.1)


def test_the_registry_names_both_plants() -> None:
    assert set(plants_of("wheeled")) == {"twin", "topics"}
    twin = make_plant(ROBOT, "twin", PlantOptions(path="figure8"))
    assert twin.simulated


def test_it_goes_and_turns_as_told() -> None:
    straight = driven(WheeledTwin(ROBOT, noise=0), (0.4, 0.0), 3)
    np.testing.assert_allclose(straight, [1.2, 0, 1, 0, 0.4, 0], atol=0.06)
    turned = driven(WheeledTwin(ROBOT, noise=0), (0.0, 1.0), 2)
    assert turned[5] == pytest.approx(1.0, abs=0.1)
    np.testing.assert_allclose(turned[:2], 0.0, atol=0.03)


def test_a_lost_tyre_bends_the_path_from_its_second_on() -> None:
    twin = make_plant(ROBOT, "twin", PlantOptions(fault="left_tyre_lost@1", noise=0))
    before = driven(twin, (0.4, 0.0), 1)
    after = driven(twin, (0.4, 0.0), 1)
    assert abs(before[3]) < 0.01
    assert after[5] > 0.3
    # At 0.4 m/s on wheels of 5 and 3.5 cm, 24 cm apart: (0.4 - 0.28) / 0.24 rad/s, less slip.
    assert after[5] < 0.55


def test_the_seed_decides_the_noise() -> None:
    rows = [driven(WheeledTwin(ROBOT, seed=seed), (0.3, 0.5), 1) for seed in (1, 1, 2)]
    assert (rows[0] == rows[1]).all() and not (rows[0] == rows[2]).any()


def test_leaving_the_context_stops_it() -> None:
    with WheeledTwin(ROBOT, noise=0) as twin:
        driven(twin, (0.5, 0.0), 1)
    twin.advance(1.0)
    assert abs(twin.observe().values[6]) < 0.01


@pytest.mark.parametrize("action", [(0.7, 0.0), (0.0, -2.1), (np.nan, 0.0), (0.1,)])
def test_what_is_not_a_command_is_refused(action: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        WheeledTwin(ROBOT).command(np.array(action))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (PlantOptions(terrain="ice"), "unknown terrain 'ice': expected one of carpet, tiles"),
        (PlantOptions(fault="leg@2"), "unknown fault 'leg'"),
        (PlantOptions(fault="payload"), "expected NAME@SECONDS"),
        (PlantOptions(fault="payload@inf"), "expected NAME@SECONDS"),
        (PlantOptions(viewer=True), "viewer"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(options: PlantOptions, error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_plant("wheeled", "twin", options)


def test_every_fault_stands_and_a_body_without_a_wheel_is_refused() -> None:
    for body in FAULTS.values():
        twin = WheeledTwin(ROBOT, body=body, noise=0)
        driven(twin, (0.4, 0.5), 2)
        assert twin.data.qpos[2] > 0.03
    with pytest.raises(ValueError, match="left: expected above 0"):
        Body(left=0.0)
