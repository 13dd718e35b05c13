"""`mbmrl evaluate` of a study on simulated robots, from learning to the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import changed, choose
from ros_mbmrl.evaluation import tables as printing
from ros_mbmrl.evaluation.study import tables
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.judge import begin_of
from ros_mbmrl.evaluation.study.report import SUMMARY, write_report
from ros_mbmrl.evaluation.study.run import Runner
from ros_mbmrl.evaluation.study.studies import (
    BY_CAUSES,
    default_methods,
    make_study,
    tells_causes,
)
from ros_mbmrl.evaluation.study.worlds import period_of, situations_of
from ros_mbmrl.methods import outside
from ros_mbmrl.runtime.device import choose_device

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate

NO_CAUSES = "what changes here is no cause that the robot names"


def run(arguments: Evaluate) -> dict[str, Any]:
    """Run the unfinished part of a study; write tables, figures and `report.html`."""
    study = make_study(arguments.experiment)
    name = arguments.scale or study.usual_scale
    scale = sized(study.at(name), arguments)
    for method in arguments.methods:
        choose("method", method, (*study.methods, *outside()))
    methods = [
        m for m in study.methods if m in (arguments.methods or default_methods(study, scale))
    ]
    methods += [m for m in dict.fromkeys(arguments.methods) if m not in methods]
    runner = Runner(
        study,
        scale,
        methods,
        arguments.out,
        arguments.workers,
        arguments.cluster,
        arguments.first_train_seed,
    )
    console = printing.wide_console()
    if scale.training.members > 1 and not arguments.methods and not tells_causes(study):
        console.print(f"without {', '.join(BY_CAUSES)}: {NO_CAUSES}", highlight=False)
    found = runner.run()
    page = write_report(
        arguments.out,
        study,
        np.random.default_rng(arguments.first_seed),
        rows=found["rows"],
        curves=found["curves"],
        errors=found["errors"],
        sensitivity=found["sensitivity"],
        forces=found["forces"],
        tuning=found["tuning"],
        gathered=found["gathered"],
        onsets=onsets(study, scale),
        protocol=protocol(study, scale),
        scale=name,
    )
    summary = json.loads((arguments.out / SUMMARY).read_text())
    for table in tables.all_tables(summary):
        console.print(printing.printed(table))
    for row in summary["hypotheses"]:
        console.print(row["sentence"], highlight=False)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return {"rows": found["rows"], "summary": summary, "report": str(page)}


def sized(scale: Scale, arguments: Evaluate) -> Scale:
    """Return the scale with the changes of the command line. Raises UserError."""
    choose_device(arguments.device)
    first = arguments.first_seed
    changes = {"episodes": arguments.seeds, "train_seeds": arguments.train_seeds}
    return changed(scale, **changes, first_episode=first, device=arguments.device)


def onsets(study: Study, scale: Scale) -> dict[str, float]:
    """Return when the change comes [s], for conditions in which it comes within an episode."""
    seconds = scale.training.steps * period_of(study)
    firsts = situations_of(study, study.conditions, [scale.first_episode], seconds)
    begins = zip(study.conditions, map(begin_of, firsts), strict=True)
    return {name: begin for name, begin in begins if begin > 0}


def protocol(study: Study, scale: Scale) -> dict[str, str]:
    """Return the sentences about budgets for the report."""
    size, most = scale.training, scale.oracle.transitions(scale.oracle.rounds)
    hours = size.transitions(size.rounds) * period_of(study) / 3600
    return {
        "Data": f"{size.transitions(size.rounds)} transitions a training seed ({hours:.1f} h of "
        f"the robot's time), random at first, then {size.rounds} rounds along the plans of a "
        "supervised model; all methods of a training seed go on from its fit, with as many "
        f"steps, on the same rollouts. The oracle learns from {most} of its own condition.",
        "Model-free": f"{scale.model_free} transitions each; MAML-RL then practises for an episode "
        "in every test situation before it is judged there.",
        "Planner": f"{scale.controller}, {dict(scale.planner)}; those that simulate: "
        f"{dict(scale.physics)}, {scale.physics_episodes} episodes a condition.",
        "Tuning": "Test-time settings were chosen on validation situations, on the model of the "
        f"first training seed, over {scale.tuning_episodes} episodes a situation.",
    }
