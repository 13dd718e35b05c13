"""ROS parameter files, read as the nodes read them: which node is given which parameters.

Imports no ROS. The grammar is that of rcl_yaml_param_parser: names of namespaces and nodes may be
nested or joined by `/`, a leading `/` may be left out, `*` stands for one name and `**` for any
number of them, and names of parameters may be nested or joined by `.`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.share import find
from ros_mbmrl.untrusted import read_yaml

PARAMETERS = "ros__parameters"


def parameters_of(path: Path, node: str) -> dict[str, Any]:
    """Return what a file gives the node of that full name, by dotted name of the parameter.

    Of several sections that fit the node, the last one in the file counts. Raises UserError.
    """
    found: dict[str, Any] = {}
    for pattern, parameters in _sections(path):
        if fits(pattern, node):
            found |= dict(_flat("", parameters))
    return found


def files_of(robot: str, given: Path | None) -> tuple[Path, ...]:
    """Return the robot's own parameter file, if it has one, and the given one on top of it."""
    own = find(f"config/{robot}.yaml")
    return tuple(path for path in (own, given) if path is not None)


def controller_settings(robot: str, params: Path | None = None) -> dict[str, Any]:
    """Return the controller's parameters by dotted name, as a launch reads them.

    Args:
        robot: its name.
        params: a file on top of the robot's own.

    Raises:
        UserError: a file is not as expected.
    """
    given: dict[str, Any] = {}
    for path in files_of(robot, params):
        given |= parameters_of(path, f"/{robot}/controller")
    return given


def planner_settings(robot: str, params: Path | None = None) -> dict[str, Any]:
    """Return the planner's settings for `make_planner`. See `controller_settings`."""
    group, given = "planner.", controller_settings(robot, params)
    return {k.removeprefix(group): v for k, v in given.items() if k.startswith(group)}


def check_nodes(path: Path, nodes: Iterable[str]) -> None:
    """Raise UserError for a section that is for none of these full names of nodes."""
    known = sorted(nodes)
    for pattern, _ in _sections(path):
        if not any(fits(pattern, node) for node in known):
            raise UserError(
                f"params: {path}: '{pattern}' names no node of this graph: expected one of "
                f"{', '.join(known)}"
            )


def check_overlap(files: Iterable[str], nodes: Iterable[str], launched: Container[str]) -> None:
    """Raise UserError for a file's parameter of one of the nodes that the launch sets as well."""
    for path, node in product(files, nodes):
        for name in parameters_of(Path(path), node):
            if name in launched:
                raise UserError(
                    f"params: {path}: '{name}' of {node} is set by the launch: expected it "
                    f"as an argument, if there is one, {name}:=..."
                )


def fits(pattern: str, node: str) -> bool:
    """Return whether a section's name is for the node of that full name."""
    parts = re.split(r"(/\*\*|/\*)", pattern)
    wild = {"/**": r"(/\w+)*", "/*": r"/\w+"}
    expression = "".join(wild.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(expression, node) is not None


def _sections(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UserError(f"params: {path}: expected parameters by node")
    return list(_below("", content, path))


def _below(
    above: str, content: Mapping[Any, Any], path: Path
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sections of a namespace, each with its full name."""
    for key, value in content.items():
        name = key if not above and str(key).startswith("/") else f"{above}/{key}"
        if not isinstance(value, dict):
            expected = f"expected a mapping with {PARAMETERS}, got {value!r}"
            raise UserError(f"params: {path}: '{name}': {expected}")
        if key == PARAMETERS:
            yield above, value
        elif "//" in name or name.endswith("/"):
            raise UserError(f"params: {path}: '{name}': expected one slash between names")
        else:
            yield from _below(name, value, path)


def _flat(prefix: str, parameters: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in parameters.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value
