"""A pose from transforms, by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.plants.topics.frames import Frames


def transforms(*each: tuple[str, str, float, tuple[float, float], float]) -> Any:
    """Return a message of (parent, child, stamp, place, yaw)."""
    return SimpleNamespace(
        transforms=[
            SimpleNamespace(
                header=SimpleNamespace(
                    frame_id=parent,
                    stamp=SimpleNamespace(sec=int(stamp), nanosec=round(stamp % 1 * 1e9)),
                ),
                child_frame_id=child,
                transform=SimpleNamespace(
                    translation=SimpleNamespace(x=place[0], y=place[1], z=0.0),
                    rotation=SimpleNamespace(
                        x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2)
                    ),
                ),
            )
            for parent, child, stamp, place, yaw in each
        ]
    )


def test_the_chain_is_multiplied_from_outside_inwards() -> None:
    frames = Frames(["map", "odom", "base_link"])
    assert frames.put(transforms(("map", "odom", 10.0, (1.0, 2.0), math.pi / 2)), 10.0)
    assert frames.put(transforms(("odom", "/base_link", 10.1, (3.0, 0.0), math.pi / 2)), 10.15)
    assert not frames.put(transforms(("base_link", "camera", 10.1, (9.0, 9.0), 1.0)), 10.15)
    pose, stamp, received = frames.pose(10.2)
    place, turn = pose.transform.translation, pose.transform.rotation
    # Seen from odom's turned axes, 3 m ahead is 3 m along the map's y.
    assert (place.x, place.y, place.z) == pytest.approx((1.0, 5.0, 0.0))
    assert (abs(turn.z), abs(turn.w)) == pytest.approx((1.0, 0.0))  # half a turn
    assert (stamp, received) == (10.1, 10.15)


def test_a_static_transform_is_never_old() -> None:
    frames = Frames(["map", "odom", "base_link"])
    frames.put(transforms(("map", "odom", 0.0, (1.0, 2.0), 0.0)), 1.0, static=True)
    frames.put(transforms(("odom", "base_link", 5000.0, (0.5, 0.0), 0.0)), 5000.0)
    pose, stamp, _ = frames.pose(5000.0)
    assert (pose.transform.translation.x, stamp) == (1.5, 5000.0)


def test_a_static_chain_has_no_stamp() -> None:
    frames = Frames(["map", "base_link"])
    frames.put(transforms(("map", "base_link", 3.0, (1.0, 2.0), 0.0)), 1.0, static=True)
    assert frames.pose(50.0)[1:] == (None, 50.0)


def test_a_missing_transform_is_named() -> None:
    frames = Frames(["map", "odom", "base_link"])
    frames.put(transforms(("map", "odom", 10.0, (1.0, 2.0), 0.0)), 10.0)
    with pytest.raises(LookupError, match="no transform from 'odom' to 'base_link' has come yet"):
        frames.pose(10.0)


def test_a_correction_may_lie_ahead_but_not_be_lost() -> None:
    frames = Frames(["map", "odom", "base_link"])
    frames.put(transforms(("map", "odom", 11.5, (1.0, 2.0), 0.0)), 10.5)  # as amcl dates it
    frames.put(transforms(("odom", "base_link", 12.0, (0.0, 0.0), 0.0)), 12.0)
    assert frames.pose(12.0)[1] == 12.0
    frames.put(transforms(("odom", "base_link", 14.0, (0.0, 0.0), 0.0)), 14.0)
    with pytest.raises(LookupError, match=r"a correction is 3.5 s old: expected 2 s"):
        frames.pose(14.0)


def test_two_who_send_one_transform_are_told_by_their_stamps() -> None:
    frames = Frames(["map", "base_link"])
    frames.put(transforms(("map", "base_link", 10.00, (1.0, 2.0), 0.0)), 10.01)
    frames.put(transforms(("map", "base_link", 9.98, (5.0, 2.0), 0.0)), 10.02)
    frames.put(transforms(("map", "base_link", 10.04, (1.0, 2.0), 0.0)), 10.05)
    with pytest.raises(LookupError, match="'map' to 'base_link': stamps go back: expected one who"):
        frames.pose(10.05)
    frames.put(transforms(("map", "base_link", 11.0, (1.0, 2.0), 0.0)), 11.03)
    assert frames.pose(11.03)[1] == 11.0  # the other one is gone


def test_a_rotation_of_another_length_is_none() -> None:
    frames = Frames(["map", "base_link"])
    message = transforms(("map", "base_link", 10.0, (1.0, 2.0), 0.0))
    message.transforms[0].transform.rotation.w = 0.5
    frames.put(message, 10.0)
    with pytest.raises(LookupError, match=r"no rotation \(norm 0.5\)"):
        frames.pose(10.0)
