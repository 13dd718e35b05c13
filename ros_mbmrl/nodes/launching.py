"""A graph of `bringup.py` as a launch description, for `ros2 launch`."""

from __future__ import annotations

import os
from collections.abc import Callable
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
from ros_mbmrl.errors import RunError
from ros_mbmrl.launch_arguments import ARGUMENTS, check_names
from ros_mbmrl.planning.words import PREFIX
from ros_mbmrl.ros_environment import environment

# Launch configurations that `launch` reads itself, so that they may be on its command line, too.
OF_LAUNCH = (
    *("launch-prefix", "launch-prefix-filter", "emulate_tty", "sigterm_timeout", "sigkill_timeout"),
)


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
                for name, value in environment(os.environ).items()
                if os.environ.get(name) != value
            ),
            # However `ros2 launch` ends, its nodes stop the robot and end.
            SetEnvironmentVariable(bringup.LAUNCHER, str(os.getpid())),
            OpaqueFunction(function=_nodes, args=[graph]),
        ]
    )


def _nodes(context: LaunchContext, graph: str) -> list[Node]:
    given = [word.partition(":=")[0] for word in context.argv] if _on_top(context) else []
    check_names(graph, [name for name in given if name not in OF_LAUNCH])
    words = [
        f"{argument.name}:={LaunchConfiguration(argument.name).perform(context)}"
        for argument in ARGUMENTS[graph]
    ]
    own = context.launch_configurations.items()
    words += [f"{name}:={value}" for name, value in own if name.startswith(PREFIX)]
    return [_node(spec) for spec in bringup.graph(graph, words)]


def _on_top(context: LaunchContext) -> bool:
    """Return whether the command line is for this launch file.

    A launch file that includes this one has arguments of its own on the command line.
    """
    local = context.get_locals_as_dict()
    description = getattr(local.get("event"), "launch_description", None)
    tops = [
        getattr(e, "launch_description_source", None) for e in getattr(description, "entities", ())
    ]
    here = local.get("current_launch_file_path")
    return here is not None and here in [os.path.abspath(top.location) for top in tops if top]


def _ended(spec: bringup.NodeSpec) -> Callable[[Any, LaunchContext], Shutdown | None]:
    """Return what the end of a node does.

    An exception is what makes `ros2 launch` return 1; it prints its line, and ends the other nodes
    as a shutdown does. A node that is not critical may end, but not fail, unless it is optional:
    none is started again.
    """

    def on_exit(event: Any, context: LaunchContext) -> Shutdown | None:
        if event.returncode != 0 and not spec.optional:
            raise RunError(f"{spec.name} ended with status {event.returncode}")
        return Shutdown(reason=f"{spec.name} has ended") if spec.critical else None

    return on_exit


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
        additional_env=dict(spec.environment),
        output="screen",
        on_exit=_ended(spec),
    )
