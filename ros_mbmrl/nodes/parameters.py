"""Parameters of a node, read into the frozen dataclass that says what there is.

All are read-only from then on, but for those that the node leaves to `live_parameters.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from ros_mbmrl.errors import UserError

T = TypeVar("T")

READ_AT_START = "read when the node starts"  # description of what cannot be set afterwards
# Parameters that every ROS node has.
_OF_ROS = ("use_sim_time", "start_type_description_service", "qos_overrides")


def read_parameters(node: Node, cls: type[T], *others: type, live: tuple[str, ...] = ()) -> T:
    """Return the node's parameters as a `cls`, and make them read-only.

    Args:
        node: has declared its overrides by itself.
        others: dataclasses that other nodes of the same process read: their names are known, too.
        live: names of fields (or groups) that `LiveParameters` declares: they are left as they are.

    Raises:
        UserError: an unknown name, a wrong type, and whatever `cls` refuses.
    """
    known = {field.name for each in (cls, *others) for field in fields(each)}
    given = {name: node.get_parameter(name).value for name in _declared(node)}
    for name in given:
        if name.split(".")[0] not in known:
            raise UserError(
                f"{node.get_name()}: unknown parameter '{name}': expected one of "
                f"{', '.join(sorted(known))}"
            )
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        kind = hints[field.name]
        if kind not in (bool, int, float, str):  # a group: `planner.horizon` and its like
            if field.name in given:
                raise UserError(
                    f"{node.get_name()}: parameter '{field.name}': expected a group of settings by "
                    f"name, got {given[field.name]!r}"
                )
            group = field.name + "."
            values[field.name] = {
                name[len(group) :]: value for name, value in given.items() if name.startswith(group)
            }
        elif field.name in given:
            values[field.name] = _typed(node, field.name, kind, given[field.name])
        elif field.default is not MISSING:
            values[field.name] = field.default
            node.declare_parameter(field.name, field.default)
        else:
            raise UserError(f"{node.get_name()}: parameter '{field.name}' must be given")
    lock(node, [name for name in _declared(node) if name.split(".")[0] not in live])
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UserError(f"{node.get_name()}: {error}") from None


def lock(node: Node, names: Iterable[str]) -> None:
    """Make declared parameters read-only, so that setting one does not look as if it did something.

    ROS itself then refuses to set them.
    """
    for name in names:
        kind = node.get_parameter(name).type_.value
        told = ParameterDescriptor(type=kind, description=READ_AT_START, read_only=True)
        node.set_descriptor(name, told)


def _declared(node: Node) -> list[str]:
    names = node.list_parameters([], 0).names
    return [name for name in names if name.split(".")[0] not in _OF_ROS]


def _typed(node: Node, name: str, kind: type, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise UserError(
            f"{node.get_name()}: parameter '{name}': expected {kind.__name__}, got {value!r}"
        )
    return value
