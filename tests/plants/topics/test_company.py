"""Who is on the topics, in words."""

from __future__ import annotations

import pytest

from ros_mbmrl.plants.topics.bus import End
from ros_mbmrl.plants.topics.company import (
    giver_fault,
    nobody_fault,
    rival_fault,
    taken_types,
    unclear_fault,
)

ODOMETRY, POSE = "nav_msgs/msg/Odometry", "geometry_msgs/msg/PoseStamped"
TWIST, STAMPED = "geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped"
TF = "tf2_msgs/msg/TFMessage"


@pytest.mark.parametrize(
    ("kind", "ends", "fault"),
    [
        (ODOMETRY, [], ""),
        (ODOMETRY, [End("/base", ODOMETRY)], ""),
        (
            ODOMETRY,
            [End("/base", ODOMETRY), End("/ekf", ODOMETRY)],
            "/x comes from /base and /ekf: expected one of them",
        ),
        (ODOMETRY, [End("/mocap", POSE)], f"/x has {POSE} of /mocap: expected {ODOMETRY}"),
        (TF, [End("/ekf", TF), End("/amcl", TF)], ""),
    ],
)
def test_givers(kind: str, ends: list[End], fault: str) -> None:
    assert giver_fault("/x", kind, ends) == fault


def test_a_giver_that_is_not_reliable_is_one_only_where_that_is_asked_for() -> None:
    ends = [End("/base", ODOMETRY, reliable=False)]
    assert giver_fault("/x", ODOMETRY, ends) == ""
    told = "/x: /base is not reliable, and 'reliable: true' asks for it"
    assert giver_fault("/x", ODOMETRY, ends, reliable=True) == told


def test_rivals() -> None:
    ends = [End("/us", TWIST), End("/joy", TWIST)]
    assert rival_fault("/c", "/us", ends[:1]) == ""
    assert rival_fault("/c", "/us", ends) == "/c: /joy publishes there as well: expected nobody"


def test_which_type_is_taken() -> None:
    both = [End("/view", TWIST), End("/base", STAMPED)]
    assert taken_types((TWIST, STAMPED), both[1:]) == [STAMPED]
    assert unclear_fault("/c", (TWIST, STAMPED), both[1:]) == ""
    assert unclear_fault("/c", (TWIST, STAMPED), both) == (
        "/c is taken as Twist by /view and TwistStamped by /base: expected one of them"
    )
    assert unclear_fault("/c", (STAMPED,), both) == ""  # the file says which


@pytest.mark.parametrize(
    ("kinds", "current", "ends", "fault"),
    [
        ((TWIST,), "", [], f"/c: nobody takes a {TWIST} there"),
        ((TWIST, STAMPED), "", [], "/c: nobody takes a Twist or TwistStamped there"),
        (
            (TWIST,),
            "",
            [End("/base", STAMPED)],
            f"/c: nobody takes a {TWIST} there, but {STAMPED} of /base",
        ),
        (
            (TWIST,),
            TWIST,
            [End("/base", TWIST)],
            "/c: /base does not match in quality of service, or not yet",
        ),
    ],
)
def test_nobody(kinds: tuple[str, ...], current: str, ends: list[End], fault: str) -> None:
    assert nobody_fault("/c", kinds, current, ends) == fault
