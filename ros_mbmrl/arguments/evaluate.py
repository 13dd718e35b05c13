"""Arguments of `mbmrl evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional


@dataclass(frozen=True)
class Evaluate:
    """Closed-loop experiment over methods, conditions and seeds: table, plots, report."""

    experiment: Positional[str]
    """hexapod-terrains, hexapod-ood, or hexapod-validation, which settings are chosen on."""
    methods: tuple[str, ...] = ()
    """Methods to compare; the experiment's own that every folder has if none is named."""
    models: tuple[Path, ...] = ()
    """Folders of model folders named by method, one a training seed; by default the shipped one."""
    versus: tuple[str, ...] = ("mb", "mb_de")
    """Opponents that the ratios are to, those of them that take part."""
    seeds: int = 3
    """Paired episodes a condition."""
    first_seed: int = 1000
    """The first of them."""
    duration: float = 20.0
    """Length of an episode [s]."""
    out: Path = Path("runs/evaluate")
    """Folder of the report; finished episodes in it are not run again."""
    workers: int = 2
    """Processes that run episodes, one thread each."""
    cluster: str = ""
    """Run them as tasks of ray (the extra cluster): an address, `auto`, or `local`."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Runs the episodes and writes the report."""
        from ros_mbmrl.commands import evaluate

        return evaluate.run(self)
