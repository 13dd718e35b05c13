"""`mbmrl launch`: a graph of nodes as processes, and the report of an adapt run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ros_mbmrl import bringup, supervisor
from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.launch_arguments import ARGUMENTS, parse

if TYPE_CHECKING:
    from ros_mbmrl.arguments.launch import Launch


def run(arguments: Launch) -> dict[str, Any]:
    """Run the graph until it ends, or list its arguments."""
    if arguments.show_args:
        show_arguments(arguments.graph)
        return {}
    return start(arguments.graph, arguments.arguments)


@dataclass(frozen=True)
class Ran:
    """A run of an adapt graph that ended well and is to be reported on.

    Args:
        folder: of its recording and of the report.
        method: its name.
        scenario: what it shares with the other runs of the folder.
        process: what only the supervisor knows of it.
    """

    folder: Path
    method: str
    scenario: Mapping[str, str]
    process: Mapping[str, Any]


def start(graph: str, words: Sequence[str]) -> dict[str, Any]:
    """Run the graph until it ends; with report:=DIR, write and show the report of that run."""
    results, ran = drive(graph, words)
    return results if ran is None else results | report([ran])


def drive(graph: str, words: Sequence[str]) -> tuple[dict[str, Any], Ran | None]:
    """Run the graph until it ends.

    Args:
        graph: its name.
        words: its arguments, `name:=value`.

    Returns:
        What the supervisor saw; and with report:=DIR, what a report is made of.

    Raises:
        UserError: bad words.
        RunError: the run failed.
    """
    arguments = parse(graph, words)
    summary = supervisor.launch(graph, words)
    if summary.status == 2:
        raise UserError(summary.reason)
    if summary.status != 0:
        raise RunError(summary.reason)
    if not arguments.get("report"):
        return asdict(summary), None
    process = {
        "first_command_s": summary.first_command_seconds,
        "peak_rss_mb": round(summary.peak_rss_bytes / 2**20),
    }
    scenario = dict(word.split(":=", 1) for word in bringup.scenario(arguments))
    ran = Ran(Path(arguments["report"]), arguments["method"], scenario, process)
    return asdict(summary), ran


def report(runs: Sequence[Ran]) -> dict[str, Any]:
    """Write the report on runs of one folder, show it, and return its results."""
    from ros_mbmrl.evaluation.graph_report import PAGE, write_report

    folder, scenario = runs[-1].folder, runs[-1].scenario
    process = {ran.method: ran.process for ran in runs}
    results: dict[str, Any] = write_report(folder, scenario, process)["results"]
    show(results)
    print(f"open {folder / PAGE}")
    return results


def show(results: Mapping[str, Any]) -> None:
    """Print the report's sentence, and its figures as a table."""
    from ros_mbmrl.evaluation.graph_report import shown

    console, methods = Console(), results["methods"]
    console.print(
        f"\n{escape(results['sentence'])}\n", style="bold", highlight=False, soft_wrap=True
    )
    table = Table("", *methods, title="the whole graph")
    for label, *texts in shown(methods):
        table.add_row(escape(label), *texts)
    console.print(table)


def show_arguments(graph: str) -> None:
    """Print the graph's arguments."""
    choose("graph", graph, ARGUMENTS)
    for argument in ARGUMENTS[graph]:
        choices = f" ({'|'.join(argument.choices)})" if argument.choices else ""
        print(f"{argument.name}:={argument.default}    {argument.help}{choices}")
