"""`mbmrl new`: a robot's file to begin with, from answers, options, a bag, a URDF or a model."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ros_mbmrl.data.bag_draft import bag_draft
from ros_mbmrl.data.described_topics import check_topics
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.robots.described.description import ARM, PLANAR
from ros_mbmrl.robots.described.draft import Draft, text_of
from ros_mbmrl.robots.described.drafts import (
    ARM_PERIOD,
    BASE_PERIOD,
    ODOMETRY,
    SPEED,
    TAKES,
    TURN,
    Joint,
    base_draft,
    joints_draft,
    usual_controller,
)
from ros_mbmrl.robots.described.reading import NAME, parse_description
from ros_mbmrl.robots.described.sources import TWIST
from ros_mbmrl.robots.described.urdf_draft import urdf_joints

if TYPE_CHECKING:
    from ros_mbmrl.arguments.new import New

OPTIONS = ("kind", "state", "command", "command_type", "joints", "takes")
SOURCES = ("from_bag", "from_urdf", "from_mjcf")
# Which options each source has a use for; all have one for the others.
HEEDED: Mapping[str, tuple[str, ...]] = {
    "from_bag": ("state", "command", "takes"),
    "from_urdf": ("state", "command", "command_type", "joints", "takes"),
    "from_mjcf": (),
    PLANAR: ("kind", "state", "command", "command_type"),
    ARM: OPTIONS,
}


def run(arguments: New) -> dict[str, Any]:
    """Write the file and say what to do next. Raises UserError."""
    name = arguments.name
    if not NAME.fullmatch(name):
        raise UserError(f"name: expected small letters, digits and _, a letter first, got '{name}'")
    if name in ROBOTS and ROBOTS.is_code(name):
        raise UserError(f"name: '{name}' is a robot of Python code: expected another name")
    out = arguments.out or Path(f"{name}.yaml")
    if out.suffix not in (".yaml", ".yml"):
        raise UserError(f"{out}: expected a file that ends in .yaml or .yml")
    if out.exists():
        raise UserError(f"{out}: is there already: expected a new file")
    text = text_of(_limited(_draft(arguments, out), arguments.largest))
    check_topics(parse_description(text, out))
    _write(out, text)
    say = Console()
    for line in (f"written: {out}", "look at its limits, then:", f"mbmrl check robot {out}"):
        say.print(line, soft_wrap=True, highlight=False, markup=False)
    return {"robot": name, "file": str(out)}


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UserError(f"{path}: is there already: expected a new file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def _draft(arguments: New, out: Path) -> Draft:
    given = [each for each in SOURCES if getattr(arguments, each) is not None]
    if len(given) > 1:
        raise UserError(f"expected one of {', '.join(map(_option, SOURCES))}")
    if given:
        _refuse_unheeded(arguments, given[0], _option(given[0]))
    if arguments.from_bag is not None:
        return bag_draft(
            arguments.from_bag,
            arguments.name,
            arguments.period,
            arguments.takes or "",
            arguments.state or "",
            arguments.command or "",
        )
    if arguments.from_mjcf is not None:
        from ros_mbmrl.simulation.model_draft import model_draft

        shown = os.path.relpath(arguments.from_mjcf, out.parent)
        return model_draft(arguments.from_mjcf, arguments.name, arguments.period, shown)
    if arguments.from_urdf is not None:
        return _urdf(arguments, arguments.from_urdf)
    return _asked(arguments)


def _refuse_unheeded(arguments: New, source: str, told: str) -> None:
    """Refuse options that a source has no use for."""
    for option in OPTIONS:
        if option not in HEEDED[source] and getattr(arguments, option) not in (None, ()):
            raise UserError(f"{_option(option)} is not heeded with {told}: expected it left out")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _urdf(arguments: New, path: Path) -> Draft:
    joints = urdf_joints(path)
    if arguments.joints:
        for each in arguments.joints:
            choose(f"joint of {path}", each, [joint.name for joint in joints])
        order = {joint.name: joint for joint in joints}
        joints = [order[each] for each in arguments.joints]
    controlled: list[str] = [each.takes for each in joints if each.takes]
    takes: str = arguments.takes or (controlled or ["velocity"])[0]
    draft = _joints(arguments, joints, takes)
    return replace(draft, origin=f"Draft from {path.name}: its joints, as {takes}.")


def _joints(arguments: New, joints: Sequence[Joint], takes: str) -> Draft:
    topic, kind = usual_controller(takes)
    return joints_draft(
        arguments.name,
        joints,
        takes,
        period=arguments.period or ARM_PERIOD,
        states=arguments.state or "/joint_states",
        command=(arguments.command or topic, arguments.command_type or kind),
    )


def _asked(arguments: New) -> Draft:
    """Return the draft of what options and answers say."""
    kind = arguments.kind or ask("kind", "What is it? planar_base or arm", PLANAR)
    choose("kind", kind, (PLANAR, ARM))
    _refuse_unheeded(arguments, kind, f"a {kind}")
    usual = BASE_PERIOD if kind == PLANAR else ARM_PERIOD
    period = arguments.period or _number(ask("period", "Control period [s]", f"{usual:g}"))
    told = replace(arguments, period=period)
    return _asked_base(told) if kind == PLANAR else _asked_arm(told)


def _asked_base(arguments: New) -> Draft:
    state = arguments.state or ask("state", "Topic of its odometry", "/odom")
    command = arguments.command or ask("command", "Topic of its commands", "/cmd_vel")
    largest = arguments.largest
    if not largest:
        speed = _number(ask("largest", "Largest speed [m/s]", f"{SPEED:g}"))
        largest = (speed, _number(ask("largest", "Largest yaw rate [rad/s]", f"{TURN:g}")))
    return base_draft(
        arguments.name,
        period=arguments.period or BASE_PERIOD,
        odom=(state, ODOMETRY),
        drive=(command, arguments.command_type or TWIST),
        limits={n: (-v, v) for n, v in zip(("speed", "yaw_rate"), largest, strict=False)},
    )


def _asked_arm(arguments: New) -> Draft:
    names = arguments.joints or tuple(
        each.strip() for each in ask("joints", "Names of its joints, by commas", "").split(",")
    )
    if not all(names):
        raise UserError("joints: expected names of joints")
    if len(set(names)) < len(names):
        raise UserError("joints: expected each name once")
    takes = arguments.takes or ask("takes", f"What its controller takes: {', '.join(TAKES)}", "")
    choose("command", takes, TAKES)
    state = arguments.state or ask("state", "Topic of the joints' states", "/joint_states")
    usual = usual_controller(takes)[0]
    command = arguments.command or ask("command", "Topic of the controller", usual)
    told = replace(arguments, state=state, command=command)
    return _joints(told, [Joint(each) for each in names], takes)


def _limited(draft: Draft, largest: Sequence[float]) -> Draft:
    """Return the draft with other largest commands: one for all, or one each."""
    if not largest:
        return draft
    if len(largest) not in (1, len(draft.commands)):
        told = f"expected 1 or {len(draft.commands)} numbers, got {len(largest)}"
        raise UserError(f"largest: {told}")
    each = tuple(largest) if len(largest) > 1 else tuple(largest) * len(draft.commands)
    commands = tuple(
        # A command in one direction alone, as a thruster's, stays one.
        replace(command, low=-most if command.low < 0 else 0.0, high=most, note="")
        for command, most in zip(draft.commands, each, strict=True)
    )
    return replace(draft, commands=commands)


def ask(option: str, question: str, usual: str) -> str:
    """Return the answer on the terminal, or the usual one.

    Raises:
        UserError: there is no terminal and no usual answer: the message names the option.
    """
    if not (sys.stdin is not None and sys.stdin.isatty()):
        if usual:
            return usual
        raise UserError(f"expected --{option}: there is no terminal to ask on")
    hint = f" [{usual}]" if usual else ""
    try:
        return input(f"{question}{hint}: ").strip() or usual
    except EOFError:
        raise UserError(f"expected an answer, or --{option}") from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise UserError(f"expected a number above 0, got '{text}'")
    return value
