"""`mbmrl evaluate STUDY --models`: models that are there on a study's conditions, not learned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import tables as printing
from ros_mbmrl.evaluation.study.description import Study
from ros_mbmrl.evaluation.study.existing import (
    Entrant,
    choose_entrants,
    find_entrants,
    on_their_models,
)
from ros_mbmrl.evaluation.study.studies import make_study, tells_causes
from ros_mbmrl.methods.built_in import BUILT_IN, CHANCE
from ros_mbmrl.methods.method import Learned
from ros_mbmrl.runtime.kept import FILE

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate

REFERENCES = tuple(n for n, m in BUILT_IN.items() if m.learned is Learned.NOTHING)
ON_CAUSES = tuple(n for n, m in BUILT_IN.items() if m.learned is Learned.ANOTHERS)


def run(arguments: Evaluate) -> dict[str, Any]:
    """Judge the models of `arguments.models`; print the tables and write `models.html`.

    By default all models that are found, beside random actions; `arguments.methods` names others.

    Raises:
        UserError: no model for the study's robot, an unknown name, or a folder of a study's own.
    """
    study = make_study(arguments.experiment)
    found = find_entrants(study.robot, arguments.models)
    references = (*REFERENCES, *(ON_CAUSES if tells_causes(study) else ()))
    entrants = choose_entrants(found, arguments.methods, references)
    entrants += on_their_models(found, arguments.methods)
    alone = tuple(n for n in REFERENCES if n in (arguments.methods or (CHANCE,)))
    if (arguments.out / FILE).exists():
        raise UserError(f"{arguments.out} holds a study: expected another folder (--out)")
    # They import torch, which takes seconds: only now that there is something to run.
    from ros_mbmrl.commands.study import sized
    from ros_mbmrl.evaluation.films import of_trial, write_films
    from ros_mbmrl.evaluation.study import judging

    scale = sized(study.at(arguments.scale or study.usual_scale), arguments)
    check_models(study, entrants)
    console = printing.wide_console()
    left = [each.label for each in found if each not in entrants]
    if left and not arguments.methods:
        names = ", ".join(dict.fromkeys(left))
        console.print(f"left out, --methods can name them: {names}", highlight=False)
    job = judging.Judging(study, scale, entrants, alone, arguments.out)
    rows = job.rows(arguments.workers, arguments.cluster)
    summary = judging.summarise(study, rows, np.random.default_rng(arguments.first_seed))
    for table in judging.tables(summary):
        console.print(printing.printed(table))
    page = judging.write_models_page(arguments.out, summary)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    films = []
    if arguments.video:
        named = [(name, partial(of_trial, trial)) for name, trial in job.first_trials()]
        films = [str(path) for path in write_films(arguments.out, named)]
    return {"rows": rows, "summary": summary, "report": str(page), "films": films}


def check_models(study: Study, entrants: Sequence[Entrant]) -> None:
    """Load every model once, before any is run. Raises UserError for one that cannot be."""
    from ros_mbmrl.adaptation.guard import make_guard
    from ros_mbmrl.dynamics.files import load_model
    from ros_mbmrl.methods import make_method
    from ros_mbmrl.policies.files import load_policy
    from ros_mbmrl.robots import make_robot

    robot = make_robot(study.robot)
    for each in entrants:
        if make_method(each.method).learned is Learned.POLICY:
            load_policy(each.folder, robot)
        else:
            make_guard(load_model(each.folder, robot))
