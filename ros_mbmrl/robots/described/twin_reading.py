"""Reading of a robot's section `twin`: which MuJoCo model simulates it, what differs, what fails.

No MuJoCo: whether the model has what is named here is seen when it is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.robots.described.changes import Change, read_changes, read_faults
from ros_mbmrl.robots.described.description import FLOATING, PLANAR, Description
from ros_mbmrl.robots.described.expression import Expression
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.task_reading import ARRAY_FUNCTIONS

KEYS = (
    *("model", "base", "joints", "sensors", "actuators", "keyframe", "spread"),
    *("servo", "noise", "latency", "faults", "randomise"),
)
AXES = ("roll", "pitch", "yaw")
FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **ARRAY_FUNCTIONS,
        "min": lambda *each: reduce(np.minimum, each),
        "max": lambda *each: reduce(np.maximum, each),
    }
)


@dataclass(frozen=True)
class TwinDescription:
    """All that a file says about its robot's twin.

    Args:
        model: path of an MJCF or a URDF, relative to the file, or `package:path`.
        base: the body whose pose is measured; empty: the first one that moves freely.
        joints: names in the model of the robot's joints, where they differ.
        sensors: the model's sensor of a measured number, `name` or `name[index]`, or a number that
            it always is.
        actuators: formulas over commands, by the model's actuator.
        keyframe: of the model, where the robot begins; empty: the model's own posture.
        spread: half the width of the joints' angles at the start around it [rad], [m].
        servo: stiffness [N m/rad] and damping [N m s/rad] of joints that a command moves and that
            have no actuator in the model, as those of a URDF; None: they are not known.
        noise: standard deviations at noise 1, by what `errors` names.
        latency: of commands [s].
        faults: changes that they consist of, by name.
        randomise: changes, with ranges, from robot to robot.
        places: where the file says each of it, for messages.
    """

    model: str
    base: str
    joints: Mapping[str, str]
    sensors: Mapping[str, str | float]
    actuators: Mapping[str, Expression]
    keyframe: str
    spread: float
    servo: tuple[float, float] | None
    noise: Mapping[str, float]
    latency: float
    faults: Mapping[str, tuple[Change, ...]]
    randomise: tuple[Change, ...]
    places: Mapping[str, Marked]

    def place(self, *keys: str) -> Marked:
        """Return where the file says something, or else the section."""
        return self.places.get(".".join(keys), self.places[""])


def errors(description: Description) -> tuple[str, ...]:
    """Return the names of what a measurement may be off by.

    Those of the measured numbers, but for an orientation: its errors are angles about the axes of
    the world [rad].
    """
    scalars = tuple(each.name for each in description.scalars if not each.derived)
    kinds = {PLANAR: ("x", "y", "yaw"), FLOATING: ("x", "y", "z", *AXES)}
    return (*kinds.get(description.kind, ()), *scalars)


def read_twin(description: Description) -> TwinDescription:
    """Read the section `twin` of a robot that has one. Raises UserError."""
    section = description.twin
    assert section is not None
    found = section.among(KEYS, needed=("model",))
    names = errors(description)
    joints = _joints(found.get("joints"), description)
    faults = read_faults(found.get("faults"), description, names)
    noise = found["noise"].among(names) if "noise" in found else {}
    return TwinDescription(
        model=found["model"].text(),
        base=found["base"].text() if "base" in found else "",
        joints=joints,
        sensors=_sensors(found.get("sensors"), description),
        actuators=_actuators(found.get("actuators"), description),
        keyframe=found["keyframe"].text() if "keyframe" in found else "",
        spread=found["spread"].number(low=0.0) if "spread" in found else 0.0,
        servo=_servo(found.get("servo")),
        noise={name: each.number(low=0.0) for name, each in noise.items()},
        latency=found["latency"].number(0.0, math.inf) if "latency" in found else 0.0,
        faults={name: _renamed(changes, joints) for name, changes in faults.items()},
        randomise=_renamed(read_changes(found.get("randomise"), names), joints),
        places=_places(section),
    )


def _renamed(changes: tuple[Change, ...], joints: Mapping[str, str]) -> tuple[Change, ...]:
    """Return changes with the model's names of the robot's joints."""
    return tuple(
        replace(each, name=joints.get(each.name, each.name)) if each.of == "joint" else each
        for each in changes
    )


def _joints(marked: Marked | None, description: Description) -> dict[str, str]:
    names = (*description.joints, *(limit.name for limit in description.action))
    known = {} if marked is None else marked.among(tuple(dict.fromkeys(names)))
    return {name: each.text() for name, each in known.items()}


def _servo(marked: Marked | None) -> tuple[float, float] | None:
    if marked is None:
        return None
    found = marked.among(("stiffness", "damping"), needed=("stiffness", "damping"))
    return found["stiffness"].positive(), found["damping"].number(low=0.0)


def _sensors(marked: Marked | None, description: Description) -> dict[str, str | float]:
    """Return sensors by measured number; a vector's name stands for its three."""
    measured, found = description.measured, dict[str, str | float]()
    vectors = tuple(n[:-2] for n in measured if n.endswith("_x") and f"{n[:-2]}_z" in measured)
    for name, each in ({} if marked is None else marked.among((*measured, *vectors))).items():
        if name not in measured:
            found |= {f"{name}_{axis}": f"{each.text()}[{k}]" for k, axis in enumerate("xyz")}
        elif isinstance(each.value, str):
            found[name] = each.text()
        else:
            found[name] = each.number()
    return found


def _actuators(marked: Marked | None, description: Description) -> dict[str, Expression]:
    commands, found = [limit.name for limit in description.action], dict[str, Expression]()
    for name, each in ({} if marked is None else marked.items()).items():
        text = str(each.value) if isinstance(each.value, int | float) else each.text()
        try:
            found[name] = Expression(text, commands)
        except ValueError as error:
            raise each.error(str(error)) from None
    return found


def _places(section: Marked) -> dict[str, Marked]:
    """Return where each key of the section is, two levels deep."""
    found = {"": section}
    for name, each in section.items().items():
        found[name] = each
        if each.nested:
            found |= {f"{name}.{key}": inner for key, inner in each.items().items()}
    return found
