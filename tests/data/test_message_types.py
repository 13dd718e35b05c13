"""Paths into message types: of classes, of definitions, and wrong ones."""

from __future__ import annotations

import pytest

from ros_mbmrl.data import message_types
from ros_mbmrl.data.message_types import (
    UnknownType,
    element_of,
    fields_of,
    full_type,
    number_type,
)
from ros_mbmrl.robots.described.sources import parse_field

JOINTS, TRAJECTORY = "sensor_msgs/msg/JointState", "trajectory_msgs/msg/JointTrajectory"


@pytest.fixture(params=["classes", "definitions"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take types from one of the two places."""
    pytest.importorskip("trajectory_msgs")
    fields_of.cache_clear()
    if request.param == "classes":
        monkeypatch.setattr(message_types, "definition", None)
    else:

        def none(kind: str) -> type:
            raise ImportError(kind)

        monkeypatch.setattr(message_types, "message_class", none)
    return str(request.param)


@pytest.mark.parametrize(
    ("path", "kind", "number"),
    [
        ("pose.pose.position.x", "nav_msgs/msg/Odometry", "double"),
        ("position[elbow]", JOINTS, "double"),
        ("points[0].positions[elbow]", TRAJECTORY, "double"),
        ("data[3]", "std_msgs/msg/Float64MultiArray", "double"),
        ("pose.covariance[35]", "nav_msgs/msg/Odometry", "double"),
        ("data", "std_msgs/msg/Int16", "int16"),
        ("data", "std_msgs/msg/Bool", "boolean"),
        ("voltage", "sensor_msgs/msg/BatteryState", "float"),
        ("power_supply_status", "sensor_msgs/msg/BatteryState", "uint8"),
    ],
)
def test_a_path_leads_to_a_number(source: str, path: str, kind: str, number: str) -> None:
    assert number_type(parse_field(path), kind) == number


@pytest.mark.parametrize(
    ("path", "kind", "error"),
    [
        ("pose.x", "nav_msgs/msg/Odometry", "PoseWithCovariance has no 'x': expected one of pose"),
        ("pose.pose", "nav_msgs/msg/Odometry", "'pose.pose' is no number, it is geometry_msgs/"),
        ("child_frame_id", "nav_msgs/msg/Odometry", "is no number, it is string"),
        ("position", JOINTS, "'position' is no number, it is sequence<double>"),
        ("position.x", JOINTS, "'x' is in sequence<double>, which has no fields"),
        ("header[0]", JOINTS, "header is no array, it is std_msgs/Header"),
        ("pose.covariance[36]", "nav_msgs/msg/Odometry", "covariance has 36 elements"),
        ("data[elbow]", "std_msgs/msg/Float64MultiArray", "names no joints: expected an index"),
        ("name[elbow]", JOINTS, "'name[elbow]' is no number, it is string"),
    ],
)
def test_a_path_that_leads_to_none_is_refused(
    source: str, path: str, kind: str, error: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        number_type(parse_field(path), kind)
    assert error in str(caught.value)


def test_an_unknown_type_is_refused() -> None:
    fields_of.cache_clear()
    with pytest.raises(UnknownType, match="unknown message type 'my_msgs/msg/Legs': expected one"):
        fields_of("my_msgs/msg/Legs")


def test_a_definition_is_read_as_ros_spells_types(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """# a comment
float64[3] place   # of it
Header header
Leg[] legs
geometry_msgs/Point[<=4] corners
string<=10 name
bool on true
uint8 WALK=1
uint8 RUN = 2
int32[] counts
"""
    fields_of.cache_clear()
    monkeypatch.setattr(message_types, "definition", lambda kind: text)
    assert dict(fields_of("my_msgs/msg/Body")) == {
        "place": "double[3]",
        "header": "std_msgs/Header",
        "legs": "sequence<my_msgs/Leg>",
        "corners": "sequence<geometry_msgs/Point>",
        "name": "string",
        "on": "boolean",
        "counts": "sequence<int32>",
    }
    fields_of.cache_clear()


@pytest.mark.parametrize(
    ("kind", "element", "count"),
    [
        ("sequence<double>", "double", None),
        ("sequence<double, 3>", "double", None),
        ("double[36]", "double", 36),
        ("sequence<geometry_msgs/Point>", "geometry_msgs/Point", None),
    ],
)
def test_arrays(kind: str, element: str, count: int | None) -> None:
    assert element_of(kind) == (element, count)


def test_what_is_no_array() -> None:
    with pytest.raises(ValueError, match="expected an array, got double"):
        element_of("double")


def test_the_whole_name_of_a_type() -> None:
    assert full_type("geometry_msgs/Point") == "geometry_msgs/msg/Point"
    assert full_type("geometry_msgs/msg/Point") == "geometry_msgs/msg/Point"
