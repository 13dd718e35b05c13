from __future__ import annotations

import numpy as np

from ros_mbmrl.evaluation.film_frame import BAR, FRAME, MAP, Panel, side_by_side

GREEN = np.zeros((100, 120, 3), dtype=np.uint8) + np.array([0, 200, 0], dtype=np.uint8)
PATH = np.array([[0.0, 0.0], [1.0, 0.0]])
RED = (192, 57, 43)


def panel(**more: object) -> Panel:
    values = {"title": "with x", "text": "0.5 cm", "path": PATH, "way": PATH[:1], "split": 9}
    return Panel(GREEN, **{**values, **more})  # type: ignore[arg-type]


def test_pictures_stand_side_by_side_between_two_lines_of_text() -> None:
    none = np.empty((0, 2))
    whole = side_by_side([panel(path=none, way=none)] * 2, 12.0)
    assert whole.shape == (100 + 2 * BAR, 240, 3)
    np.testing.assert_array_equal(whole[BAR : BAR + 100, :120], GREEN)
    for line in (whole[:BAR], whole[-BAR:]):
        assert line.min() < 100  # there is text


def test_from_the_fault_on_the_frame_is_red() -> None:
    before, after = side_by_side([panel()], 1.0), side_by_side([panel()], 1.0, "the leg was lost")
    edge = after[BAR + 50, :FRAME]
    assert (edge == RED).all() and (before[BAR + 50, :FRAME] == GREEN[0, 0]).all()


def test_the_map_shows_the_way_before_and_after() -> None:
    way = np.stack([np.linspace(0, 1, 20), np.zeros(20)], axis=1)
    whole = side_by_side([panel(way=way, split=10)], 1.0)
    square = whole[BAR + 8 : BAR + 8 + MAP, 120 - 8 - MAP : 112]
    left, right = square[:, : MAP // 2 - 4].astype(int), square[:, MAP // 2 + 4 : -14].astype(int)
    assert (left[..., 2] - left[..., 0]).max() > 100  # blue
    assert (right[..., 0] - right[..., 2]).max() > 100  # red
    without = side_by_side([panel(path=PATH[:0])], 1.0)
    assert (without[BAR : BAR + 100] == GREEN).all()
