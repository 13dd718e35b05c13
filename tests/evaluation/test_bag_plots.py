"""Pictures of a bag's topics: numbers of one field together, lines broken at gaps."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Message

import numpy as np

from ros_mbmrl.data.numeric_fields import Series
from ros_mbmrl.evaluation import bag_plots
from ros_mbmrl.evaluation.bag_plots import draw_topics, groups_of


def test_numbers_of_one_field_share_a_panel() -> None:
    places = ["pose.x", "pose.y", "fuel", "position[hip]", "position[knee]", "w[0].a", "w[1].a"]
    assert groups_of(places) == [
        ("pose", ["pose.x", "pose.y"]),
        ("", ["fuel"]),
        ("position", ["position[hip]", "position[knee]"]),
        ("w[0]", ["w[0].a"]),
        ("w[1]", ["w[1].a"]),
    ]
    many = [f"data[{k}]" for k in range(20)]
    assert [len(members) for _, members in groups_of(many)] == [8, 8, 4]


def test_lines_are_broken_at_gaps() -> None:
    times, values = bag_plots._broken(np.array([0.0, 1, 2, 9, 10]), np.arange(5.0))
    np.testing.assert_array_equal(times, [0, 1, 2, 2, 9, 10])
    np.testing.assert_array_equal(values, [0, 1, 2, np.nan, 3, 4])


def test_each_topic_has_its_picture(tmp_path: Path) -> None:
    series = Series("x/msg/Y")
    for k in range(10):
        series.add(0.1 * k, Message(x=k, position=[k, -k]))
    (image,) = draw_topics({"/robot/state": series}, tmp_path)
    assert image.file.name == "robot_state.png"
    assert image.file.read_bytes().startswith(b"\x89PNG")
    assert image.caption == "/robot/state, x/msg/Y: 10 messages"
