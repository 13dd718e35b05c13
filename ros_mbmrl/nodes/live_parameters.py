"""Parameters that may be set while their node runs: declared with ranges, checked by the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from ros_mbmrl.nodes.parameters import lock
from ros_mbmrl.robots.live import Live

LOCKED = "in lockstep nothing is set: nodes and loop have to give the same numbers"
Changes = Mapping[str, Any]
Kind = Parameter.Type
# Somebody who types 1 or [0, 5] means numbers; ROS would refuse integers.
_REAL = {Kind.INTEGER: Kind.DOUBLE, Kind.INTEGER_ARRAY: Kind.DOUBLE_ARRAY}


class LiveParameters:
    """The parameters of a node that may be set while it runs.

    Args:
        node: declares them.
        groups: as `read_parameters` was told; the rest of these is made read-only.
        values: by name; a [low, high] is an array.
        ranges: by name.
        check: is given changes by name, and raises ValueError with the reason why not.
        take: is given changes that were accepted.
        locked: every change is refused: the graph is in lockstep.
    """

    def __init__(
        self,
        node: Node,
        groups: Sequence[str],
        values: Mapping[str, Any],
        ranges: Mapping[str, Live],
        check: Callable[[Changes], object],
        take: Callable[[Changes], None],
        locked: bool = False,
    ) -> None:
        self._node, self._ranges, self._locked = node, dict(ranges), locked
        self._check, self._take = check, take
        for name, value in values.items():
            if node.has_parameter(name):  # as it was given: perhaps of another type
                node.undeclare_parameter(name)
            node.declare_parameter(name, _plain(value), _descriptor(value, ranges[name]), True)
        declared = [name for name in node.list_parameters([], 0).names if name not in values]
        lock(node, [name for name in declared if name.split(".")[0] in groups])
        node.add_pre_set_parameters_callback(self._typed)
        node.add_on_set_parameters_callback(self._checked)
        node.add_post_set_parameters_callback(self._taken)

    def limit(self, name: str, value: Any, live: Live) -> None:
        """Change the range of a parameter, and its value if that is no longer in the range."""
        if name in self._ranges:
            self._ranges[name] = live
            alternative = Parameter(name, value=_plain(value)).get_parameter_value()
            self._node.set_descriptor(name, _descriptor(value, live), alternative)

    def _typed(self, parameters: list[Parameter]) -> list[Parameter]:
        return [self._as_declared(each) for each in parameters]

    def _as_declared(self, given: Parameter) -> Parameter:
        live = self._ranges.get(given.name)
        if live is None or live.whole or given.type_ not in _REAL:
            return given
        kind = _REAL[given.type_]
        value = [float(v) for v in given.value] if kind is Kind.DOUBLE_ARRAY else float(given.value)
        return Parameter(given.name, kind, value)

    def _checked(self, parameters: list[Parameter]) -> SetParametersResult:
        changes = self._changes(parameters)
        try:
            if changes and self._locked:
                raise ValueError(LOCKED)
            if changes:
                self._check(changes)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _taken(self, parameters: list[Parameter]) -> None:
        changes = self._changes(parameters)
        if changes:
            self._take(changes)

    def _changes(self, parameters: Sequence[Parameter]) -> dict[str, Any]:
        """Values of our parameters by name; ROS has some of its own."""
        return {p.name: _plain(p.value) for p in parameters if p.name in self._ranges}


def told(changes: Changes) -> str:
    """Return changes in one line for the log."""
    return f"set: {', '.join(f'{name} = {value}' for name, value in changes.items())}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else [float(each) for each in value]


def _descriptor(value: Any, live: Live) -> ParameterDescriptor:
    """Return what tools show: type, description, range."""
    told = ParameterDescriptor(description=live.about)
    if not isinstance(value, int | float):
        told.type = Kind.DOUBLE_ARRAY.value
        told.additional_constraints = f"[low, high] within {live.low:g} to {live.high:g}"
    elif live.whole:
        told.type = Kind.INTEGER.value
        told.integer_range = [IntegerRange(from_value=int(live.low), to_value=int(live.high))]
    else:
        told.type = Kind.DOUBLE.value
        told.floating_point_range = [FloatingPointRange(from_value=live.low, to_value=live.high)]
    return told
