"""`mbmrl evaluate` of a study of policies, from training to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import UserError, changed, choose
from ros_mbmrl.evaluation import tables as printing
from ros_mbmrl.evaluation.policies.description import PolicyStudy, Scale
from ros_mbmrl.evaluation.policies.studies import make_policy_study

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ros_mbmrl.arguments.evaluate import Evaluate
    from ros_mbmrl.evaluation.policies.training import Row

SCALE = "small"


def run(arguments: Evaluate) -> dict[str, Any]:
    """Run the unfinished part of a study; write figures, `summary.json` and `report.html`.

    They are written after each point of the curves, too: one that is interrupted has a report.

    Raises:
        UserError: an unknown scale or entry, a size that is none, an entry whose method is not
            installed, another device than the CPU, or a folder of another study.
    """
    study = make_policy_study(arguments.experiment)
    scale = sized(study.at(arguments.scale or SCALE), arguments)
    names, missing = chosen(study, scale, arguments)
    # They import torch, which takes seconds: only now that there is something to run.
    from ros_mbmrl.evaluation.policies import tables
    from ros_mbmrl.evaluation.policies.report import write_report
    from ros_mbmrl.evaluation.policies.run import Runner

    console = printing.wide_console()
    for name in missing:
        console.print(f"without {name}: it is not installed", highlight=False)
    runner = Runner(
        study,
        scale,
        names,
        arguments.out,
        arguments.workers,
        arguments.cluster,
        arguments.first_train_seed,
    )

    def reported(rows: list[Row], times: Sequence[Row] = ()) -> tuple[Path, dict[str, Any]]:
        rng = np.random.default_rng(arguments.first_seed)
        return write_report(arguments.out, study, scale, rows, rng, missing, times)

    rows = runner.run(reported)
    page, summary = reported(rows, runner.adaptation_times())
    for table in tables.all_tables(summary, {each.name: each.look for each in study.entries}):
        console.print(printing.printed(table))
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return {"rows": rows, "summary": summary, "report": str(page)}


def sized(scale: Scale, arguments: Evaluate) -> Scale:
    """Return the scale with the changes of the command line. Raises UserError."""
    if arguments.device != "cpu":
        raise UserError(f"device: policies are trained on the CPU, got {arguments.device}")
    for name in arguments.environments:
        choose("environment", name, scale.environments)
    places = tuple(each for each in scale.environments if each in arguments.environments) or None
    changes = {"tests": arguments.seeds, "train_seeds": arguments.train_seeds}
    return changed(scale, **changes, environments=places, first_test=arguments.first_seed)


def chosen(
    study: PolicyStudy, scale: Scale, arguments: Evaluate
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the entries that take part, and those of the scale that are not installed.

    Raises:
        UserError: a named entry is unknown, not installed, or not trained on any environment.
    """
    for name in arguments.methods:
        choose("method", name, [entry.name for entry in study.entries])
        if not study.entry(name).there:
            raise UserError(f"method '{name}' is not installed: expected another entry")
        if not any(study.pairs(scale, (name,))):
            places = ", ".join(scale.environments)
            raise UserError(f"method '{name}' is drawn on none of {places}: expected another entry")
    wanted = arguments.methods or scale.entries
    entries = [entry for entry in study.entries if entry.name in wanted]
    there = tuple(entry.name for entry in entries if entry.there)
    return there, tuple(entry.name for entry in entries if not entry.there)
