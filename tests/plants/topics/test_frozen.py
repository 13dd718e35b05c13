"""A frozen sensor, message by message."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ros_mbmrl.plants.topics.frozen import Frozen
from ros_mbmrl.plants.topics.wiring import wiring_of
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import described_robot
from tests.plants.topics.conftest import ARM, BASE

LIVE = "margin: 0.3, live_sensors: [{states: [x, y, cos_yaw, sin_yaw]}]}"
GO, STAND = np.array([0.3, 0.0]), np.zeros(2)


def odometry(x: float) -> SimpleNamespace:
    place = SimpleNamespace(x=x, y=0.0)
    turn = SimpleNamespace(w=1.0, x=0.0, y=0.0, z=0.0)
    return SimpleNamespace(
        pose=SimpleNamespace(pose=SimpleNamespace(position=place, orientation=turn))
    )


@pytest.fixture
def frozen() -> Frozen:
    described = parse_description(BASE.replace("margin: 0.3}", LIVE), Path("base.yaml"))
    return Frozen(described_robot(described).spec, wiring_of(described))


def fed(frozen: Frozen, begin: float, count: int, x: float | None) -> float:
    """Put messages of 50 Hz, all different or all at `x`; return when the last one came."""
    for k in range(count):
        now = begin + 0.02 * k
        frozen.put("odom", odometry(now if x is None else x), now)
    return now


def test_it_is_told_after_one_and_a_half_periods_until_it_thaws(frozen: Frozen) -> None:
    frozen.driven(GO, 0.0)
    now = fed(frozen, 0.0, 20, None)
    assert frozen.fault(now) == ""
    now = fed(frozen, 0.4, 8, 0.4)
    assert frozen.fault(now) == "" and now == pytest.approx(0.54)
    told = "/odom: x and y and qw and qx and qy and qz stay the same while driven"
    assert frozen.fault(0.56) == told
    frozen.driven(STAND, 0.57)  # it is stopped: still it says the same
    assert frozen.fault(fed(frozen, 0.58, 5, 0.4)) == told
    assert frozen.fault(fed(frozen, 0.7, 1, 0.5)) == ""


def test_a_robot_that_stands_may_say_the_same(frozen: Frozen) -> None:
    assert frozen.fault(fed(frozen, 0.0, 100, 0.1)) == ""
    frozen.driven(0.04 * GO, 2.0)  # too little for a motor to turn
    assert frozen.fault(fed(frozen, 2.0, 100, 0.1)) == ""
    frozen.driven(GO, 4.0)  # it counts from here
    assert frozen.fault(fed(frozen, 4.0, 7, 0.1)) == ""
    assert frozen.fault(fed(frozen, 4.14, 3, 0.1)) != ""


def test_one_message_that_stays_away_is_another_matter(frozen: Frozen) -> None:
    frozen.driven(GO, 0.0)
    fed(frozen, 0.0, 2, None)
    assert frozen.fault(5.0) == ""  # nothing came: stale, not frozen


def test_without_live_sensors_nothing_is_frozen() -> None:
    described = parse_description(ARM, Path("arm.yaml"))
    watch = Frozen(described_robot(described).spec, wiring_of(described))
    watch.driven(np.ones(2), 0.0)
    assert watch.fault(9.0) == ""
