"""`mbmrl bench`: medians, peers measured in the same run, and ratios."""

from __future__ import annotations

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
OURS = ("what", "quick", "json")


def run(arguments: Bench) -> dict[str, Any]:
    """Run one bench; return the results for `--json`. Raises UserError."""
    bench = load(arguments.what)
    config = configure(arguments, bench)
    findings: Findings = bench.run(config)
    show(arguments.what, findings)
    return findings.results


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
        table.add_row(figure.name, value, escape(figure.meaning), figure.goal)
    console.print(table)
    for note in findings.notes:
        console.print(escape(note))
