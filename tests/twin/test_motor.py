import math

import pytest

from ros_mbmrl.twin.motor import NOMINAL_VOLTAGE, TOP_SPEED, TURN, Battery, servo_target


def test_zero_stands_still() -> None:
    assert servo_target(0.0, 1.0, NOMINAL_VOLTAGE) == 0.0


def test_top_speed_follows_the_battery() -> None:
    fast = 20 * TURN
    assert servo_target(fast, 1.0, NOMINAL_VOLTAGE) == pytest.approx(TOP_SPEED)
    assert servo_target(fast, 1.0, NOMINAL_VOLTAGE / 2) == pytest.approx(TOP_SPEED / 2)


def test_targets_rise_with_set_points() -> None:
    targets = [servo_target(hertz * TURN / 4, 1.0, NOMINAL_VOLTAGE) for hertz in range(60)]
    assert targets == sorted(targets)


def test_a_battery_sags_under_load_and_recovers_most_of_it() -> None:
    battery = Battery(4.0)
    for _ in range(100):
        battery.use(100.0, 0.1)
    loaded = battery.voltage
    battery.use(0.0, 0.1)
    assert loaded < battery.voltage < 4.0
    assert math.isclose(battery.voltage - loaded, 0.08, rel_tol=0.01)
