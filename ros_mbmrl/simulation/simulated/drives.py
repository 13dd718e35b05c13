"""Drives: which of a model's actuators a described robot's commands move, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.expression import Expression
from ros_mbmrl.robots.described.twin_reading import FUNCTIONS, TwinDescription
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.named import identity, names_of

HINGE, SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
JOINT = int(mujoco.mjtTrn.mjTRN_JOINT)
UNITS = {HINGE: "rad", SLIDE: "m"}


@dataclass(frozen=True)
class Drive:
    """An actuator.

    Args:
        number: of it in the model.
        formula: its control, from the commands.
        joint: it takes positions of this joint and the command is their rate, so that its
            set-point is the command's integral; -1: it takes what the formula says.
    """

    number: int
    formula: Expression
    joint: int = -1


def complete(
    spec: mujoco.MjSpec, model: mujoco.MjModel, description: Description, twin: TwinDescription
) -> bool:
    """Give joints that commands move an actuator if they have none, as those of a URDF.

    A command in N m or N is a motor's; one in the joint's unit, or in its rate, is a servo's.

    Args:
        spec: changed.
        model: compiled of it before.
        description, twin: of the robot.

    Returns:
        Whether something was added.

    Raises:
        UserError: a servo is needed, and its stiffness is not known.
    """
    formulas = {name for each in twin.actuators.values() for name in each.names}
    names, added = names_of(model, "actuator"), False
    for limit in description.action:
        joint = twin.joints.get(limit.name, limit.name)
        number = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, joint)
        driven = model.actuator_trnid[model.actuator_trntype == JOINT, 0]
        if number < 0 or limit.name in {*formulas, *names} or number in driven:
            continue
        unit = UNITS.get(int(model.jnt_type[number]))
        actuator = spec.add_actuator(
            name=limit.name, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        if limit.unit in ("N m", "N"):
            actuator.set_to_motor()
        elif twin.servo is None or limit.unit not in (unit, f"{unit}/s"):
            raise twin.place("").error(
                f"joint '{joint}' has no actuator: expected a command in N m, or in {unit} or "
                f"{unit}/s with 'servo: {{stiffness: ..., damping: ...}}'"
            )
        else:
            # By its numbers: what `set_to_position` takes differs between MuJoCos.
            actuator.biastype = mujoco.mjtBias.mjBIAS_AFFINE
            actuator.gainprm[0] = twin.servo[0]
            actuator.biasprm[1:3] = -twin.servo[0], -twin.servo[1]
        added = True
    return added


def find_drives(
    model: mujoco.MjModel, description: Description, twin: TwinDescription
) -> tuple[Drive, ...]:
    """Return what commands move.

    Raises:
        UserError: a command moves nothing, or an actuator that is named is not there.
    """
    commands = [limit.name for limit in description.action]
    drives = [
        Drive(identity(model, "actuator", name, twin.place("actuators", name)), formula)
        for name, formula in twin.actuators.items()
    ]
    used = {name for drive in drives for name in drive.formula.names}
    for limit in description.action:
        if limit.name in used:
            continue
        number = _actuator_of(model, limit.name, twin)
        drives.append(Drive(number, Expression(limit.name, commands)))
    return tuple(_integrating(model, description, drive) for drive in drives)


def _actuator_of(model: mujoco.MjModel, command: str, twin: TwinDescription) -> int:
    """Return the actuator of a command's name, or else the only one of the joint of that name."""
    names = names_of(model, "actuator")
    if command in names:
        return names.index(command)
    joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, twin.joints.get(command, command))
    moves = model.actuator_trntype == JOINT
    found = np.flatnonzero(moves & (model.actuator_trnid[:, 0] == joint))
    if joint >= 0 and len(found) == 1:
        return int(found[0])
    raise twin.place("actuators").error(
        f"command '{command}' moves nothing in the model: expected an actuator of this name, one "
        f"of the joint of this name, or a formula in 'actuators'; the model's actuators are "
        f"{', '.join(name or '(no name)' for name in names) or 'none'}"
    )


def _integrating(model: mujoco.MjModel, description: Description, drive: Drive) -> Drive:
    """Find out whether a command is the rate of the positions that its actuator takes."""
    number, name = drive.number, drive.formula.text.strip()
    limit = next((each for each in description.action if each.name == name), None)
    servo = (
        model.actuator_biastype[number] == int(mujoco.mjtBias.mjBIAS_AFFINE)
        and model.actuator_biasprm[number, 1] < 0
        and model.actuator_dyntype[number] == int(mujoco.mjtDyn.mjDYN_NONE)
        and model.actuator_trntype[number] == JOINT
    )
    if limit is None or not servo:
        return drive
    joint = int(model.actuator_trnid[number, 0])
    unit = UNITS.get(int(model.jnt_type[joint]))
    return Drive(number, drive.formula, joint) if limit.unit == f"{unit}/s" else drive


def integrate(spec: mujoco.MjSpec, model: mujoco.MjModel, drives: tuple[Drive, ...]) -> None:
    """Let actuators integrate rates: their set-point becomes a state of MuJoCo's.

    It stays in the range that the actuator took, or else the joint's.

    Args:
        spec: changed.
        model: compiled of it before.
        drives: of the robot.
    """
    for drive in drives:
        if drive.joint < 0:
            continue
        actuator, k = spec.actuators[drive.number], drive.number
        ranges = model.actuator_ctrlrange[k], model.jnt_range[drive.joint]
        limited = bool(model.actuator_ctrllimited[k]), bool(model.jnt_limited[drive.joint])
        actuator.dyntype = mujoco.mjtDyn.mjDYN_INTEGRATOR
        actuator.inheritrange = 0.0
        actuator.ctrllimited = False
        actuator.actlimited = any(limited)
        if any(limited):
            actuator.actrange = ranges[0] if limited[0] else ranges[1]


def controls(
    drives: tuple[Drive, ...], commands: tuple[str, ...], rest: Array, motors: Array
) -> Array:
    """Return MuJoCo's controls (..., nu) for commands (..., da).

    Args:
        drives: of the robot.
        commands: names, in order.
        rest: (nu,), of actuators that no command moves.
        motors: (..., da).
    """
    values = {name: motors[..., k] for k, name in enumerate(commands)}
    found: Array = np.broadcast_to(rest, (*motors.shape[:-1], len(rest))).copy()
    for drive in drives:
        found[..., drive.number] = drive.formula(values, FUNCTIONS)
    return found
