"""Faults of a robot of a file on its own topics, as data: those that its file has a part for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ros_mbmrl.data.message_types import fields_of
from ros_mbmrl.faults.catalogue import BOUND, ENDS, STOPS, Fault
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.sources import readers

GRAPH = "topics"
PAST, FUTURE = 1.0, 1.0  # [s] by which stamps are wrong
LATE = 0.05  # [s] from the last repeat to rest
LEAP = 1.0  # [m] by which a pose jumps
SAFETY_STOP = "safety stop service"
# Of a topic that is measured, and of the one that commands go to.
SILENT, FROZEN, NAN, JUMP, LACKS = "silent", "frozen", "nan", "jumped", "joint_missing"
IN_THE_PAST, IN_THE_FUTURE = "stamps_in_the_past", "stamps_in_the_future"
SECOND, NOBODY, RETYPED = "second_publisher", "nobody_takes_it", "taken_as_another_type"
GONE = "gone"


@dataclass(frozen=True)
class Played:
    """A robot of a file whose side of its topics is played.

    Args:
        robot: its name.
        words: launch arguments of the graph that drives it.
        graph: adapt, or collect.
        timeout: without a command after which it stops by itself [s].
    """

    robot: str
    words: tuple[str, ...]
    graph: str
    timeout: float

    @property
    def proposer(self) -> str:
        """Return the process that proposes commands."""
        return "adaptive" if self.graph == "adapt" else "teleop"


def played_robot(description: Description, model: str, method: str, timeout: float) -> Played:
    """Return how a robot is driven: by a model, else by a gamepad, else at random.

    Args:
        description: of the robot.
        model: folder of its model; empty: none.
        method: that adapts it.
        timeout: see `Played`.
    """
    words = [f"robot:={description.name}", "plant:=topics"]
    if model:
        words += [f"model:={model}", f"method:={method}"]
        return Played(description.name, tuple(words), "adapt", timeout)
    words.append(f"source:={'joystick' if all(description.drives) else 'random'}")
    return Played(description.name, tuple(words), "collect", timeout)


def robot_faults(description: Description, proposer: str) -> Sequence[Fault]:
    """Return all faults that can be tried on a robot of a file.

    Args:
        description: of the robot.
        proposer: see `Played`.
    """
    faults: list[Fault] = []
    for alias, topic in description.topics.items():
        if names := readers(description.sources, alias):
            dated = topic.stamped and "header" in fields_of(topic.type)
            kinds = [SILENT, FROZEN, NAN, SECOND]
            kinds += [IN_THE_PAST, IN_THE_FUTURE] if dated else []
            kinds += [JUMP] if "x" in names else []
            kinds += [LACKS] if any(name in description.joints for name in names) else []
            faults += [Fault("robot", topic.name, kind, STOPS) for kind in kinds]
    command = description.topics[description.command_topic].name
    faults += [Fault("robot", command, kind, STOPS) for kind in (SECOND, NOBODY, RETYPED)]
    faults += [Fault("robot", "robot", GONE, STOPS), Fault("machine", "", SAFETY_STOP, STOPS)]
    paused, killed = (proposer, "safety", "driver"), ("safety", "driver")
    faults += [Fault("process", name, "SIGSTOP", STOPS) for name in paused]
    faults += [Fault("process", name, "SIGKILL", ENDS) for name in killed]
    return [replace(fault, bound=_bound(description)) for fault in faults]


def _bound(description: Description) -> float:
    """Return the time from a fault to rest [s].

    A robot that takes positions reaches the last one a period after it was sent.
    """
    sent = any(sink.integrates for sink in description.sinks.values())
    return BOUND + (description.period if sent else 0.0)
