"""Who may do what in the graph, as an SROS2 policy: `python -m ros_mbmrl.access > policy.xml`.

Format: ros2/sros2, `policy.xsd`, version 0.2.0. An enclave a process, called as the process is in
`bringup.py` (`/hexapod/safety`), with a profile for each of its nodes. Beside them, for what is
no node of ours: `operator` (a person's tools), `joystick` and `mocap`. What is not allowed is
denied; above all, only safety publishes `command/safe`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from xml.etree import ElementTree

from ros_mbmrl.data.measurement_messages import measurement_topics
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.topics import TOPICS, TRANSFORMS

MEASURED = "<measured>"  # stands for the topics that the robot's measurements travel on
POSE = "/mocap/{robot}/pose"  # where a real robot's driver hears its pose, unless told otherwise
PARAMETERS = (
    *("describe_parameters", "get_parameter_types", "get_parameters", "list_parameters"),
    *("set_parameters", "set_parameters_atomically", "get_type_description"),
)
LIFECYCLE = (
    *("change_state", "get_state", "get_available_states", "get_available_transitions"),
    "get_transition_graph",
)
# What may be tuned while the graph runs: `ros2 param` and `mbmrl param`.
TUNING = tuple(
    f"{node}/{service}"
    for node in ("controller", "safety")
    for service in PARAMETERS
    if service != "get_type_description"
)
TOOLS = "/_ros2cli_*/get_type_description"  # their nodes are called by the process
REARM, STOP, RESET = "driver/rearm", "safety/stop", "safety/reset"


@dataclass(frozen=True)
class Access:
    """Rights of a node, by names as in `topics.py`. offers, calls: services."""

    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    lifecycle: bool = False


# Enclave -> node -> what it may do.
_SEPARATE: Mapping[str, Mapping[str, Access]] = MappingProxyType(
    {
        "driver": {
            "driver": Access(
                (MEASURED, "command/heard", "/clock", "/diagnostics"),
                ("command/safe", "safety/state", POSE),
                (REARM,),
                lifecycle=True,
            )
        },
        "adaptive": {
            "dynamics": Access(("adaptation",), (MEASURED, "command/safe", "/diagnostics")),
            "controller": Access(
                ("command/proposed", "plan", "plan/candidates", "/diagnostics"),
                ("reference", "safety/state", "command/proposed/heard", "episode"),
                lifecycle=True,
            ),
        },
        "safety": {
            "safety": Access(
                ("command/safe", "command/proposed/heard", "safety/state", "/diagnostics"),
                (MEASURED, "command/proposed", "command/heard", "adaptation", "/diagnostics"),
                (STOP, RESET),
            )
        },
        "reference": {"reference": Access(("reference",), (MEASURED, "reference/set"))},
        "robot_state": {
            "robot_state": Access(
                ("robot_description", *(topic.name for topic in TRANSFORMS)), (MEASURED,)
            )
        },
        "teleop": {
            "teleop": Access(
                ("command/proposed", "episode"),
                (MEASURED, "joy", "safety/state", "/diagnostics"),
                calls=(RESET,),
            )
        },
        "collector": {
            "collector": Access(
                ("episode", "reference/set", "/diagnostics"),
                (MEASURED, "command/safe", "reference", "safety/state", "/diagnostics"),
            )
        },
        "recorder": {"recorder": Access(subscribes=tuple(topic.name for topic in TOPICS))},
        "view": {"view": Access(subscribes=tuple(topic.name for topic in TOPICS))},
    }
)
# The nodes of the control path in one process have the rights that they have in several.
_CONTROL = ("adaptive", "safety", "driver")
GRAPH: Mapping[str, Mapping[str, Access]] = MappingProxyType(
    {**_SEPARATE, "composed": {k: v for name in _CONTROL for k, v in _SEPARATE[name].items()}}
)
EVERYTHING = tuple(topic.name for topic in (*TOPICS, *TRANSFORMS))
OUTSIDE: Mapping[str, Mapping[str, Access]] = MappingProxyType(
    {
        "operator": {
            "operator": Access(
                ("reference/set",), EVERYTHING, (TOOLS,), (STOP, RESET, REARM, *TUNING)
            )
        },
        "joystick": {"joy_node": Access(("joy",), ("joy/set_feedback",))},
        "mocap": {"/mocap": Access((POSE,))},  # `mbmrl emulate` is in no robot's namespace
    }
)


def access(robot: str) -> dict[str, dict[str, Access]]:
    """Enclaves and nodes of the robot's graph, with the names of its own topics."""
    spec = make_robot(robot).spec
    measured = measurement_topics(spec)

    def named(names: Sequence[str]) -> tuple[str, ...]:
        each = [measured if name == MEASURED else (name.format(robot=robot),) for name in names]
        return tuple(dict.fromkeys(name for names in each for name in names))

    return {
        enclave: {
            node: replace(a, publishes=named(a.publishes), subscribes=named(a.subscribes))
            for node, a in nodes.items()
        }
        for enclave, nodes in {**GRAPH, **OUTSIDE}.items()
    }


def rules(node: Access) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the rights of a node, those of every node included: (list, right) -> names."""
    offers = (*node.offers, *(f"~/{name}" for name in PARAMETERS))
    publishes = (*node.publishes, "/rosout", "/parameter_events")
    if node.lifecycle:
        offers += tuple(f"~/{name}" for name in LIFECYCLE)
        publishes += ("~/transition_event",)
    return {
        ("topics", "publish"): publishes,
        ("topics", "subscribe"): node.subscribes,
        ("services", "reply"): offers,
        ("services", "request"): node.calls,
    }


def policy(robots: Sequence[str]) -> str:
    """The policy of these robots' graphs, as text."""
    root = ElementTree.Element("policy", version="0.2.0")
    enclaves = ElementTree.SubElement(root, "enclaves")
    for robot in robots:
        for enclave, nodes in access(robot).items():
            place = ElementTree.SubElement(enclaves, "enclave", path=f"/{robot}/{enclave}")
            profiles = ElementTree.SubElement(place, "profiles")
            for node, allowed in nodes.items():
                space = "/" if node.startswith("/") else f"/{robot}"
                profile = ElementTree.SubElement(
                    profiles, "profile", ns=space, node=node.lstrip("/")
                )
                for (kind, right), names in rules(allowed).items():
                    if names:
                        part = ElementTree.SubElement(profile, kind, {right: "ALLOW"})
                    for name in names:
                        ElementTree.SubElement(part, kind[:-1]).text = name
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root).decode()}\n'


def main() -> None:
    """Prints the policy of the robots that are named, by default of those that ship."""
    try:
        print(policy(sys.argv[1:] or ("hexapod", "pr2_arm")), end="")
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
