"""Two firmwares behind one interface: which packets, and which answers count."""

from __future__ import annotations

import pytest

from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire.dialects import DIALECTS, Dialect

GRBAL, ROACH = DIALECTS["grbal"], DIALECTS["roach"]


def telemetry(saved: bool) -> v.Reply:
    return v.Telemetry(
        index=0,
        microseconds=0,
        positions=(3, 4),
        targets=(0, 0),
        duties=(0, 0),
        gyro=(0, 0, 0),
        accelerometer=(0, 0, 0),
        back_emf=(0, 0),
        battery=0,
        saved=saved,
    )


def test_grbals_set_point_is_its_own_question() -> None:
    assert GRBAL.prepare == (v.set_pid_output_channel(1),)
    assert GRBAL.answered
    assert GRBAL.poll(5, 6) == (GRBAL.drive(5, 6),) == (v.set_vel_get_imu(5, 6),)


def test_the_stock_firmware_is_asked_for_its_legs_apart() -> None:
    assert ROACH.prepare == ()
    assert not ROACH.answered
    assert ROACH.drive(5, 6) == v.steady_profile(5, 6)
    assert ROACH.poll(5, 6) == (ROACH.drive(5, 6), v.get_ams_pos())


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (GRBAL, telemetry(saved=False), (3, 4)),
        (GRBAL, telemetry(saved=True), None),  # of the flash: long ago
        (GRBAL, v.Positions((1, 2)), None),
        (ROACH, v.Positions((1, 2)), (1, 2)),
        (ROACH, v.Positions((1, 2), zeroed=True), None),  # before they were set to 0
        (ROACH, telemetry(saved=False), None),
    ],
)
def test_only_the_answer_to_the_question_says_where_the_legs_are(
    dialect: Dialect, reply: v.Reply, expected: tuple[int, int] | None
) -> None:
    assert dialect.positions(reply) == expected
