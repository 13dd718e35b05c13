"""View of a session for the operator, as one picture for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ros_mbmrl.collection.keyboard import HELP
from ros_mbmrl.collection.session import Session
from ros_mbmrl.robots.spec import Robot

_COLOURS: Mapping[str, str] = {"RUN": "green", "LIMITED": "yellow", "LATCHED": "bold red"}


@dataclass(frozen=True)
class Status:
    """Status of a session for the operator.

    Args:
        level, reasons: of the safety monitor.
        rate: of the control steps [Hz]; nan: unknown.
        age: of the newest state's oldest part [s]; nan: unknown.
        seconds: of the run [s].
        drops: missed periods, by cause.
        counters: of the plant's wires.
        hands: why the operator's keys or buttons do not count.
    """

    robot: Robot
    session: Session
    level: str
    reasons: tuple[str, ...]
    rate: float
    age: float
    seconds: float
    drops: Mapping[str, int]
    counters: Mapping[str, int | float]
    hands: str = ""


def render(status: Status, keys: bool = True) -> RenderableType:
    """Return the picture, with help for the keys if `keys`."""
    parts: list[RenderableType] = [_facts(status), "", _terrains(status)]
    if keys:
        parts += ["", Text(HELP, style="dim")]
    session = status.session
    return Panel(Group(*parts), title=f"collect: {status.robot.spec.name}", subtitle=doing(session))


def doing(session: Session) -> str:
    """Return the present activity in a line."""
    running = session.episodes.running
    if running is not None:
        return f"episode {running.index} on {running.terrain}: {running.seconds:.1f} s"
    return "going to the middle" if session.returning else "between episodes"


def line(status: Status) -> str:
    """Return the status in one line of text, for a log."""
    minutes = ", ".join(f"{name} {value:.1f} min" for name, _, value in _rows(status.session))
    drops = sum(status.drops.values())
    return (
        f"{doing(status.session)}; {status.rate:.1f} Hz, age {1000 * status.age:.0f} ms, "
        f"{drops} drops, {status.level}; {minutes or 'nothing kept yet'}"
    )


def _facts(status: Status) -> Table:
    session = status.session
    level = Text(status.level, style=_COLOURS.get(status.level, "yellow"))
    reasons = "; ".join(status.reasons)
    facts = Table.grid(padding=(0, 2))
    facts.add_row("now", Text(doing(session), style="bold"))
    facts.add_row("source", session.source)
    facts.add_row("terrain", session.terrain)
    facts.add_row("safety", Text.assemble(level, f"  {reasons}" if reasons else ""))
    facts.add_row("rate", f"{_number(status.rate, '.1f')} Hz for {status.seconds:.0f} s")
    facts.add_row("age", f"{_number(1000 * status.age, '.0f')} ms")
    facts.add_row("drops", ", ".join(f"{name} {count}" for name, count in status.drops.items()))
    if status.hands:
        facts.add_row("hands", Text(status.hands, style="yellow"))
    if status.counters:
        counted = (f"{name} {value:g}" for name, value in status.counters.items())
        facts.add_row("wires", ", ".join(counted))
    return facts


def _terrains(status: Status) -> Table:
    table = Table("terrain", "episodes", "minutes", box=None, padding=(0, 2))
    for name, episodes, minutes in _rows(status.session):
        table.add_row(name, str(episodes), f"{minutes:.2f}")
    table.add_row("discarded", str(status.session.episodes.discarded), "", style="dim")
    return table


def _rows(session: Session) -> list[tuple[str, int, float]]:
    return [
        (name, tally.episodes, tally.seconds / 60)
        for name, tally in session.episodes.tallies.items()
    ]


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"
