"""Parts of a robot that a fault breaks, for who draws them: found by their names."""

from __future__ import annotations

import re

from ros_mbmrl.simulation.engine import mujoco

LOST = (0.5, 0.5, 0.5, 0.3)  # colour of what is not there any more
WRONG = (0.85, 0.15, 0.1, 1.0)  # and of what is there, and does not work


def broken_geoms(model: mujoco.MjModel, fault: str) -> list[int]:
    """Return the geoms of the bodies, or on the joints, that the fault called `fault` names.

    None if it names no part: a payload, a slope.
    """
    part = re.sub(r"^(weak|stiff)_|_(disabled|crippled|lost)$", "", fault)
    leg = re.fullmatch(r"leg(_\d)", part)  # of the ant: hip_1, ankle_1
    bodies = set()
    for kind, count in (("body", model.nbody), ("joint", model.njnt)):
        for index in range(count):
            each = getattr(model, kind)(index)
            fits = each.name.endswith(leg[1]) if leg else f"_{part}_" in f"_{each.name}_"
            if part and fits:
                bodies.add(index if kind == "body" else int(model.jnt_bodyid[index]))
    return [geom for geom in range(model.ngeom) if int(model.geom_bodyid[geom]) in bodies]


def colour_broken(model: mujoco.MjModel, fault: str) -> list[int]:
    """Colour what the fault breaks, and return the geoms that are lost.

    Lost are parts that the fault names and says no more of; others are there and do not work.
    """
    geoms = broken_geoms(model, fault)
    lost = any(model.body(index).name == fault for index in range(model.nbody))
    model.geom_rgba[geoms] = LOST if lost else WRONG
    model.geom_matid[geoms] = -1
    return geoms if lost else []
