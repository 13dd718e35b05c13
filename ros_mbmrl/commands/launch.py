"""`mbmrl launch`: a graph of nodes as processes, and the report of an adapt run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
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


def start(graph: str, words: Sequence[str]) -> dict[str, Any]:
    """Run the graph until it ends; with report:=DIR, write the report of that run."""
    arguments = parse(graph, words)
    summary = supervisor.launch(graph, words)
    results = asdict(summary)
    if summary.status == 2:
        raise UserError(summary.reason)
    if summary.status != 0:
        raise RunError(summary.reason)
    if arguments.get("report"):
        from ros_mbmrl.evaluation.graph_report import write_report

        method = arguments["method"]
        process = {
            "first_command_s": summary.first_command_seconds,
            "peak_rss_mb": round(summary.peak_rss_bytes / 2**20),
        }
        scenario = dict(word.split(":=", 1) for word in bringup.scenario(arguments))
        report = write_report(Path(arguments["report"]), scenario, {method: process})
        results |= report["results"]
        show(report["results"]["methods"])
    return results


def show(methods: dict[str, dict[str, Any]]) -> None:
    """Print the report's figures as a table."""
    from ros_mbmrl.evaluation.graph_report import shown

    table = Table("", *methods, title="the whole graph")
    for label, *texts in shown(methods):
        table.add_row(escape(label), *texts)
    Console().print(table)


def show_arguments(graph: str) -> None:
    """Print the graph's arguments."""
    choose("graph", graph, ARGUMENTS)
    for argument in ARGUMENTS[graph]:
        choices = f" ({'|'.join(argument.choices)})" if argument.choices else ""
        print(f"{argument.name}:={argument.default}    {argument.help}{choices}")
