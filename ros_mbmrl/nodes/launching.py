"""A graph of `bringup.py` as a launch description, for `ros2 launch`."""

from __future__ import annotations

import os
from typing import Any

from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from ros_mbmrl import bringup
from ros_mbmrl.launch_arguments import ARGUMENTS


def describe(graph: str) -> LaunchDescription:
    """The launch description of the graph called `graph`."""
    arguments = ARGUMENTS[graph]
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value=argument.default,
                    description=argument.help,
                    choices=list(argument.choices) or None,
                )
                for argument in arguments
            ),
            *(
                SetEnvironmentVariable(name, value)
                for name, value in bringup.environment(os.environ).items()
                if os.environ.get(name) != value
            ),
            # However `ros2 launch` ends, its nodes stop the robot and end.
            SetEnvironmentVariable(bringup.LAUNCHER, str(os.getpid())),
            OpaqueFunction(function=_nodes, args=[graph]),
        ]
    )


def _nodes(context: LaunchContext, graph: str) -> list[Node]:
    words = [
        f"{argument.name}:={LaunchConfiguration(argument.name).perform(context)}"
        for argument in ARGUMENTS[graph]
    ]
    return [_node(spec) for spec in bringup.graph(graph, words)]


def _node(spec: bringup.NodeSpec) -> Node:
    """No name is given: a process may hold several nodes, and each names itself."""
    parameters: list[Any] = list(spec.parameter_files)
    return Node(
        package="ros_mbmrl",
        executable=spec.executable,
        namespace=spec.namespace,
        parameters=[*parameters, dict(spec.parameters)],
        remappings=list(spec.remappings.items()),
        ros_arguments=["--enclave", spec.enclave],
        output="screen",
        on_exit=[Shutdown(reason=f"{spec.name} has ended")] if spec.critical else None,
    )
