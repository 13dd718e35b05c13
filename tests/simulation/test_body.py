"""The hexapod's MuJoCo model: every edit starts from what was loaded."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots.hexapod_causes import LEGS
from ros_mbmrl.simulation.body import GRAVITY, HULL_FRICTION, LOST_LEG_MASS, Body
from ros_mbmrl.simulation.calibration import Frame
from ros_mbmrl.simulation.faults import FAULTS, Effect
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.terrain import Terrain

WELL, USUAL = Effect(), Physics(slope_x=0.0, slope_y=0.0)
EDITED = (
    *("geom_friction", "geom_solref", "geom_contype", "geom_conaffinity", "geom_rgba"),
    *("dof_damping", "body_mass", "body_inertia"),
)


def body(**terrain: float) -> Body:
    return Body(Terrain("x", **terrain), Frame())


def numbers(body: Body) -> list[np.ndarray]:
    return [getattr(body.model, name).copy() for name in EDITED] + [body.model.opt.gravity.copy()]


def test_what_is_applied_is_decided_by_the_arguments_alone() -> None:
    fresh, used = body(), body()
    used.apply(Physics(friction=0.5, mass=2.0, drag=3.0, slope_x=0.2), FAULTS["leg_left_back"])
    assert any((a != b).any() for a, b in zip(numbers(used), numbers(fresh), strict=True))
    for each in (fresh, used):
        each.apply(USUAL, WELL)
    assert all((a == b).all() for a, b in zip(numbers(used), numbers(fresh), strict=True))


def test_friction_mass_and_drag_are_scaled() -> None:
    made = body(friction=0.8, drag=0.4, yaw_drag=0.002)
    made.apply(USUAL, WELL)
    mass = made.model.body_mass[made.indices.body]
    made.apply(Physics(friction=0.5, mass=1.5, drag=2.0), WELL)
    model, at = made.model, made.indices
    assert model.geom_friction[at.leg_geoms, 0] == pytest.approx(0.4)
    assert model.geom_friction[at.hull, 0] == pytest.approx(HULL_FRICTION * 0.4)
    assert model.body_mass[at.body] == pytest.approx(1.5 * mass)
    assert model.dof_damping[[0, 1, 5]] == pytest.approx([0.8, 0.8, 0.004])


def test_a_lost_leg_is_light_touches_nothing_and_is_not_seen() -> None:
    made = body()
    made.apply(USUAL, WELL)
    mass = made.model.body_mass.copy()
    made.apply(USUAL, FAULTS["leg_right_front"])
    for leg in LEGS:
        part, geoms = made.indices.legs[leg]
        lost = leg == "leg_right_front"
        assert made.model.body_mass[part] == pytest.approx(
            (LOST_LEG_MASS if lost else 1) * mass[part]
        )
        assert (made.model.geom_conaffinity[geoms] == (0 if lost else 1)).all()
        assert (made.model.geom_rgba[geoms, 3] == 0).all() == lost


def test_a_slope_tilts_gravity_and_keeps_its_length() -> None:
    made = body()
    made.apply(Physics(slope_x=0.1, slope_y=0.0), Effect(slope=0.2))
    x, y, z = made.model.opt.gravity
    assert np.linalg.norm([x, y, z]) == pytest.approx(GRAVITY)
    assert (x / -z, y / -z) == pytest.approx((math.tan(0.1), -math.tan(0.2)))


def test_only_rough_ground_has_bumps() -> None:
    plane, rough = body(), body(roughness=0.01)
    for made, touched in ((plane, 0), (rough, 1)):
        assert made.model.geom("rough").contype == touched
        made.shape_ground(np.random.default_rng(0))
    assert not plane.model.hfield_data.any()
    first = rough.model.hfield_data.copy()
    assert first.min() >= 0 and first.max() <= 1 and first.std() > 0.05
    assert rough.model.hfield_size[0, 2] == 0.01
    rough.shape_ground(np.random.default_rng(1))
    assert (rough.model.hfield_data != first).any()


def test_a_motor_is_left_a_part_of_its_torque_and_given_it_back() -> None:
    made = body()
    full = made.model.actuator_forcerange.copy()
    made.limit_force(0, 0.25)
    assert made.model.actuator_forcerange[0] == pytest.approx(0.25 * full[0])
    assert (made.model.actuator_forcerange[1] == full[1]).all()
    made.limit_force(0, 1.0)
    assert (made.model.actuator_forcerange == full).all()
