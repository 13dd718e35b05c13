"""Where numbers are in a model: bases that move freely or on rails, rates, errors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.twin_reading import read_twin
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.layout import Layout

FREE = "<body name='box' pos='0 0 1'><freejoint/><geom size='.1'/></body>"
RAILS = """
<body name='sledge' pos='1 0 0'>
  <joint name='x' type='slide' axis='1 0 0'/><joint name='y' type='slide' axis='0 1 0'/>
  <joint name='turn' axis='0 0 1'/><geom size='.1'/>
</body>"""
HEAD = "name: base\nperiod: 0.1\ncommands: {values: {speed: {unit: m/s, low: -1, high: 1}}}\n"


def layout(bodies: str, kind: str, more: str = "", twin: str = "") -> tuple[Layout, mujoco.MjModel]:
    text = f"{HEAD}kind: {kind}\n{more}\ntwin:\n  model: m.xml\n{twin}"
    description = parse_description(text, Path("base.yaml"))
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{bodies}</worldbody></mujoco>")
    return Layout(model, description, read_twin(description)), model


def test_a_floating_base_measures_in_its_own_frame() -> None:
    found, model = layout(FREE, "floating_base")
    data = mujoco.MjData(model)
    half = math.sqrt(0.5)  # a quarter turn to the left
    data.qpos[:] = [1, 2, 3, half, 0, 0, half]
    data.qvel[:] = [0.5, 0, 0.1, 0.2, 0.3, 0.4]  # world, then body
    expected = [1, 2, 3, half, 0, 0, half, 0, -0.5, 0.1, 0.2, 0.3, 0.4]
    np.testing.assert_allclose(found.measure(model, data), expected, atol=1e-12)


def test_a_planar_base_may_be_on_rails() -> None:
    found, model = layout(RAILS, "planar_base", twin="  base: sledge")
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = [0.5, 2, math.pi / 2], [0.0, 0.7, 0.3]
    half = math.sqrt(0.5)
    np.testing.assert_allclose(
        found.measure(model, data), [1.5, 2, half, 0, 0, half, 0.7, 0.3], atol=1e-12
    )


@pytest.mark.parametrize("kind", ["planar_base", "floating_base"])
def test_a_state_that_is_put_is_measured(kind: str) -> None:
    found, model = layout(FREE, kind)
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    data.qpos[:], data.qvel[:] = [0.3, -0.2, 1, 0.9, 0, 0, 0.4], rng.normal(size=6)
    data.qpos[3:] /= np.linalg.norm(data.qpos[3:])
    if kind == "planar_base":
        data.qvel[2:5] = 0.0
    measured = found.measure(model, data)
    state = measured
    if kind == "planar_base":
        yaw = 2 * math.atan2(measured[5], measured[2])
        state = np.array([*measured[:2], math.cos(yaw), math.sin(yaw), *measured[6:]])
    other = mujoco.MjData(model)
    found.put(state, other.qpos, other.qvel)
    if kind == "planar_base":  # what goes sideways is not measured
        measured = measured.copy()
    np.testing.assert_allclose(found.measure(model, other), measured, atol=1e-9)


def test_a_base_is_moved_as_it_stands() -> None:
    found, model = layout(FREE, "planar_base")
    qpos = np.array([5.0, 5.0, 0.7, 1.0, 0.0, 0.0, 0.0])
    found.move(qpos, (1.0, -1.0, math.pi / 2))
    half = math.sqrt(0.5)
    np.testing.assert_allclose(qpos, [1, -1, 0.7, half, 0, 0, half], atol=1e-12)


def test_errors_of_an_orientation_are_angles_about_the_worlds_axes() -> None:
    found, _ = layout(FREE, "planar_base")
    half = math.sqrt(0.5)
    measured = np.array([[0, 0, half, 0, 0, half, 0.0, 0.0]])
    off = np.array([[0.1, 0.2, 0.3, 0.4, 0.5]])  # x, y, yaw, speed, yaw_rate
    seen = found.disturbed(measured, off)[0]
    np.testing.assert_allclose(seen[[0, 1, 6, 7]], [0.1, 0.2, 0.4, 0.5])
    assert 2 * math.atan2(seen[5], seen[2]) == pytest.approx(math.pi / 2 + 0.3)
    assert np.linalg.norm(seen[2:6]) == pytest.approx(1.0)


def test_a_base_that_is_not_named_must_move_freely() -> None:
    with pytest.raises(UserError, match=r"base\.yaml:\d+: twin: no body moves freely"):
        layout(RAILS, "planar_base")
    with pytest.raises(UserError, match="the model has no body 'boks': expected one of world, box"):
        layout(FREE, "planar_base", twin="  base: boks")
