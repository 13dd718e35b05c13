"""ParameterClient: the parameters of another node, by the services that every node has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient

from ros_mbmrl.errors import RunError, UserError, choose

PATIENCE = 5.0  # [s] for a node to be found, and for each of its answers


class ParameterClient:
    """A context manager that finds a node and speaks with it.

    Args:
        node: its full name, as /hexapod/controller.
        patience: [s] for the node to be found, and for each answer.
    """

    def __init__(self, node: str, patience: float = PATIENCE) -> None:
        self._name, self._patience = node, patience

    def __enter__(self) -> ParameterClient:
        """Find the node. Raises UserError if there is none of that name."""
        self._context = rclpy.Context()
        self._context.init(args=[])
        self._node = Node(f"param_{os.getpid()}", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._client = AsyncParameterClient(self._node, self._name)
        if not self._client.wait_for_services(self._patience):
            found = self._node.get_node_names_and_namespaces()
            names = sorted(f"{space.rstrip('/')}/{name}" for name, space in found)
            others = [name for name in names if name != self._node.get_fully_qualified_name()]
            self.__exit__()
            expected = f"expected one of {', '.join(others)}" if others else "no node is running"
            raise UserError(f"no node '{self._name}': {expected}")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def names(self) -> list[str]:
        """Return the names of the node's parameters. Raises RunError if it does not answer."""
        return sorted(self._answer(self._client.list_parameters()).result.names)

    def rows(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return name, value, range, description and read_only of parameters.

        Raises RunError if the node does not answer.
        """
        values = self._answer(self._client.get_parameters(list(names))).values
        told = self._answer(self._client.describe_parameters(list(names))).descriptors
        return [
            {
                "name": name,
                "value": _plain(parameter_value_to_python(value)),
                "range": _range(each),
                "description": each.description,
                "read_only": each.read_only,
            }
            for name, value, each in zip(names, values, told, strict=True)
        ]

    def set(self, name: str, value: Any) -> None:
        """Set a parameter.

        Raises:
            UserError: there is none of that name, or the node refuses, with its reason.
            RunError: it does not answer.
        """
        choose(f"parameter of {self._name}", name, self.names())  # rclpy's own answer names none
        wanted = [Parameter(name, value=value)]
        (result,) = self._answer(self._client.set_parameters(wanted)).results
        if not result.successful:
            raise UserError(f"{self._name} refuses: {result.reason}")

    def _answer(self, future: Any) -> Any:
        self._executor.spin_until_future_complete(future, self._patience)
        if not future.done():
            raise RunError(f"{self._name} does not answer")
        return future.result()


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else list(value)


def _range(told: Any) -> str:
    for each in (*told.integer_range, *told.floating_point_range):
        return f"{each.from_value:g} to {each.to_value:g}"
    return str(told.additional_constraints)
