"""`mbmrl bench`: medians, peers measured in the same run, and ratios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ros_mbmrl.bench import load
from ros_mbmrl.errors import UserError

if TYPE_CHECKING:
    from ros_mbmrl.arguments.bench import Bench
    from ros_mbmrl.bench.timing import Findings

ALWAYS = ("threads", "seed")  # always have a value
OURS = ("what", "quick", "within", "json")
MOST = 8  # times the repeats, for a narrow interval


def run(arguments: Bench) -> dict[str, Any]:
    """Run one bench; return the results for `--json`. Raises UserError."""
    bench = load(arguments.what)
    config = configure(arguments, bench)
    if arguments.within is not None and not hasattr(config, "repeats"):
        raise UserError(f"{arguments.what} has no --within: expected a bench with --repeats")
    findings = measured(bench.run, config, arguments.within)
    show(arguments.what, findings)
    return findings.results


def measured(bench: Callable[[Any], Findings], config: Any, within: float | None) -> Findings:
    """Measure, with twice the repeats again until the intervals of all ratios are narrow enough.

    Args:
        bench: measures.
        config: its settings.
        within: largest half width of an interval, as a share of the value; None: once will do.

    Returns:
        The last findings; a note says which intervals are still wider after `MOST` times the
        repeats.
    """
    most = None if within is None else MOST * config.repeats
    while True:
        findings = bench(config)
        wide = [each for each in findings.figures if within is not None and each.spread > within]
        if most is None or within is None or not wide:
            return findings
        if 2 * config.repeats > most:
            told = ", ".join(f"{each.name} {100 * each.spread:.2g} %" for each in wide)
            note = f"wider than {100 * within:g} % after {config.repeats} repeats: {told}"
            return replace(findings, notes=(*findings.notes, note))
        config = replace(config, repeats=2 * config.repeats)


def configure(arguments: Bench, bench: Any) -> Any:
    """Return the bench's configuration: its sizes, and the given options. Raises UserError."""
    start = bench.QUICK if arguments.quick else bench.Config()
    known = {field.name for field in fields(start)}
    given = {
        field.name: value
        for field in fields(arguments)
        if field.name not in OURS
        and (value := getattr(arguments, field.name)) is not None
        and value is not False
    }
    for name in given:
        if name not in known and name not in ALWAYS:
            options = ", ".join(f"--{each.replace('_', '-')}" for each in sorted(known))
            option = name.replace("_", "-")
            raise UserError(f"{arguments.what} has no --{option}: expected {options}")
    try:
        return replace(start, **{name: value for name, value in given.items() if name in known})
    except ValueError as error:
        raise UserError(str(error)) from None


def show(what: str, findings: Findings) -> None:
    """Print the contenders' times, the figures with their goals, and the notes."""
    table = Table("", "median", "1 %", "99 %", "repeats", title=f"bench {what} [ms]")
    for name, seconds in findings.times.seconds.items():
        spread = [f"{1e3 * p:.4g}" for p in np.percentile(seconds, (50, 1, 99))] if seconds else []
        table.add_row(escape(name), *(spread or ["-"] * 3), str(len(seconds)))
    console = Console()
    console.print(table)
    table = Table("", "", "", "to reach")
    for figure in findings.figures:
        value = "-" if figure.value is None else f"{figure.value:.4g}"
        if figure.interval is not None:
            value += " ({:.4g} to {:.4g})".format(*figure.interval)
        table.add_row(figure.name, value, escape(figure.meaning), figure.goal)
    console.print(table)
    for note in findings.notes:
        console.print(escape(note))
