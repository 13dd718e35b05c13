"""Paths: their shapes, where they are put, and where on them something is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.robots.paths import PATHS, Path, make_path

EACH = pytest.mark.parametrize("name", list(PATHS))


@EACH
def test_points_are_a_centimetre_apart_and_headings_follow_them(name: str) -> None:
    path = make_path(name)
    steps = np.diff(path.points, axis=0)
    assert np.hypot(*steps.T) == pytest.approx(0.01, abs=1e-4)
    assert path.arc[-1] == pytest.approx(np.hypot(*steps.T).sum(), rel=1e-3)
    turns = np.diff(np.unwrap(path.heading))
    assert np.abs(turns).max() < 0.01 / 0.25 + 1e-3  # no corner is sharper than 25 cm
    directions = np.arctan2(steps[:, 1], steps[:, 0])
    assert np.cos(directions - path.heading[:-1]).min() > 0.999


@EACH
def test_the_path_fits_into_the_arena_inside_its_margin(name: str) -> None:
    x_low, x_high, y_low, y_high = SPEC.envelope.arena
    edge, points = SPEC.envelope.margin + 0.1, make_path(name).points
    assert (points >= (x_low + edge, y_low + edge)).all()
    assert (points <= (x_high - edge, y_high - edge)).all()


@pytest.mark.parametrize("name", ["left", "zigzag", "figure8"])
def test_there_is_path_for_40_seconds(name: str) -> None:
    assert make_path(name).length > 40 * 0.25


def test_the_figure_8_closes_on_itself_and_crosses_at_a_right_angle() -> None:
    path = make_path("figure8")
    once = 3 * math.pi * 0.5 + 2.0  # two lobes of 3/4 circle, four straights of a radius
    assert path.length == pytest.approx(2 * once, rel=1e-3)
    for part in (0, 1, 2, 3, 4):
        k = np.searchsorted(path.arc, part * path.length / 4)
        k = min(k, len(path.arc) - 1)
        assert path.points[k] == pytest.approx(np.zeros(2), abs=0.011)
        assert math.cos(path.heading[k] + part % 2 * math.pi / 2) == pytest.approx(1.0, abs=1e-3)


def test_left_turns_left_on_a_radius_of_half_a_metre() -> None:
    path = make_path("left").placed(0.0, 0.0, 0.0)
    k = int(np.searchsorted(path.arc, 1.4 + math.pi / 4))
    assert path.points[k] == pytest.approx(np.array([1.9, 0.5]), abs=0.011)
    assert path.heading[k] == pytest.approx(math.pi / 2, abs=0.03)


@EACH
@settings(max_examples=20)
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), yaw=st.floats(-3.1, 3.1))
def test_placed_moves_the_start_and_keeps_the_shape(
    name: str, x: float, y: float, yaw: float
) -> None:
    path = make_path(name)
    placed = path.placed(x, y, yaw)
    assert placed.start == pytest.approx((x, y, yaw))
    back = placed.placed(*path.start)
    assert back.points == pytest.approx(path.points, abs=1e-9)
    assert np.cos(back.heading - path.heading) == pytest.approx(1.0)


@EACH
@settings(max_examples=30)
@given(part=st.floats(0.0, 1.0), offset=st.floats(-0.1, 0.1), slip=st.floats(-0.1, 0.1))
def test_projection_finds_arc_length_and_signed_distance(
    name: str, part: float, offset: float, slip: float
) -> None:
    path = make_path(name)
    k = round(part * (len(path.arc) - 1))
    heading = path.heading[k]
    xy = path.points[k] + offset * np.array([-math.sin(heading), math.cos(heading)])
    s, cross_track = path.project(xy, path.arc[k] + slip)
    assert s == pytest.approx(path.arc[k], abs=0.012)
    assert cross_track == pytest.approx(offset, abs=1e-3)


@EACH
def test_projection_walks_the_whole_path_without_a_jump(name: str) -> None:
    path, generator, s = make_path(name), np.random.default_rng(0), 0.0
    for k in range(0, len(path.points), 3):
        before = s
        s, cross_track = path.project(path.points[k] + generator.normal(0, 0.01, 2), s)
        assert abs(s - before) < 0.1
        assert abs(cross_track) < 0.06
    assert path.finished(s + 0.03)
    assert not path.finished(path.length / 2)


def test_beyond_an_end_the_whole_distance_counts() -> None:
    path = Path.from_points([(0.0, 0.0), (1.0, 0.0)])
    assert path.project((1.3, 0.4), 1.0) == pytest.approx((1.0, 0.5))
    assert path.project((-0.3, -0.4), 0.0) == pytest.approx((0.0, -0.5))
    assert path.project((0.505, 0.2), 0.4) == pytest.approx((0.505, 0.2))


def test_from_points_by_hand() -> None:
    path = Path.from_points([(0, 0), (1, 0), (1, 0), (1, 2)])
    assert path.length == pytest.approx(3.0)
    assert len(path.points) == 301
    assert path.points[200] == pytest.approx(np.array([1.0, 1.0]))
    assert path.heading[[50, 200]] == pytest.approx([0.0, math.pi / 2])


@pytest.mark.parametrize(
    "points", [[], [(0, 0)], [(1, 1), (1, 1)], [(0, 0), (0, math.nan)], [(0, 0, 0), (1, 1, 1)]]
)
def test_points_that_are_no_path_are_a_user_error(points: list[tuple[float, ...]]) -> None:
    with pytest.raises(UserError, match="path: expected"):
        Path.from_points(points)


def test_the_stretch_ahead_by_hand_and_at_the_end() -> None:
    path = Path.from_points([(0.0, 0.0), (0.0, 1.0)])
    stretch = path.stretch(0.97, count=4, spacing=0.02)
    assert stretch[:, 1] == pytest.approx([0.97, 0.99, 1.0, 1.0])
    assert stretch[:, 2] == pytest.approx(math.pi / 2)
    assert stretch[:, 3] == pytest.approx([0.0, 0.02, 0.03, 0.03])


def test_an_unknown_path_is_a_user_error() -> None:
    with pytest.raises(UserError, match="unknown path 'circle': expected one of figure8, left"):
        make_path("circle")


def test_a_path_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_path("left").points[0] = 1.0
