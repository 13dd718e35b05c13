"""`mbmrl import`: foreign logs into a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from ros_mbmrl.data.dataset import save
from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.velociroach import import_logs
from ros_mbmrl.errors import choose

IMPORTERS: dict[str, Callable[[Path], tuple[list[Rollout], ImportSummary]]] = {
    "velociroach": import_logs,
}


def run(kind: str, file: Path, out: Path) -> dict[str, Any]:
    """Import `file`, save the data set in `out`, print what was marked. Raises UserError."""
    choose("kind of log", kind, IMPORTERS)
    rollouts, summary = IMPORTERS[kind](file)
    digest = save(out, rollouts)
    console = Console()
    for table in summary.tables():
        console.print(table)
    console.print(f"{len(rollouts)} runs in {out}; marked transitions are kept, not trained on")
    return {"out": str(out), "robot": rollouts[0].robot, "sha256": digest, **summary.as_dict()}
