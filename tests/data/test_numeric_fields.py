"""Every number of a message has its place; what is no number, or too many, is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace as Message

import numpy as np
import pytest

from ros_mbmrl.data.numeric_fields import ARRAY_LIMIT, ROWS_LIMIT, Series, numbers_of, read_series
from ros_mbmrl.errors import UserError


def test_places_lead_to_the_numbers() -> None:
    message = Message(
        header=Message(stamp=Message(sec=1, nanosec=2), frame_id="map"),
        name=["hip", "knee"],
        position=[1.0, 2.0],
        velocity=[],
        pose=Message(x=3, on=True, text="no"),
        wheels=[Message(speed=4.0), Message(speed=5.0)],
        since=Message(sec=9, nanosec=9),
        image=[0] * (ARRAY_LIMIT + 1),
        bins=[6, 7, 8],
    )
    assert dict(numbers_of(message)) == {
        **{"position[hip]": 1.0, "position[knee]": 2.0, "pose.x": 3.0, "pose.on": 1.0},
        **{"wheels[0].speed": 4.0, "wheels[1].speed": 5.0},
        **{"bins[0]": 6.0, "bins[1]": 7.0, "bins[2]": 8.0},
    }


def test_names_that_stand_twice_name_nothing() -> None:
    message = Message(name=["hip", "hip"], position=[1.0, 2.0])
    assert dict(numbers_of(message)) == {"position[0]": 1.0, "position[1]": 2.0}


def test_messages_without_a_number_leave_a_hole() -> None:
    series = Series("x/msg/Y")
    for k, values in enumerate(([1.0], [], [2.0, 3.0])):
        series.add(k, Message(data=values))
    found = series.values()
    assert list(series.times) == [0, 1, 2]
    np.testing.assert_array_equal(found["data[0]"], [1, np.nan, 2])
    np.testing.assert_array_equal(found["data[1]"], [np.nan, np.nan, 3])


def test_long_topics_are_thinned_evenly() -> None:
    series = Series("x/msg/Y")
    for k in range(3 * ROWS_LIMIT):
        series.add(k, Message(data=k))
    assert series.every == 4 and len(series.times) <= ROWS_LIMIT
    np.testing.assert_array_equal(series.values()["data"], 4 * np.arange(len(series.times)))
    np.testing.assert_array_equal(series.times, 4 * np.arange(len(series.times)))


def test_topics_of_a_bag_are_read(write_bag: Callable[..., Path], tmp_path: Path) -> None:
    rows = [("/n", "std_msgs/msg/Float64", 10**9 * (5 + k), {"data": 0.5 * k}) for k in range(4)]
    rows.append(("/said", "std_msgs/msg/String", 10**10, {"data": "ab"}))
    path = write_bag(tmp_path / "bag", rows) / "bag.db3"
    found = read_series(path, ["/n"])
    assert list(found["/n"].times) == [0, 1, 2, 3]
    np.testing.assert_array_equal(found["/n"].values()["data"], [0, 0.5, 1, 1.5])
    with pytest.raises(UserError, match="unknown topic of .*bag.db3 '/m': expected one of /n, /s"):
        read_series(path, ["/m"])
    with pytest.raises(UserError, match=r"/said \(std_msgs/msg/String\) has no numbers to draw"):
        read_series(path, ["/said"])
