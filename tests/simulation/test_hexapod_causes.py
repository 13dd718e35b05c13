"""What the hexapod's twin tells of its causes, and robots that are broken in every way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.faults import Effect, Fault
from ros_mbmrl.simulation.hexapod_causes import BROKEN, HELD_OUT
from ros_mbmrl.simulation.randomisation import MILD, Physics
from ros_mbmrl.simulation.world import HexapodWorld

NAMES = [cause.name for cause in make_robot("hexapod").spec.causes]


def told(world: HexapodWorld) -> dict[str, float]:
    return dict(zip(NAMES, world.causes().tolist(), strict=True))


def test_a_robot_that_is_well_is_at_its_defaults_but_for_the_ground() -> None:
    world = HexapodWorld(make_terrain("carpet"))
    defaults = {cause.name: cause.default for cause in make_robot("hexapod").spec.causes}
    assert told(world) == {**defaults, "pull": make_terrain("carpet").pull}
    assert world.effectiveness().tolist() == [1.0, 1.0]


def test_faults_and_physics_add_up_when_they_set_in() -> None:
    physics = Physics(right_gain=0.9, slope_y=0.1, effect=Effect(payload=0.005, right_motor=0.5))
    faults = [Fault(name, 0.05) for name in ("slope", "payload", "leg_left_back", "weak_right")]
    world = HexapodWorld(make_terrain("carpet"), physics, faults)
    before = told(world)
    assert (before["payload"], before["slope_y"], before["leg_left_back"]) == (0.005, 0.1, 1.0)
    assert world.effectiveness() == pytest.approx([1.0, 0.45])
    world.step(0.1)
    after = told(world)
    assert after["payload"] == pytest.approx(0.02)
    assert after["slope_y"] == pytest.approx(0.1 - math.radians(15))
    assert after["leg_left_back"] == 0.0 and after["leg_left_middle"] == 1.0
    assert world.effectiveness() == pytest.approx([1.0, 0.27])


def test_a_command_times_its_effectiveness_is_what_a_weak_motor_makes_of_it() -> None:
    """The motor's law has an offset, so it is a factor to some percent only."""

    def speed(command: float, gain: float) -> float:
        world = HexapodWorld(make_terrain("carpet"), Physics(left_gain=gain, process_noise=0.0))
        world.set_command(np.array([command, 25.0]))
        world.step(0.5)
        before = world.leg_angles()[0]
        world.step(1.0)
        return float(world.leg_angles()[0] - before)

    assert speed(30.0, 0.6) == pytest.approx(speed(18.0, 1.0), rel=0.06)


def test_broken_robots_are_spread_wide_and_never_miss_the_held_out_leg() -> None:
    rng = np.random.default_rng(0)
    drawn = [BROKEN.sample(rng) for _ in range(400)]
    lost = [leg for physics in drawn for leg in physics.effect.missing_legs]
    assert HELD_OUT not in lost and len(set(lost)) == 5 and 160 < len(lost) < 240
    offsets = np.array([physics.yaw_offset for physics in drawn])
    assert np.abs(offsets).max() > 0.6 and (np.abs(offsets) <= MILD.yaw_offset[1]).mean() > 0.4
    shares = np.array([p.effect.left_motor * p.effect.right_motor for p in drawn])
    assert 0.3 <= shares.min() < 0.4 and (shares == 1).mean() > 0.5
    assert max(physics.effect.payload for physics in drawn) == pytest.approx(0.025, abs=0.002)
    assert BROKEN.sample(np.random.default_rng(3)) == BROKEN.sample(np.random.default_rng(3))
