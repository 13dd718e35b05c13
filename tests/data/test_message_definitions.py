"""Definitions of message types, found where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.data import message_definitions
from ros_mbmrl.data.message_definitions import definition, from_idl, share_folders
from ros_mbmrl.errors import UserError


def test_definitions_hold_every_type_they_need() -> None:
    text = definition("nav_msgs/msg/Odometry")
    parts = [line[5:] for line in text.splitlines() if line.startswith("MSG: ")]
    assert len(parts) == len(set(parts))
    assert set(parts) == {
        *("std_msgs/Header", "builtin_interfaces/Time"),
        *("geometry_msgs/PoseWithCovariance", "geometry_msgs/TwistWithCovariance"),
        *("geometry_msgs/Pose", "geometry_msgs/Point", "geometry_msgs/Quaternion"),
        *("geometry_msgs/Twist", "geometry_msgs/Vector3"),
    }


def test_the_type_itself_comes_first_and_each_of_its_parts_once() -> None:
    text = definition("std_msgs/msg/Header")
    head, parts = text.split("=" * 80 + "\n")
    assert "frame_id" in head
    assert parts.startswith("MSG: builtin_interfaces/Time\n")
    assert definition("std_msgs/Header") == text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Header", "'Header' is not a message type, expected package/msg/Type"),
        ("std_msgs/srv/Header", "is not a message type"),
        ("std_msgs/msg/Heading", "no definition of std_msgs/msg/Heading: expected it under share"),
        ("no_such_package/msg/Thing", "no definition of no_such_package/msg/Thing"),
    ],
)
def test_what_is_no_type_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        definition(name)


def test_a_distribution_comes_before_wheels_and_its_parts_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "share" / "farm_msgs" / "msg"
    folder.mkdir(parents=True)
    cow = "# a comment\nint32 legs\nTail[<=2] tails  # bounded\nstring<=9 n\n"
    (folder / "Cow.msg").write_text(cow)
    (folder / "Tail.msg").write_text("float64 length")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert next(share_folders("farm_msgs")) == folder.parent
    assert definition("farm_msgs/msg/Cow").endswith("MSG: farm_msgs/Tail\nfloat64 length\n")


def test_transforms_have_a_definition_where_their_package_is_not_installed() -> None:
    text = definition("tf2_msgs/msg/TFMessage")
    assert "geometry_msgs/TransformStamped[] transforms" in text
    parts = {line[5:] for line in text.splitlines() if line.startswith("MSG: ")}
    assert {"geometry_msgs/TransformStamped", "geometry_msgs/Quaternion"} <= parts


def test_common_types_are_known_without_any_ros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_definitions, "share_folders", lambda package: iter(()))
    text = definition("nav_msgs/msg/Odometry")
    assert text.startswith("std_msgs/Header header\n")
    parts = {line[5:] for line in text.splitlines() if line.startswith("MSG: ")}
    assert {"geometry_msgs/TwistWithCovariance", "builtin_interfaces/Time"} <= parts
    with pytest.raises(UserError, match="no definition of farm_msgs/msg/Cow"):
        definition("farm_msgs/msg/Cow")


IDL = """\
module farm_msgs { module msg {
  struct Cow { int32 legs; sequence<farm_msgs::msg::Tail, 2> tails; string<9> name; };
}; };
"""
TAIL = "module farm_msgs { module msg { struct Tail { double length; }; }; };\n"


def test_a_type_in_idl_is_told_as_ros_does() -> None:
    mark = "=" * 80 + "\nIDL: "
    text = f"{mark}farm_msgs/msg/Cow\n{IDL}{mark}farm_msgs/msg/Tail\n{TAIL}"
    assert from_idl("farm_msgs/msg/Cow", text) == (
        "int32 legs\nfarm_msgs/Tail[<=2] tails\nstring<=9 name\n"
        + ("=" * 80 + "\nMSG: farm_msgs/Tail\nfloat64 length\n")
    )
    with pytest.raises(UserError, match="farm_msgs/msg/Cow: not defined by its IDL"):
        from_idl("farm_msgs/msg/Cow", IDL)  # without its tail
    with pytest.raises(UserError, match="farm_msgs/msg/Cow: not defined by its IDL"):
        from_idl("farm_msgs/msg/Cow", "nonsense")
