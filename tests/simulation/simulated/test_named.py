"""Things by name, and changes of their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.changes import Change
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.named import apply, identity, names_of

XML = """
<mujoco>
  <worldbody>
    <body name="box"><freejoint/><geom name="wheel" type="cylinder" size="0.1 0.02" mass="2"/>
      <body name="lid"><joint name="hinge" damping="0.5"/><geom size="0.1" mass="1"/></body>
      <body name="point"><inertial pos="0 0 0" mass="0.0" diaginertia="0 0 0"/></body>
    </body>
  </worldbody>
  <actuator><position name="servo" joint="hinge" kp="10"/></actuator>
</mujoco>
"""
PLACE = Marked("file", 3, "twin.faults.x", None)


@pytest.fixture
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(XML)


def changed(model: mujoco.MjModel, of: str, name: str, quantity: str, value: float) -> None:
    apply(model, Change(of, name, quantity, value, value, PLACE), value)


def test_names_are_in_order(model: mujoco.MjModel) -> None:
    assert names_of(model, "body") == ["world", "box", "lid", "point"]
    assert names_of(model, "joint") == ["", "hinge"]
    assert identity(model, "geom", "wheel", PLACE) == 0


def test_what_is_not_there_is_told_with_what_is(model: mujoco.MjModel) -> None:
    with pytest.raises(UserError) as caught:
        identity(model, "joint", "hinges", PLACE)
    assert str(caught.value) == (
        "file:3: twin.faults.x: the model has no joint 'hinges': expected one of hinge; "
        "did you mean 'hinge'?"
    )
    with pytest.raises(UserError, match="no sensor 'imu': expected one of none has a name"):
        identity(model, "sensor", "imu", PLACE)


def test_a_bodys_mass_is_in_kilograms_and_its_inertia_follows(model: mujoco.MjModel) -> None:
    inertia = model.body("box").inertia.copy()
    changed(model, "body", "box", "mass", 6.0)
    assert model.body("box").mass == pytest.approx([6.0])
    np.testing.assert_allclose(model.body("box").inertia, 3 * inertia)
    changed(model, "body", "point", "mass", 1.5)
    assert model.body("point").mass == pytest.approx([1.5])


def test_other_numbers_are_factors(model: mujoco.MjModel) -> None:
    changed(model, "geom", "wheel", "radius", 0.5)
    np.testing.assert_allclose(model.geom("wheel").size[:2], [0.05, 0.02])
    changed(model, "geom", "wheel", "size", 2.0)
    np.testing.assert_allclose(model.geom("wheel").size[:2], [0.1, 0.04])
    changed(model, "geom", "wheel", "friction", 0.5)
    assert model.geom("wheel").friction[0] == pytest.approx(0.5)
    assert model.geom_friction[1, 0] == pytest.approx(1.0)
    changed(model, "joint", "hinge", "damping", 3.0)
    assert model.dof_damping[6] == pytest.approx(1.5) and not model.dof_damping[:6].any()
    changed(model, "joint", "hinge", "friction", 0.2)  # but for this, in N m
    np.testing.assert_allclose(model.dof_frictionloss, [0] * 6 + [0.2])


def test_a_servo_that_is_weak_holds_its_place_as_before(model: mujoco.MjModel) -> None:
    changed(model, "actuator", "servo", "factor", 0.1)
    assert model.actuator("servo").gainprm[0] == pytest.approx(1.0)
    assert model.actuator("servo").biasprm[1] == pytest.approx(-1.0)


def test_without_a_thing_all_change(model: mujoco.MjModel) -> None:
    changed(model, "", "", "mass", 2.0)
    np.testing.assert_allclose(model.body_mass, [0, 4, 2, 0])
    changed(model, "", "", "friction", 0.5)
    np.testing.assert_allclose(model.geom_friction[:, 0], 0.5)


def test_commands_sensors_and_latency_are_not_the_models(model: mujoco.MjModel) -> None:
    before = model.body_mass.copy(), model.actuator_gainprm.copy()
    for of, quantity in (("command", "factor"), ("sensor", "add"), ("", "latency")):
        changed(model, of, "x", quantity, 0.5)
    np.testing.assert_array_equal(model.body_mass, before[0])
    np.testing.assert_array_equal(model.actuator_gainprm, before[1])
