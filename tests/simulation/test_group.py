"""Robots rolled out together: each its own model, state, command, force and end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import Rollout, mujoco
from ros_mbmrl.simulation.group import Group, places
from ros_mbmrl.simulation.simulated.base import Simulation

TICK, TICKS = 0.01, 5
MASSES = (2.0, 4.0)
# A cart on a rail, which is the robot, and a stone beside it, which is not.
XML = """
<mujoco>
  <option timestep="0.01" gravity="0 0 0"/>
  <default><geom size="0.1" contype="0" conaffinity="0"/></default>
  <worldbody>
    <body name="cart"><joint name="rail" type="slide" axis="1 0 0"/><geom mass="{mass}"/></body>
    <body name="stone"><joint type="slide" axis="0 1 0"/><geom mass="1"/></body>
  </worldbody>
  <actuator><motor joint="rail" gear="1000"/></actuator>
</mujoco>
"""
HOOKS = ("controls", "measure", "place", "settle")  # as every robot of the thesis has them
NOBODY = np.zeros((3, 3))


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """MuJoCo's, in one thread."""
    with Rollout(nthread=1) as made:
        yield made


@pytest.fixture
def group() -> Group:
    """The robots 0 and 2 of three, at rest."""
    models = [mujoco.MjModel.from_xml_string(XML.format(mass=mass)) for mass in MASSES]
    size = mujoco.mj_stateSize(models[0], mujoco.mjtState.mjSTATE_FULLPHYSICS)
    hooks = {name: partial(getattr(Simulation, name), None) for name in HOOKS}
    simulation: Any = SimpleNamespace(tick=TICK, pushed="cart", **hooks)
    datas = [mujoco.MjData(models[0])]
    return Group(simulation, np.array([0, 2]), models, np.zeros((2, size)), (1, 1), datas)


def driven(*newtons: float) -> Array:
    """Commands (N, 1) that make these forces on the rail."""
    return np.array(newtons)[:, None] / 1000


def advance(group: Group, rollout: Rollout, motors: Array, forces: Array = NOBODY) -> Array:
    """Which of all three robots have diverged after five steps of physics."""
    diverged = np.zeros(3, dtype=bool)
    group.advance(rollout, motors, forces, TICKS, diverged)
    return diverged


def test_a_robots_own_positions_and_velocities_come_first() -> None:
    model = mujoco.MjModel.from_xml_string(XML.format(mass=1))
    assert places(model, (1, 1)) == (slice(1, 2), slice(3, 4))


def test_each_is_moved_by_its_own_command(group: Group, rollout: Rollout) -> None:
    assert not advance(group, rollout, driven(2.0, 99.0, -2.0)).any()
    speeds = [2.0 / MASSES[0] * TICK * TICKS, -2.0 / MASSES[1] * TICK * TICKS]
    assert group.measured().shape == (2, 2)
    assert group.measured()[:, 1] == pytest.approx(speeds)
    assert group.measured()[:, 0] == pytest.approx([15 * TICK * v / TICKS for v in speeds])


def test_each_is_pushed_by_its_own_force(group: Group, rollout: Rollout) -> None:
    forces = np.array([[4.0, 0.0, 0.0], [99.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    advance(group, rollout, driven(0.0, 0.0, 0.0), forces)
    assert group.measured()[:, 1] == pytest.approx([4.0 / MASSES[0] * TICK * TICKS, 0.0])


def test_a_robot_is_placed_and_the_rest_of_its_world_stays(group: Group) -> None:
    before = group.states.copy()
    group.place(np.array([[0.5, -1.0, 7.0], [0.25, 2.0, 7.0]]))
    assert group.measured().tolist() == [[0.5, -1.0], [0.25, 2.0]]
    others = [0, *range(4, before.shape[1])]
    assert np.array_equal(group.states[:, others], before[:, others])


def test_a_robot_that_diverges_stays_where_it_was(group: Group, rollout: Rollout) -> None:
    diverged = advance(group, rollout, driven(1e12, 0.0, 2.0))
    assert diverged.tolist() == [True, False, False]
    assert group.measured()[0].tolist() == [0.0, 0.0]
    assert group.measured()[1, 1] > 0
    group.advance(rollout, driven(2.0, 0.0, 2.0), NOBODY, TICKS, diverged)
    assert group.measured()[0].tolist() == [0.0, 0.0]  # for good


def test_plans_are_imagined_as_they_would_be_carried_out(group: Group, rollout: Rollout) -> None:
    group.place(np.array([[0.1, 1.0], [0.2, -1.0]]))
    before = group.states.copy()
    plans = 1e-3 * np.random.default_rng(0).normal(size=(3, 4, 2, 1))
    imagined = group.imagine(rollout, plans, NOBODY, TICKS)
    assert imagined.shape == (2, 4, 3, 2)
    assert np.array_equal(group.measured(), before[:, [1, 3]])
    for plan in range(4):
        group.states[:] = before
        for step in range(2):
            assert imagined[:, plan, step] == pytest.approx(group.measured())
            advance(group, rollout, plans[:, plan, step])
        assert imagined[:, plan, 2] == pytest.approx(group.measured())


def test_a_plan_that_diverges_is_no_number(group: Group, rollout: Rollout) -> None:
    plans = np.zeros((3, 2, 2, 1))
    plans[0, 1, 1] = 1e9
    imagined = group.imagine(rollout, plans, NOBODY, TICKS)
    assert np.isnan(imagined[0, 1, 2]).all() and np.isfinite(imagined[0, 1, :2]).all()
    assert np.isfinite(imagined[0, 0]).all() and np.isfinite(imagined[1]).all()
