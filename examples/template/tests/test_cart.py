"""What every robot's tests should hold: maps that undo each other, a twin that does as told."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant, make_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot

from cart.robot import Cart
from cart.twin import CartTwin

ROBOT = Cart()


def test_it_is_found_by_name() -> None:
    assert type(make_robot("cart")) is Cart
    assert plants_of("cart") == ("twin",)


def test_advance_undoes_difference() -> None:
    first, second = torch.randn(2, 50, 2, generator=torch.Generator().manual_seed(0))
    change = ROBOT.difference(first, second)
    torch.testing.assert_close(ROBOT.advance(first, change), second)


def test_the_place_does_not_show_in_the_features() -> None:
    here = torch.tensor([0.3, 0.5])
    there = torch.tensor([1.3, 0.5])
    assert torch.equal(ROBOT.features(here), ROBOT.features(there))


def test_the_twin_lags_by_hand() -> None:
    twin = make_plant(ROBOT, "twin", PlantOptions())
    twin.command(np.array([1.0]))
    twin.advance(0.2)
    expected = [0.2 - 0.2 * (1 - math.exp(-1)), 1 - math.exp(-1)]
    np.testing.assert_allclose(twin.observe().values, expected, atol=0.005)


def test_leaving_the_context_stops_it() -> None:
    with CartTwin(ROBOT) as twin:
        twin.command(np.array([1.0]))
        twin.advance(1.0)
    twin.advance(5.0)
    assert abs(twin.observe().values[1]) < 0.005


def test_a_wrong_fault_is_one_line() -> None:
    with pytest.raises(UserError, match="fault 'leg@2': expected slips@SECONDS"):
        check_plant("cart", "twin", PlantOptions(fault="leg@2"))


@pytest.mark.parametrize("action", [[1.2], [math.nan], [0.1, 0.1]])
def test_what_is_not_a_command_is_refused(action: list[float]) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        CartTwin(ROBOT).command(np.array(action))
