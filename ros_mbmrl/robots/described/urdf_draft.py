"""Joints of a URDF: names, limits, and what ros2_control takes for them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.drafts import TAKES, Joint
from ros_mbmrl.untrusted import read_bytes

LIMIT = 16 << 20  # [bytes]
MOVING = ("revolute", "continuous", "prismatic")


def urdf_joints(path: Path) -> list[Joint]:
    """Return the joints of a URDF that can be commanded.

    Those that mimic others are left out. If the file has a section `ros2_control`, they are its
    joints with a command interface, in its order.

    Raises:
        UserError: it is no URDF, or a number in it is none.
    """
    root = _root(path)
    joints = {
        each.name: each
        for element in root.findall("joint")
        if element.get("type") in MOVING and element.find("mimic") is None
        for each in [_joint(element, path)]
    }
    controlled = [
        replace(joints[name], takes=takes) for name, takes in _interfaces(root) if name in joints
    ]
    return controlled or list(joints.values())


def _root(path: Path) -> ElementTree.Element:
    data = read_bytes(path, LIMIT)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UserError(f"{path}: expected XML without a document type")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"{path}: not XML ({error})") from None
    if any("xacro" in element.tag for element in root.iter()):
        raise UserError(f"{path}: expected a URDF, as `xacro FILE > robot.urdf` writes it")
    if root.tag != "robot":
        raise UserError(f"{path}: expected a URDF (a <robot>), got a <{root.tag}>")
    return root


def _joint(element: ElementTree.Element, path: Path) -> Joint:
    name, kind = element.get("name", ""), element.get("type")
    if not name:
        raise UserError(f"{path}: a joint has no name")
    limit = element.find("limit")
    given = {} if limit is None else limit.attrib
    low, high = (_number(given, key, name, path) for key in ("lower", "upper"))
    return Joint(
        name=name,
        limits=(low, high) if kind != "continuous" and low < high else None,
        fastest=abs(_number(given, "velocity", name, path)),
        strongest=abs(_number(given, "effort", name, path)),
        linear=kind == "prismatic",
        endless=kind == "continuous",
    )


def _number(given: dict[str, str], key: str, name: str, path: Path) -> float:
    text = given.get(key, "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{path}: joint '{name}': {key}: expected a number, got {text}")
    return value


def _interfaces(root: ElementTree.Element) -> list[tuple[str, str]]:
    """Return the joints of `ros2_control` with what they take, the first of several."""
    found = []
    for element in root.findall("ros2_control/joint"):
        taken = [each.get("name", "") for each in element.findall("command_interface")]
        known = [each for each in taken if each in TAKES]
        if known:
            found.append((element.get("name", ""), known[0]))
    return found
