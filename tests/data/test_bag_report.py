"""Gaps, clock jumps and clocks of bags that were made with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.records import Schema

from ros_mbmrl.data import bag_report
from ros_mbmrl.data.bag_report import BagReport, clocks_of, has_header, report, stamp_of

Bag = Callable[..., Path]
Rows = Iterator[tuple[str, str, int, dict[str, Any]]]
IMU = "sensor_msgs/msg/Imu"
START = 1_700_000_000 * 10**9


def rows(
    topic: str, received: Sequence[float], stamped: Sequence[float], base: int = START
) -> Rows:
    """Messages at seconds after the start, with stamps at seconds after `base`."""
    for time, stamp in zip(received, stamped, strict=True):
        ns = base + round(stamp * 1e9)
        header = {"stamp": {"sec": ns // 10**9, "nanosec": ns % 10**9}, "frame_id": ""}
        yield topic, IMU, START + round(time * 1e9), {"header": header}


@pytest.fixture
def reported(write_bag: Bag, tmp_path: Path) -> Callable[..., BagReport]:
    def made(*topics: Rows) -> BagReport:
        messages = sorted((row for each in topics for row in each), key=lambda row: row[2])
        return report(write_bag(tmp_path / "bag", messages) / "bag.db3")

    return made


def test_a_steady_topic_has_its_rate_and_nothing_to_remark(reported: Any) -> None:
    times = 0.01 * np.arange(500)
    found = reported(rows("/imu", times + 0.003, times))
    timing = found.timings["/imu"]
    assert timing.period == pytest.approx(0.01)
    assert timing.behind == pytest.approx(0.003)
    assert timing.stamped and not timing.simulated
    assert (timing.gaps, timing.jumps, timing.backwards, found.notes) == (0, (), 0, ())
    assert found.info.topics["/imu"].rate == pytest.approx(100.0)
    assert found.info.seconds == pytest.approx(4.99)


def test_gaps_are_counted_once_in_any_block(reported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_report, "BLOCK", 50)
    times = np.delete(0.01 * np.arange(1000), [*range(49, 55), *range(700, 760)])
    found = reported(rows("/imu", times, times))
    timing = found.timings["/imu"]
    assert timing.gaps == 2
    assert timing.longest == pytest.approx(0.61)
    assert timing.longest_at == pytest.approx(6.99)
    assert found.notes == ("gaps: /imu: 2 of 3 periods or more, the longest 0.61 s, 7.0 s in",)


def test_what_is_sent_on_events_has_no_gaps(reported: Any) -> None:
    times = np.cumsum(np.random.default_rng(0).exponential(0.1, 300))
    assert reported(rows("/events", times, times)).timings["/events"].gaps == 0


@pytest.mark.parametrize("block", [1 << 14, 64])
def test_a_clock_that_is_set_is_a_jump(
    reported: Any, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(bag_report, "BLOCK", block)
    times = 0.01 * np.arange(1000)
    stamps = np.where(times < 4.0, times, times - 0.7)
    found = reported(rows("/imu", times, stamps))
    ((at, size),) = found.timings["/imu"].jumps
    assert (at, size) == (pytest.approx(4.0, abs=0.02), pytest.approx(0.7))
    assert found.timings["/imu"].backwards == 1
    assert found.notes == (
        "clock jump: /imu: stamps and receive times +0.700 s apart at 4.0 s",
        "stamps go back: /imu: 1 times",
    )


def test_two_clocks_are_noticed(reported: Any) -> None:
    times = 0.01 * np.arange(300)
    own = 52 * 10**9  # the sensor's time since it was switched on
    found = reported(
        rows("/imu", times, times, base=own),
        rows("/odom", times + 0.02, times),
        rows("/gps", times, times),
    )
    (note,) = found.notes
    assert note == (
        "2 clocks: stamps of /gps, /odom 0.000 s before the receive times; of /imu "
        "1699999948.000 s before the receive times"
    )


def test_all_stamps_on_another_clock_are_noticed(reported: Any) -> None:
    times = 0.01 * np.arange(300)
    (note,) = reported(rows("/imu", times, times + 30)).notes
    assert note == "two clocks: all stamps are 30.000 s after the receive times"


def test_simulated_time_is_told(reported: Any) -> None:
    times = 0.01 * np.arange(300)
    found = reported(rows("/imu", 2 * times, times, base=10**9))
    assert found.timings["/imu"].simulated
    assert found.notes == ("simulated time: stamps of /imu run at 0.50 of time",)


def test_stamps_of_zero_and_types_without_header_are_no_stamps(
    write_bag: Bag, tmp_path: Path
) -> None:
    text = [("/said", "std_msgs/msg/String", START + k, {"data": "abcdefgh"}) for k in range(3)]
    unset = [("/imu", IMU, START + 10 + k, {}) for k in range(3)]
    found = report(write_bag(tmp_path / "bag", text + unset) / "bag.db3")
    assert [timing.stamped for timing in found.timings.values()] == [False, False]
    assert found.notes == ()
    json.dumps(found.timings["/said"].__dict__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"std_msgs/Header header\nfloat64 x\n", True),
        (b"# a comment\n\n  Header head # first\n", True),
        (b"std_msgs/msg/Header header\n", True),
        (b"float64 x\nstd_msgs/Header header\n", False),
        (b"uint8 A=1\nstd_msgs/Header header\n", False),
        (b"geometry_msgs/HeaderLike x\n", False),
        (b"", False),
    ],
)
def test_a_header_is_seen_where_it_comes_first(text: bytes, expected: bool) -> None:
    assert has_header(Schema(1, text, "ros2msg", "x/msg/Y")) == expected


def test_stamps_are_read_in_both_byte_orders() -> None:
    little = b"\0\1\0\0" + (7).to_bytes(4, "little") + (5).to_bytes(4, "little")
    big = b"\0\0\0\0" + (7).to_bytes(4, "big") + (5).to_bytes(4, "big")
    assert stamp_of(little) == stamp_of(big) == 7 * 10**9 + 5
    assert stamp_of(bytes(12)) is None and stamp_of(b"\0\1") is None


def test_clocks_are_told_apart_by_half_a_second() -> None:
    assert clocks_of({"a": 0.0, "b": 0.4, "c": 0.8, "d": 3.0}) == [
        (0.0, ["a", "b", "c"]),
        (3.0, ["d"]),
    ]
