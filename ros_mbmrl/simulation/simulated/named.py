"""Things in a MuJoCo model by the names in a robot's file, and changes of them."""

from __future__ import annotations

from difflib import get_close_matches

from ros_mbmrl.robots.described.changes import Change
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.simulation.engine import mujoco

SHOWN = 12  # names in a message


def names_of(model: mujoco.MjModel, kind: str) -> list[str]:
    """Return the names of the model's bodies, joints, actuators, ..., in order."""
    counts = {"body": "nbody", "joint": "njnt", "actuator": "nu", "keyframe": "nkey"}
    count = getattr(model, counts.get(kind, f"n{kind}"))
    found = (mujoco.mj_id2name(model, _object(kind), k) for k in range(count))
    return [name or "" for name in found]


def identity(model: mujoco.MjModel, kind: str, name: str, place: Marked) -> int:
    """Return the number of the model's thing called `name`.

    Args:
        model: of the robot.
        kind: body, joint, geom, actuator, sensor or keyframe.
        name: of it.
        place: where the file names it.

    Raises:
        UserError: there is none; the message says which there are.
    """
    found = int(mujoco.mj_name2id(model, _object(kind), name))
    if found >= 0:
        return found
    known = [each for each in names_of(model, kind) if each]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    more = ", ..." if len(known) > SHOWN else ""
    listed = ", ".join(known[:SHOWN]) or "none has a name"
    raise place.error(f"the model has no {kind} '{name}': expected one of {listed}{more}{hint}")


def apply(model: mujoco.MjModel, change: Change, value: float) -> None:
    """Change a number of a model, never its sizes. See `changes.QUANTITIES`. Raises UserError."""
    if change.of in ("command", "sensor") or change.quantity == "latency":
        return  # not the model's
    place = change.place
    if change.of:
        assert place is not None
        number: int | slice = identity(model, change.of, change.name, place)
    else:
        number = slice(None)
    _APPLY[change.of, change.quantity](model, number, value)


def _mass(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    model.body_mass[number] *= factor
    model.body_inertia[number] *= factor


def _own_mass(model: mujoco.MjModel, number: int | slice, kilograms: float) -> None:
    before = float(model.body_mass[number])
    if before > 0:
        _mass(model, number, kilograms / before)
    else:  # a body without shapes: a point
        model.body_mass[number] = kilograms


def _friction(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    """Scale sliding friction alone, as tyres on another ground."""
    model.geom_friction[number, 0] *= factor


def _size(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    model.geom_size[number] *= factor
    _bounds(model, number, factor)


def _radius(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    model.geom_size[number, 0] *= factor
    _bounds(model, number, max(factor, 1.0))


def _bounds(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    """Scale what MuJoCo looks for contacts within."""
    model.geom_rbound[number] *= factor
    model.geom_aabb[number] *= factor


def _damping(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    model.dof_damping[_dofs(model, number)] *= factor


def _joint_friction(model: mujoco.MjModel, number: int | slice, torque: float) -> None:
    model.dof_frictionloss[_dofs(model, number)] = torque


def _dofs(model: mujoco.MjModel, number: int | slice) -> slice:
    return number if isinstance(number, slice) else slice(*_range(model, number))


def _range(model: mujoco.MjModel, joint: int) -> tuple[int, int]:
    first = int(model.jnt_dofadr[joint])
    later = [int(adr) for adr in model.jnt_dofadr if adr > first]
    return first, min(later, default=int(model.nv))


def _strength(model: mujoco.MjModel, number: int | slice, factor: float) -> None:
    """Scale the force of actuators: of a motor, or of a servo with what it holds against."""
    model.actuator_gainprm[number] *= factor
    model.actuator_biasprm[number] *= factor


_APPLY = {
    ("", "mass"): _mass,
    ("body", "mass"): _own_mass,
    ("", "friction"): _friction,
    ("geom", "friction"): _friction,
    ("geom", "size"): _size,
    ("geom", "radius"): _radius,
    ("", "damping"): _damping,
    ("joint", "damping"): _damping,
    ("joint", "friction"): _joint_friction,
    ("", "gear"): _strength,
    ("actuator", "factor"): _strength,
}


def _object(kind: str) -> mujoco.mjtObj:
    return getattr(mujoco.mjtObj, f"mjOBJ_{'KEY' if kind == 'keyframe' else kind.upper()}")
