"""`mbmrl evaluate base-ablation`: what each part of the base of the studies' MB is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.commands.study import sized
from ros_mbmrl.evaluation import tables
from ros_mbmrl.evaluation.html import write_page
from ros_mbmrl.evaluation.study import ablation
from ros_mbmrl.evaluation.study.studies import make_study

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate

TITLE = "MB without one part of its base"


def run(arguments: Evaluate) -> dict[str, Any]:
    """Run the unfinished part of the ablation; print its table and write `report.html`."""
    study = make_study(ablation.STUDY)
    scale = ablation.shortened(sized(study.at(arguments.scale or ablation.SCALE), arguments))
    rows = ablation.ablate(
        study,
        scale,
        arguments.out,
        workers=arguments.workers,
        first_train_seed=arguments.first_train_seed,
    )
    table = ablation.table(rows, np.random.default_rng(arguments.first_seed))
    console, page = tables.wide_console(), arguments.out / "report.html"
    console.print(tables.printed(table))
    write_page(page, TITLE, [("Returns", [table])])
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return {"rows": rows, "summary": [list(row) for row in table.rows], "report": str(page)}
