import math

import pytest

from ros_mbmrl.simulation.motor import NOMINAL_VOLTAGE, TURN, Battery, Motor


def test_zero_stands_still() -> None:
    assert Motor().target(0.0, 1.0, NOMINAL_VOLTAGE) == 0.0


def test_top_speed_follows_the_battery() -> None:
    motor, fast = Motor(top_speed=60.0), 20 * TURN
    assert motor.target(fast, 1.0, NOMINAL_VOLTAGE) == pytest.approx(60.0)
    assert motor.target(fast, 1.0, NOMINAL_VOLTAGE / 2) == pytest.approx(30.0)


def test_targets_rise_with_set_points() -> None:
    motor = Motor()
    targets = [motor.target(hertz * TURN / 4, 1.0, NOMINAL_VOLTAGE) for hertz in range(60)]
    assert targets == sorted(targets)


def test_the_lag_is_a_time_constant() -> None:
    assert Motor(lag=0.03).approach(0.03) == pytest.approx(1 - math.exp(-1))
    assert Motor(lag=0.0).approach(0.01) == 1.0


def test_wrong_values_fail_at_construction() -> None:
    with pytest.raises(ValueError, match="slope, top_speed: expected above 0; lag: 0 or more"):
        Motor(lag=-0.1)


def test_a_battery_sags_with_every_turn() -> None:
    idle, used = Battery(4.0), Battery(4.0)
    idle.use(0.0, 60.0)
    used.use(100.0, 60.0)
    assert used.voltage < idle.voltage < 4.0
