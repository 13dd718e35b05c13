"""composed: the control path in one process. Its nodes are those of the separate processes.

Adaptive and safety, and the driver of a twin, too. A real robot's driver stays a process of its
own: what stops the robot in silence must not wait for the interpreter that plans. Safety has a
thread of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.node import Node

from ros_mbmrl.nodes import adaptive
from ros_mbmrl.nodes.driver import DriverNode
from ros_mbmrl.nodes.driver_parameters import DriverParameters
from ros_mbmrl.nodes.links import PROPOSED, WHOLE, Links
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.safety_parameters import SafetyParameters
from ros_mbmrl.runtime.priority import Work

SWITCH = 2e-4  # [s] that a thread computes in Python while another one waits; 5 ms otherwise


@dataclass(frozen=True)
class ComposedParameters:
    """drives: whether the driver is in the process, too."""

    drives: bool = True


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process, and start its worker."""
    from ros_mbmrl.nodes.controller import ControllerParameters
    from ros_mbmrl.nodes.dynamics import DynamicsParameters

    sys.setswitchinterval(SWITCH)
    own = (ComposedParameters, SafetyParameters, DriverParameters)
    all_of_them = (*own, ControllerParameters, DynamicsParameters)
    drives = _drives(all_of_them)
    links = Links(WHOLE if drives else PROPOSED, measured=drives)
    ending.last.append(links.close)
    planning = adaptive.build(ending, links, own)
    safety = SafetyNode(others=all_of_them, links=links)
    safety.own_thread = True
    if not drives:
        return [*planning, safety]
    return [*planning, safety, DriverNode(ending, others=all_of_them, links=links)]


def _drives(others: tuple[type, ...]) -> bool:
    """Return what the process's own parameter says."""
    unheard = {"start_parameter_services": False, "enable_rosout": False}
    node = Node("composed", automatically_declare_parameters_from_overrides=True, **unheard)
    try:
        return read_parameters(node, ComposedParameters, *others).drives
    finally:
        node.destroy_node()


def main() -> None:
    """Run the nodes until their process ends."""
    raise SystemExit(run(build, work=Work.LONG))


if __name__ == "__main__":
    main()
