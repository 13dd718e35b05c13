"""The rule of resampling, number by number, against values computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.layout import Column, Layout
from ros_mbmrl.data.foreign.resample import Rule, Stretch, lead, resample
from ros_mbmrl.data.foreign.samples import NANO, Samples
from ros_mbmrl.data.foreign.timeline import Timed
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import Field

RULE = Rule(period=0.1, gap=0.3, hold=0.3)
UNITS = {"x": "m", "angle": "rad", "qw": "1", "qx": "1", "qy": "1", "qz": "1", "battery": "V"}


def topic(name: str, times: Any, **values: Any) -> Timed:
    """Samples at times [s]."""
    columns = tuple(Column(n, UNITS.get(n, "1"), name, "", Field((n,))) for n in values)
    ns = np.round(np.asarray(times) * NANO).astype(np.int64)
    rows = np.stack([np.asarray(v, dtype=float) for v in values.values()], axis=1)
    return Timed(Samples(name, columns, np.arange(len(ns)), ns, None, rows), ns)


def stretches(*timed: Timed, rule: Rule = RULE) -> list[Stretch]:
    """`drive` is a command, everything else is measured."""
    columns = [column for each in timed for column in each.samples.columns]
    measured = tuple(column for column in columns if column.name != "drive")
    commands = tuple(column for column in columns if column.name == "drive")
    return resample(timed, Layout("toy", rule.period, measured, commands), rule)


def seconds(times: Any) -> Any:
    return times / NANO


NEVER = topic("/c", [], drive=[])


def test_a_topic_at_the_control_rate_gives_the_ticks_and_is_not_touched() -> None:
    times = np.array([0.0, 0.103, 0.198, 0.301, 0.4])
    x = np.array([0.1, 0.2, 0.3, 0.4, 0.5]) * np.pi
    fast = np.arange(-0.05, 0.46, 0.01)
    (only,) = stretches(topic("/a", times, x=x), topic("/b", fast, angle=2 * fast), NEVER)
    np.testing.assert_array_equal(seconds(only.times), times)
    np.testing.assert_array_equal(only.measurements[:, 0], x)
    np.testing.assert_allclose(only.measurements[:, 1], 2 * times, atol=1e-9)
    np.testing.assert_allclose(only.ages, [0, 0.003, 0.002, 0.001, 0], atol=1e-9)
    assert np.isnan(only.commands).all()


def test_of_two_topics_that_with_more_numbers_gives_the_ticks() -> None:
    times = 0.1 * np.arange(5)
    few, many = topic("/a", times + 0.02, x=times), topic("/b", times, angle=times, battery=times)
    layout = Layout("toy", 0.1, (*few.samples.columns, *many.samples.columns), ())
    assert lead([few, many], layout, RULE) is many
    assert lead([topic("/a", 2 * times, x=times)], layout, RULE) is None


def test_otherwise_ticks_come_every_period_on_the_line_between_samples() -> None:
    times = np.arange(0.02, 1.0, 0.03)
    (only,) = stretches(topic("/a", times, x=5 * times), NEVER)
    np.testing.assert_allclose(seconds(only.times), 0.02 + 0.1 * np.arange(len(only.times)))
    np.testing.assert_allclose(only.measurements[:, 0], 5 * seconds(only.times), atol=1e-9)
    np.testing.assert_allclose(only.ages[:4], [0, 0.01, 0.01, 0], atol=1e-9)


def test_an_angle_that_wraps_is_never_in_between() -> None:
    (only,) = stretches(topic("/a", [0.0, 0.16, 0.25], angle=[3.0, -3.0, -2.9]), NEVER)
    np.testing.assert_array_equal(seconds(only.times), [0, 0.1, 0.2])
    assert only.measurements[0, 0] == 3.0 and only.measurements[1, 0] == -3.0
    assert only.measurements[2, 0] == pytest.approx(-3.0 + 0.04 / 0.09 * 0.1)


def test_quaternions_stay_of_length_one_whatever_their_signs() -> None:
    """From 0 to 90 degrees about z; the second sample is given with the other sign."""
    half = np.sqrt(0.5)
    (only,) = stretches(
        topic("/a", [0.0, 0.2], qw=[1.0, -half], qx=[0.0, 0.0], qy=[0.0, 0.0], qz=[0.0, -half]),
        NEVER,
    )
    np.testing.assert_array_equal(only.measurements[0], [1, 0, 0, 0])
    eighth = np.pi / 8
    np.testing.assert_allclose(only.measurements[1], [np.cos(eighth), 0, 0, np.sin(eighth)])
    np.testing.assert_array_equal(only.measurements[2], [-half, 0, 0, -half])  # as it was told


def test_a_gap_cuts_the_run() -> None:
    times = np.delete(0.1 * np.arange(30), range(10, 15))
    before, after = stretches(topic("/a", times, x=times), NEVER)
    assert (len(before.times), len(after.times)) == (10, 15)
    (whole,) = stretches(
        topic("/a", 0.1 * np.arange(30), x=np.arange(30)),
        topic("/b", times, angle=times),
        NEVER,
        rule=Rule(0.1, gap=1.0, hold=0.3),
    )
    assert len(whole.times) == 30  # the other topic has ticks, and 0.6 s are allowed
    both = stretches(
        topic("/a", 0.1 * np.arange(30), x=np.arange(30)), topic("/b", times, angle=times), NEVER
    )
    assert [len(each.times) for each in both] == [10, 15]


def test_a_number_that_is_lost_for_long_is_a_gap_although_its_topic_goes_on() -> None:
    times = 0.1 * np.arange(30)
    angle = np.where((times > 1.05) & (times < 1.85), np.nan, times)
    found = stretches(topic("/a", times, x=times, angle=angle), NEVER)
    assert [len(each.times) for each in found] == [11, 11]


def test_a_slow_topic_may_be_slow() -> None:
    """A battery once a second."""
    times, slow = 0.1 * np.arange(50), np.arange(0.5, 5.0)
    (only,) = stretches(topic("/a", times, x=times), topic("/b", slow, battery=12 - slow), NEVER)
    assert len(only.times) == 50
    inner = (seconds(only.times) >= 0.5) & (seconds(only.times) <= 4.5)
    np.testing.assert_allclose(only.measurements[inner, 1], 12 - seconds(only.times)[inner])
    np.testing.assert_array_equal(only.measurements[:5, 1], 11.5)
    assert not only.ages.any()


def test_a_command_acts_from_its_time_to_the_next_ones() -> None:
    times = 0.1 * np.arange(6)
    commands = topic("/c", [0.1, 0.2, 0.275, 0.3, 0.33], drive=[1.0, 2.0, 4.0, 3.0, 5.0])
    (only,) = stretches(topic("/a", times, x=times), commands)
    expected = [np.nan, 1.0, 0.75 * 2 + 0.25 * 4, 0.3 * 3 + 0.7 * 5, 5.0, 5.0]
    np.testing.assert_allclose(only.commands[:, 0], expected)
    assert only.commands[1, 0] == 1.0  # exactly


def test_a_command_is_forgotten_after_a_while() -> None:
    times = 0.1 * np.arange(10)
    (only,) = stretches(topic("/a", times, x=times), topic("/c", [0.1, 0.8], drive=[1.0, 2.0]))
    known = [False, True, True, True, False, False, False, False, True, True]
    assert np.isfinite(only.commands[:, 0]).tolist() == known
    rule = Rule(0.1, gap=0.3, hold=5.0)
    (only,) = stretches(topic("/a", times, x=times), topic("/c", [0.1], drive=[1.0]), rule=rule)
    assert only.commands[1:, 0].tolist() == [1.0] * 9


def test_of_two_commands_at_one_time_the_newer_one_acts() -> None:
    times = 0.1 * np.arange(4)
    (only,) = stretches(topic("/a", times, x=times), topic("/c", [0.1, 0.1], drive=[1.0, 2.0]))
    assert only.commands[1, 0] == 2.0


def test_nothing_to_resample_is_nothing() -> None:
    assert stretches(topic("/a", [0.0], x=[1.0]), NEVER) == []
    apart = topic("/a", [0.0, 0.1], x=[1.0, 1.0]), topic("/b", [9.0, 9.1], angle=[1.0, 1.0])
    assert stretches(*apart, NEVER) == []


@pytest.mark.parametrize(
    ("gap", "hold", "words"),
    [
        (0.05, 0.3, "gap: expected a control period or more, 0.1 s, got 0.05"),
        (0.3, 0.1, "hold: expected 1.5 control periods or more, 0.15 s, got 0.1"),
    ],
)
def test_times_that_are_too_short_are_refused(gap: float, hold: float, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Rule(0.1, gap, hold)
