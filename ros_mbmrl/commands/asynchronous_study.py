"""`mbmrl evaluate asynchronous`: the study of asynchronous learning, from training to report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError, changed, choose
from ros_mbmrl.evaluation import tables as printing
from ros_mbmrl.evaluation.asynchronous.description import ARMS, scale_of

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate

SCALE = "small"


def run(arguments: Evaluate) -> dict[str, Any]:
    """Run the unfinished part of the study; write figures, `summary.json` and `report.html`.

    Raises:
        UserError: an unknown scale or arm, another device than the CPU, or another study's folder.
    """
    if arguments.device != "cpu":
        raise UserError(f"device: policies are trained on the CPU, got {arguments.device}")
    scale = scale_of(arguments.scale or SCALE)
    sizes = {"tests": arguments.seeds, "train_seeds": arguments.train_seeds}
    scale = changed(scale, **sizes, first_test=arguments.first_seed)
    for name in arguments.methods:
        choose("method", name, ARMS)
    arms = arguments.methods or scale.arms
    # They import torch, which takes seconds: only now that there is something to run.
    from ros_mbmrl.evaluation.asynchronous.report import tables, write_report
    from ros_mbmrl.evaluation.asynchronous.run import run_study

    rows = run_study(
        scale,
        arms,
        arguments.out,
        arguments.workers,
        arguments.cluster,
        arguments.first_train_seed,
    )
    page, summary = write_report(arguments.out, scale, rows)
    console = printing.wide_console()
    for table in tables(summary):
        console.print(printing.printed(table))
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return {"rows": rows, "summary": summary, "report": str(page)}
