"""`mbmrl import`: foreign logs into a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ros_mbmrl.data.dataset import save
from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.velociroach import import_logs
from ros_mbmrl.errors import choose

if TYPE_CHECKING:
    from ros_mbmrl.arguments.import_logs import Import

IMPORTERS: dict[str, Callable[[Path], tuple[list[Rollout], ImportSummary]]] = {
    "velociroach": import_logs,
}


def run(arguments: Import) -> dict[str, Any]:
    """Import the file, save the data set, print the marks. Raises UserError."""
    kind, file, out = arguments.kind, arguments.file, arguments.out
    choose("kind of log", kind, IMPORTERS)
    rollouts, summary = IMPORTERS[kind](file)
    digest = save(out, rollouts)
    console = Console()
    for table in summary.tables():
        console.print(table)
    console.print(f"{len(rollouts)} runs in {out}; marked transitions are kept, not trained on")
    return {"out": str(out), "robot": rollouts[0].robot, "sha256": digest, **summary.as_dict()}
