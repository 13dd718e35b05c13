"""The hexapod's maps: measurement to state, state to features, change and back."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.hexapod import SPEC, TURN, Hexapod

ROBOT = Hexapod()
NAMES = [quantity.name for quantity in SPEC.state]
NEAR = st.floats(-2.0, 2.0)
TILT = st.floats(-1.0, 1.0)
ANGLE = st.floats(-math.pi, math.pi)


@st.composite
def states(draw: st.DrawFn) -> torch.Tensor:
    """A state that the estimator could have made; its velocity is arbitrary."""
    angles = [draw(TILT), draw(TILT), draw(ANGLE)]
    legs = [draw(ANGLE), draw(ANGLE)]
    values = [draw(NEAR) for _ in range(6)]
    values += [f(angle) for angle in angles for f in (math.cos, math.sin)]
    values += [draw(NEAR) for _ in range(3)]
    values += [f(angle) for angle in legs for f in (math.cos, math.sin)]
    values += [draw(NEAR) for _ in range(5)]
    return torch.tensor(values, dtype=torch.float64)


def moved(state: torch.Tensor, x: float, y: float, turn: float) -> torch.Tensor:
    """The same robot seen from a map whose axes lie elsewhere."""
    c, s = math.cos(turn), math.sin(turn)
    rotation = torch.tensor([[c, -s], [s, c]], dtype=state.dtype)
    result = state.clone()
    result[0:2] = rotation @ state[0:2] + torch.tensor([x, y])
    result[3:5] = rotation @ state[3:5]
    result[10:12] = rotation @ state[10:12]
    return result


def test_the_names_count() -> None:
    assert len(NAMES) == len(set(NAMES)) == 24
    assert len(SPEC.features) == 17
    assert len(SPEC.changes) == 18
    state = torch.zeros(3, 24)
    assert ROBOT.features(state).shape == (3, 17)
    assert ROBOT.difference(state, state).shape == (3, 18)
    assert ROBOT.estimate(np.eye(18)[3], None, 0.1).shape == (24,)


@given(state=states(), after=states())
def test_advance_inverts_difference(state: torch.Tensor, after: torch.Tensor) -> None:
    after = after.clone()
    after[3:6] = (after[0:3] - state[0:3]) / SPEC.period
    reached = ROBOT.advance(state, ROBOT.difference(state, after))
    assert torch.allclose(reached, after, atol=1e-9)


@given(state=states(), after=states(), x=NEAR, y=NEAR, turn=ANGLE)
def test_features_and_changes_do_not_know_where_the_map_lies(
    state: torch.Tensor, after: torch.Tensor, x: float, y: float, turn: float
) -> None:
    there, then = moved(state, x, y, turn), moved(after, x, y, turn)
    assert torch.allclose(ROBOT.features(there), ROBOT.features(state), atol=1e-9)
    one, two = ROBOT.difference(state, after), ROBOT.difference(there, then)
    # An angle of half a turn may come out with either sign.
    one[3:6], two[3:6] = one[3:6].cos(), two[3:6].cos()
    assert torch.allclose(one, two, atol=1e-7)


@given(state=states(), after=states(), x=NEAR, y=NEAR, turn=ANGLE)
def test_advance_turns_with_the_map(
    state: torch.Tensor, after: torch.Tensor, x: float, y: float, turn: float
) -> None:
    change = ROBOT.difference(state, after)
    here, there = ROBOT.advance(state, change), ROBOT.advance(moved(state, x, y, turn), change)
    assert torch.allclose(moved(here, x, y, turn), there, atol=1e-9)


def test_estimate_by_hand() -> None:
    half = math.sqrt(0.5)  # a quarter turn about z
    before = np.array([1, 2, 3, 1, 0, 0, 0, *[0] * 6, 0.0, 1.0, 0.1, 0.2, 3.8])
    now = np.array(
        [1.1, 2.2, 3, half, 0, 0, half, 0.4, 0.5, 0.6, 7, 8, 9, math.pi, 1.5, 0.3, 0.4, 3.7]
    )
    cos, sin = math.cos(1.5), math.sin(1.5)
    expected = [
        *(1.1, 2.2, 3.0, 0.5, 1.0, 0.0),  # differences over 0.2 s
        *(1, 0, 1, 0, 0, 1),  # level, facing +y
        *(0.4, 0.5, 0.6),
        *(-1, 0, cos, sin, math.pi / 0.2, 2.5),
        *(0.3, 0.4, 3.7),
    ]
    assert ROBOT.estimate(now, before, 0.2) == pytest.approx(expected, abs=1e-9)
    first = ROBOT.estimate(now, None, 0.1)
    assert first[[3, 4, 5, 19, 20]].tolist() == [0.0] * 5
    assert ROBOT.pose(first) == pytest.approx((1.1, 2.2, math.pi / 2))


def test_features_by_hand() -> None:
    state = torch.zeros(24, dtype=torch.float64)
    state[3:6] = torch.tensor([0.0, 0.3, 0.1])  # along +y
    state[6:10] = torch.tensor([math.cos(0.1), math.sin(0.1), math.cos(0.2), math.sin(0.2)])
    state[11] = 1.0  # facing +y
    expected = torch.tensor([0.3, 0.0, 0.1, 0.1, 0.2], dtype=torch.float64)
    assert torch.allclose(ROBOT.features(state)[:5], expected)


def retreat(x: float, y: float, yaw: float, bearing: float) -> tuple[float, float]:
    """What retreat commands for a target 1 m away, `bearing` to the left of the nose."""
    state = np.zeros(24)
    state[[0, 1, 10, 11]] = x, y, math.cos(yaw), math.sin(yaw)
    left, right = ROBOT.retreat(state, (x + math.cos(yaw + bearing), y + math.sin(yaw + bearing)))
    assert 0.0 <= min(left, right) <= max(left, right) <= 9.0 * TURN
    return left, right


@given(x=NEAR, y=NEAR, yaw=st.floats(-1.5, 1.5), bearing=st.floats(0.01, 1.5))
def test_retreat_turns_to_the_side_of_the_target(
    x: float, y: float, yaw: float, bearing: float
) -> None:
    left, right = retreat(x, y, yaw, bearing)
    assert right > left  # the right legs are the faster ones: it turns left
    left, right = retreat(x, y, yaw, -bearing)
    assert left > right


@pytest.mark.parametrize(("yaw", "bearing"), [(2.5, 1.5), (-2.5, -1.5), (1.0, 3.0)])
def test_retreat_takes_the_shorter_side_across_half_a_turn(yaw: float, bearing: float) -> None:
    left, right = retreat(0.0, 0.0, yaw, bearing)
    assert (right - left) * bearing > 0


def test_retreat_walks_straight_at_a_target_ahead() -> None:
    state = np.zeros(24)
    state[10] = 1.0
    assert ROBOT.retreat(state, (1.0, 0.0)).tolist() == [4 * TURN, 4 * TURN]


@pytest.mark.parametrize("name", ROBOT.tasks())
def test_every_task_can_be_made(name: str) -> None:
    state = np.zeros(24)
    state[[0, 1, 10, 11]] = 0.5, -0.25, 0.0, 1.0
    task = make_robot("hexapod").make_task(name, state)
    assert task.reference(state)[0, :3].tolist() == pytest.approx(
        [0.5, -0.25, math.pi / 2], abs=0.03
    )


@pytest.mark.parametrize("module", ["ros_mbmrl.robots.hexapod", "ros_mbmrl.robots.paths"])
def test_importing_a_robot_does_not_import_torch(module: str) -> None:
    check = f"import sys, {module}; from ros_mbmrl.robots import make_robot; "
    check += "make_robot('hexapod').tasks(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
