"""`mbmrl check`: a robot's file against itself, its messages' types, and what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.console import Console

from ros_mbmrl.data.described_topics import check_topics
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.tables import printed, wide_console
from ros_mbmrl.methods import METHODS
from ros_mbmrl.planning import PLANNERS
from ros_mbmrl.plants import check_plant, plants_of, usual_ground
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.known import ENDINGS, is_file
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.robot import DescribedRobot
from ros_mbmrl.robots.spec import Envelope
from ros_mbmrl.safety.types import SafetyConfig

if TYPE_CHECKING:
    from ros_mbmrl.arguments.check import Check

TRIED = 64  # states that the robot's maps are tried on


def run(arguments: Check) -> dict[str, Any]:
    """Check the file and print what it says. Raises UserError for the first mistake."""
    robot = checked_robot(arguments.file)
    results = _told(robot)
    _print(results, wide_console())
    return results


def checked_robot(file: Path) -> DescribedRobot:
    """Return the robot of a file that has passed every check.

    Raises:
        UserError: something in the file is wrong; one line, with file and line.
    """
    if not is_file(str(file)):
        raise UserError(f"{file}: expected a file that ends in {' or '.join(ENDINGS)}")
    robot = make_robot(robot_name(str(file)))
    assert isinstance(robot, DescribedRobot)
    description = robot.description
    check_topics(description)
    _check_names(description)
    _check_goals(description)
    _try_maps(robot)
    for plant in plants_of(description.name):
        ground = usual_ground(description.name)
        check_plant(description.name, plant, PlantOptions(terrain=ground))
    if not plants_of(description.name):
        raise UserError(
            f"{file}: it can be neither driven nor simulated: expected 'topics' or 'twin'"
        )
    return robot


def _check_names(description: Description) -> None:
    """Refuse a planner, a method or a safety threshold that there is not."""
    found = Marked.parse(description.text, str(description.file)).items()
    for key, kind, known in (("planner", "planner", PLANNERS), ("method", "method", METHODS)):
        if key in found:
            try:
                choose(kind, found[key].text(), known)
            except UserError as error:
                raise found[key].error(str(error)) from None
    try:
        SafetyConfig(**description.safety)
    except (TypeError, ValueError) as error:
        raise found["safety"].error(str(error)) from None


def _check_goals(description: Description) -> None:
    """Refuse goals at which the robot would be stopped."""
    for task in description.tasks.values():
        for name, value in task.goal.items():
            low, high = description.envelope.state_limits.get(name, (-np.inf, np.inf))
            if not low <= value <= high:
                assert task.place is not None
                told = f"goal: {name} {value:g} is outside of its limits, {low:g} to {high:g}"
                raise task.place.error(told)


def _try_maps(robot: DescribedRobot) -> None:
    """Refuse a robot whose maps give no finite numbers, or do not lead back."""
    rng = np.random.default_rng(0)
    measured = rng.normal(size=(2, TRIED, len(robot.spec.measurement)))
    states = torch.as_tensor(robot.estimate(measured[1], measured[0], robot.spec.period))
    change = robot.difference(states, states.roll(1, 0))
    back = robot.difference(states, robot.advance(states, change))
    fits = torch.allclose(back, change, atol=1e-6)
    if not (fits and robot.features(states).isfinite().all()):
        raise UserError(f"{robot.description.file}: its maps do not lead back: please report this")


def _told(robot: DescribedRobot) -> dict[str, Any]:
    description, spec = robot.description, robot.spec
    return {
        "robot": spec.name,
        "kind": description.kind,
        "period": spec.period,
        "topics": [
            {"name": each.name, "type": " or ".join(each.types)}
            for each in description.topics.values()
        ],
        "measured": [
            {"name": q.name, "unit": q.unit, "source": _source(description, q.name), "channel": c}
            for q, c in zip(spec.measurement, spec.channels, strict=True)
        ],
        "state": [quantity.name for quantity in spec.state],
        "commands": [
            {
                "name": limit.name,
                "unit": limit.unit,
                "low": limit.low,
                "high": limit.high,
                "rate": limit.rate,
                "sink": _sink(description, limit.name),
            }
            for limit in spec.action
        ],
        "features": list(spec.features),
        "changes": [quantity.name for quantity in spec.changes],
        "tasks": list(robot.tasks()),
        "envelope": _limits(spec.envelope),
        "plants": list(plants_of(spec.name)),
        "notes": _notes(description),
    }


def _limits(envelope: Envelope) -> dict[str, Any]:
    return {
        "state_timeout": envelope.state_timeout,
        "command_timeout": envelope.command_timeout,
        "arena": list(envelope.arena),
        "margin": envelope.margin,
        **{f"state_limits.{name}": list(span) for name, span in envelope.state_limits.items()},
    }


def _source(description: Description, name: str) -> str:
    if name not in description.sources:
        return "the twin"
    source = description.sources[name]
    factor = "" if source.scale == 1.0 else f" x {source.scale:g}"
    return f"{description.topics[source.topic].name}: {source.field}{factor}"


def _sink(description: Description, name: str) -> str:
    if name not in description.sinks:
        return "the twin"
    sink = description.sinks[name]
    factor = "" if sink.scale == 1.0 else f" / {sink.scale:g}"
    how = f" ({sink.integrates}, integrated)" if sink.integrates else ""
    return f"{description.topics[description.command_topic].name}: {sink.field}{factor}{how}"


def _notes(description: Description) -> list[str]:
    """Return remarks on what is allowed, but seldom meant."""
    notes = []
    used = {source.topic for source in description.sources.values()} | {description.command_topic}
    for alias in description.topics:
        if alias not in used:
            notes.append(f"topic '{alias}' is not used")
    if description.pose and not np.isfinite(description.envelope.arena).all():
        notes.append("envelope.arena: there is none, so nothing keeps the robot in its place")
    if description.topics and not description.sources:
        notes.append("nothing is measured by topics")
    limited = {*description.envelope.state_limits}
    free = [name for name in description.joints if name not in limited]
    if description.joints and free and not description.pose:
        notes.append(f"envelope.state_limits: none of {', '.join(free)}")
    return notes


def _print(told: dict[str, Any], console: Console) -> None:
    head = f"{told['robot']}: {told['kind']}, a step each {told['period']:g} s"
    console.print(head, highlight=False, markup=False)
    rows = [[q["name"], q["unit"], q["source"], q["channel"]] for q in told["measured"]]
    console.print(printed(Table(("measured", "unit", "from", "in our graph"), rows)))
    rows = [
        [c["name"], c["unit"], f"{c['low']:g}", f"{c['high']:g}", f"{c['rate']:g}", c["sink"]]
        for c in told["commands"]
    ]
    columns = ("command", "unit", "low", "high", "rate [1/s]", "to")
    console.print(printed(Table(columns, rows)))
    for name in ("state", "features", "changes", "tasks", "plants"):
        line = f"{name}: {', '.join(told[name])}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    envelope = ", ".join(f"{name} {value}" for name, value in told["envelope"].items())
    console.print(f"envelope: {envelope}", soft_wrap=True, highlight=False, markup=False)
    for note in told["notes"]:
        console.print(f"note: {note}", soft_wrap=True, highlight=False, markup=False)
