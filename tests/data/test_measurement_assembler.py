"""Measurements come together whatever the order of their parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy")
from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots.hexapod import MEASUREMENT, SPEC
from ros_mbmrl.robots.measurement import Measurement


def _measurement(stamp: int) -> Measurement:
    return Measurement(stamp / 1e9, np.arange(float(len(MEASUREMENT))))


@given(st.permutations(range(6)))
def test_the_assembler_does_not_mind_the_order(order: list[int]) -> None:
    assembler = MeasurementAssembler(SPEC)
    messages = list(SensorCodec(SPEC).encode(_measurement(5), None).items())
    got = [assembler.add(*messages[index]) for index in order]
    assert got[:-1] == [None] * 5
    assert got[-1] is not None and (got[-1].values == _measurement(5).values).all()


def test_a_step_with_a_part_missing_is_dropped_and_counted() -> None:
    assembler, codec = MeasurementAssembler(SPEC), SensorCodec(SPEC)
    for name, message in codec.encode(_measurement(1), None).items():
        if name != "imu":
            assert assembler.add(name, message) is None
    got = [assembler.add(*item) for item in codec.encode(_measurement(2), None).items()]
    assert got[-1] is not None
    assert assembler.dropped == 1
    late = codec.encode(_measurement(1), None)["imu"]
    assert assembler.add("imu", late) is None


def test_a_step_sent_again_is_given_out_again() -> None:
    assembler, codec = MeasurementAssembler(SPEC), SensorCodec(SPEC)
    for _ in range(2):
        got = [assembler.add(*item) for item in codec.encode(_measurement(1), None).items()]
        assert got[-1] is not None
    assert assembler.dropped == 0


def test_a_driver_that_starts_anew_is_followed() -> None:
    assembler, codec = MeasurementAssembler(SPEC), SensorCodec(SPEC)
    for stamp in (10**11, 0):
        got = [assembler.add(*item) for item in codec.encode(_measurement(stamp), None).items()]
        assert got[-1] is not None and got[-1].time == stamp / 1e9


def test_a_topic_that_lags_by_seconds_is_no_new_clock() -> None:
    """What was lost is sent again later: in lockstep twenty steps have come meanwhile."""
    assembler, codec = MeasurementAssembler(SPEC, pending=100), SensorCodec(SPEC)
    steps = [codec.encode(_measurement(k * 10**8), None) for k in range(40)]
    for step in steps:
        assert all(assembler.add(*each) is None for each in step.items() if each[0] != "imu")
    got = [assembler.add("imu", step["imu"]) for step in steps]
    assert [None if each is None else each.time for each in got] == [k / 10 for k in range(40)]
    assert assembler.dropped == 0


@pytest.mark.parametrize("spoil", ["wrong name", "too few", "no name"])
def test_what_cannot_be_read_makes_no_measurement(spoil: str) -> None:
    assembler = MeasurementAssembler(SPEC)
    messages = SensorCodec(SPEC).encode(_measurement(10**9), None)
    joints = messages["joint_states"]
    if spoil == "wrong name":
        joints.name = ["left_legs", "tail"]
    elif spoil == "too few":
        joints.position = joints.position[:1]
    else:
        joints.name = []
    assert all(assembler.add(name, each) is None for name, each in messages.items())
    assert assembler.malformed == 1
    after = SensorCodec(SPEC).encode(_measurement(11 * 10**8), None)
    assert any(assembler.add(name, each) for name, each in after.items())


def test_messages_out_of_turn_are_counted() -> None:
    assembler, codec = MeasurementAssembler(SPEC), SensorCodec(SPEC)
    steps = [codec.encode(_measurement(10**9 + k * 10**8), None)["odom"] for k in range(3)]
    for step in (steps[0], steps[2], steps[2], steps[1]):
        assembler.add("odom", step)
    assert (assembler.repeated, assembler.disordered) == (1, 1)
