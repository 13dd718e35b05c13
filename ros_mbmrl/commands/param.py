"""`mbmrl param`: which parameters of a running node may be set, and setting one."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ros_mbmrl.errors import UserError
from ros_mbmrl.ros_environment import environment

if TYPE_CHECKING:
    from ros_mbmrl.arguments.param import Param

Value = bool | int | float | str | list[float]


def run(arguments: Param) -> dict[str, Any]:
    """List the parameters, or set one. Raises UserError if the node refuses, with its reason."""
    wanted = arguments.what == "set"
    if wanted and not (arguments.name and arguments.value):
        raise UserError("set: expected NODE NAME VALUE, as /hexapod/controller speed 0.3")
    if not wanted and arguments.value:
        raise UserError(f"list: unexpected '{arguments.value}': expected NODE and the name's start")
    if find_spec("rclpy") is None:
        raise UserError("rclpy is not installed: expected a ROS 2 distribution, or its pip wheels")
    os.environ.update(environment(os.environ))  # with it the nodes of `mbmrl launch` are found
    from ros_mbmrl.nodes.parameter_client import ParameterClient

    with ParameterClient(arguments.node) as client:
        if wanted:
            client.set(arguments.name, value_of(arguments.value))
            (row,) = client.rows([arguments.name])
            print(f"{row['name']} = {row['value']}")
            return row
        names = [name for name in client.names() if name.startswith(arguments.name)]
        rows = client.rows(names)
    shown = rows if arguments.all else [row for row in rows if not row["read_only"]]
    _show(arguments.node, shown)
    return {"parameters": shown}


def value_of(text: str) -> Value:
    """Return the value that a person typed: a number, true, false, a list of numbers, or text."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("[") and text.endswith("]"):
        numbers = [_number(each) for each in text[1:-1].split(",")]
        if all(isinstance(each, int | float) for each in numbers):
            return [float(each) for each in numbers]
    return _number(text)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _show(node: str, rows: list[dict[str, Any]]) -> None:
    table = Table("parameter", "value", "range", "", title=escape(node))
    for row in rows:
        cells = row["name"], str(row["value"]), row["range"], row["description"]
        table.add_row(*(escape(cell) for cell in cells))
    Console().print(table if rows else "nothing of this node may be set while it runs")
