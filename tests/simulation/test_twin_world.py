"""The time of a twin, and its faults, without any physics."""

from __future__ import annotations

import math

import mujoco
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.twin_world import TwinWorld


class Empty(TwinWorld):
    """Counts its ticks, and notes when which faults took effect."""

    kind, ticks_per_second = Fault, 10

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.data = mujoco.MjData(mujoco.MjModel.from_xml_string("<mujoco/>"))
        self.noted: list[tuple[float, frozenset[str]]] = []

    def _tick(self) -> None:
        self._switch_faults()
        self._ticks += 1

    def _take_effect(self) -> None:
        self.noted.append((self.time, self.active_faults))


def test_less_than_a_tick_is_owed_to_the_next_step() -> None:
    world = Empty()
    times = []
    for _ in range(4):
        world.step(0.05)
        times.append(world.time)
    assert times == [0.0, 0.1, 0.1, 0.2]


def test_faults_take_effect_once_at_their_second_or_by_hand_at_once() -> None:
    world = Empty(Fault("payload", 0.2))
    world.step(0.4)
    world.set_fault("slope", True)
    world.set_fault("payload", False)
    assert world.noted == [
        (0.2, {"payload"}),
        (0.4, {"payload", "slope"}),
        (0.4, {"slope"}),
    ]
    with pytest.raises(UserError, match="unknown fault 'push'"):
        world.set_fault("push", True)


def test_a_schedule_that_waits_counts_from_when_it_is_told() -> None:
    world = Empty(Fault("payload", 0.2))
    world.faults_from(math.inf)
    world.step(0.5)
    assert world.noted == []
    world.faults_from(0.5)
    world.step(0.5)
    assert world.noted == [(0.7, {"payload"})]


def test_no_time_passes_once_the_physics_broke_down() -> None:
    world = Empty()
    world.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number = 1
    world.step(0.3)
    world.step(0.3)
    assert world.diverged and world.time == pytest.approx(0.3)
