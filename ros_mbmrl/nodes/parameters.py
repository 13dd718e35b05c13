"""Parameters of a node, read once into the frozen dataclass that says what there is."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node

from ros_mbmrl.errors import UserError

T = TypeVar("T")

# Parameters that every ROS node has.
_OF_ROS = ("use_sim_time", "start_type_description_service", "qos_overrides")


def read_parameters(node: Node, cls: type[T], *others: type) -> T:
    """The node's parameters as a `cls`.

    The node must declare its overrides by itself (`DECLARE`). others: dataclasses that other
    nodes of the same process read: their names are known, too. Raises UserError for an unknown
    name, a wrong type, and whatever `cls` refuses.
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
            node.declare_parameter(
                field.name, field.default, ParameterDescriptor(description="read at start")
            )
        else:
            raise UserError(f"{node.get_name()}: parameter '{field.name}' must be given")
    node.add_on_set_parameters_callback(_refuse)
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UserError(f"{node.get_name()}: {error}") from None


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


def _refuse(parameters: list[Any]) -> SetParametersResult:
    """A parameter that is read once must not look as if setting it did something."""
    for parameter in parameters:
        if parameter.name.split(".")[0] not in _OF_ROS:
            return SetParametersResult(
                successful=False, reason=f"{parameter.name} is read when the node starts"
            )
    return SetParametersResult(successful=True)
