"""A robot's draft from a MuJoCo model: joints, ranges and actuators; the model is its twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import ARM, FLOATING, GENERAL
from ros_mbmrl.robots.described.draft import Draft, DraftCommand, goal, identifier, quoted
from ros_mbmrl.robots.described.drafts import ARM_PERIOD, EFFORT, JOINT
from ros_mbmrl.simulation.engine import mujoco

HINGE, SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
FREE = int(mujoco.mjtJoint.mjJNT_FREE)
AFFINE = int(mujoco.mjtBias.mjBIAS_AFFINE)


def model_draft(path: Path, name: str, period: float | None = None, shown: str = "") -> Draft:
    """Return the draft of the robot of an MJCF.

    Commands are the model's actuators. A robot with a free joint is a floating base.

    Args:
        path: of the model.
        name: of the robot.
        period: [s]; None: the usual one.
        shown: path of the model as its file has it; empty: `path`.

    Raises:
        UserError: MuJoCo does not load it, it has no actuator, or a part has no name.
    """
    model = _loaded(path)
    if model.nu == 0:
        raise UserError(f"{path}: the model has no actuator: expected at least one")
    joints = _joints(model, path)
    own = _actuators(model, path)
    names, actuators = list(joints), list(own)
    limits = {n: _range(model, k) for n, k in joints.items() if model.jnt_limited[k]}
    twin = [f"model: {quoted(shown or str(path))}"]
    twin += _renames("joints", {n: model.joint(k).name for n, k in joints.items()})
    twin += _renames("actuators", {own[n]: n for n in actuators})
    free = any(int(kind) == FREE for kind in model.jnt_type)
    draft = Draft(
        name=name,
        kind=FLOATING if free else ARM,
        period=period or ARM_PERIOD,
        origin=f"Draft from the model {path.name}.",
        commands=tuple(_command(model, k, n, path) for k, n in enumerate(actuators)),
        limits=limits,
        tasks=() if free else (goal("middle", names, limits),),
        twin=tuple(twin),
    )
    slides = {int(model.jnt_type[k]) == SLIDE for k in joints.values()}
    if len(slides) > 1:
        kind = FLOATING if free else GENERAL
        return replace(draft, kind=kind, measured=_measured(model, joints))
    endless = () if slides == {True} else tuple(n for n in names if n not in limits)
    unit = "m" if slides == {True} else "rad"
    return replace(draft, joints=tuple(names), endless=endless, unit=unit)


def _joints(model: Any, path: Path) -> dict[str, int]:
    """Return the joints that turn or slide, by their names in the file."""
    places = [k for k in range(model.njnt) if int(model.jnt_type[k]) in (HINGE, SLIDE)]
    names = _unique([_named(model.joint(k).name, "a joint", path) for k in places])
    return dict(zip(names, places, strict=True))


def _actuators(model: Any, path: Path) -> dict[str, str]:
    """Return the actuators' names in the model, by those in the file."""
    own = [_named(model.actuator(k).name, "an actuator", path) for k in range(model.nu)]
    return dict(zip(_unique(own), own, strict=True))


def _loaded(path: Path) -> Any:
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except (ValueError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: not a model that MuJoCo loads ({said})") from None


def _named(text: str, kind: str, path: Path) -> str:
    if not text:
        raise UserError(f"{path}: {kind} has no name: give it one")
    return text


def _unique(texts: list[str]) -> list[str]:
    """Return names of letters, digits and _, each once."""
    found: list[str] = []
    for text in texts:
        own = text if text.isidentifier() else identifier(text)
        while own in found:
            own += "_"
        found.append(own)
    return found


def _range(model: Any, joint: int) -> tuple[float, float]:
    low, high = model.jnt_range[joint]
    return float(low), float(high)


def _renames(section: str, pairs: dict[str, str]) -> list[str]:
    """Return the lines of a section of names that differ."""
    other = {key: value for key, value in pairs.items() if key != value}
    if not other:
        return []
    listed = ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in other.items())
    return [f"{section}: {{{listed}}}"]


def _measured(model: Any, joints: Mapping[str, int]) -> dict[str, str]:
    units = {n: "m" if int(model.jnt_type[k]) == SLIDE else "rad" for n, k in joints.items()}
    places = {n: f"{{unit: {unit}}}" for n, unit in units.items()}
    return {**places, **{f"{n}_velocity": f"{{unit: {unit}/s}}" for n, unit in units.items()}}


def _command(model: Any, actuator: int, name: str, path: Path) -> DraftCommand:
    """Return a command in the actuator's unit: of a motor effort, of a servo what it holds."""
    joint = int(model.actuator_trnid[actuator, 0])
    slides = int(model.jnt_type[joint]) == SLIDE
    bias = model.actuator_biasprm[actuator]
    servo = int(model.actuator_biastype[actuator]) == AFFINE
    place, rate, effort = ("m", "m/s", "N") if slides else ("rad", "rad/s", "N m")
    unit = place if servo and bias[1] else rate if servo and bias[2] else effort
    low, high = map(float, model.actuator_ctrlrange[actuator])
    note = ""
    if not (model.actuator_ctrllimited[actuator] and low < high):
        usual = JOINT if unit != effort else EFFORT
        low, high, note = -usual, usual, "the model has no range: LOOK AT IT"
    if not low <= 0.0 <= high:
        told = f"expected a range with 0 in it, got {low:g} to {high:g}"
        raise UserError(f"{path}: actuator '{name}': {told}")
    return DraftCommand(name, unit, low, high, note=note)
