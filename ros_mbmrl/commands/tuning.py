"""Job of `mbmrl tune`, once its arguments are checked: from the candidates to the best one."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.progress import track

from ros_mbmrl.adaptation import rule_of
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data import dataset, files
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import campaign, tables
from ros_mbmrl.evaluation.campaign import Job, Row
from ros_mbmrl.evaluation.experiments import Experiment, cells
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tune import (
    Candidate,
    Stage,
    grid_of,
    open_loop_error,
    search,
    shortlist,
)
from ros_mbmrl.robots import make_robot

if TYPE_CHECKING:
    from ros_mbmrl.arguments.tune import Tune

CANDIDATES = "candidates"
WINDOW = 16  # at which options are compared
HORIZON = 8  # of the open-loop comparison, unless the card has one
EPISODES = "tuning.jsonl"  # beside the card: every episode on which the choice is based
NOT_KEPT = ("scores", "tuning", "tuned_on", "origin")  # of a card, under other settings


@dataclass
class ClosedLoop:
    """Score of candidates: the geometric mean of cross-track [m] over an experiment's cells.

    Geometric, so that an easy condition counts as much as a hard one. `rows`: of every episode
    scored so far. `folder`: of the candidates' models, and of finished results.
    """

    loaded: LoadedModel
    method: str
    experiment: Experiment
    arguments: Tune
    folder: Path
    rows: dict[str, Row] = field(default_factory=dict)

    def __call__(self, candidates: Sequence[Candidate], seeds: int) -> list[float]:
        """Score candidates; see `learning.tune.Scorer`. Finished episodes are not run again."""
        given = self.arguments
        plan = cells(self.experiment, seeds, given.first_seed, given.duration)
        jobs = []
        for candidate in candidates:
            folder = self.folder / candidate.name
            facts = card_of(self.loaded, self.method, candidate)
            save_model(folder, self.loaded.model, self.loaded.parameters, facts, self.loaded.value)
            entrant = campaign.enter(candidate.name, folder, self.experiment.robot)
            jobs += [Job(entrant, cell) for cell in plan]
        print(f"{len(candidates)} candidates, {len(plan)} episodes each", flush=True)
        rows = campaign.run(jobs, self.folder, given.workers, given.cluster)
        self.rows |= {job.key: row for job, row in zip(jobs, rows, strict=True)}
        errors = np.array([row["cross_track_mean_m"] for row in rows])
        means = np.exp(np.log(errors.reshape(len(candidates), -1)).mean(axis=1))
        return [float(mean) for mean in means]


def tune(arguments: Tune, experiment: Experiment) -> dict[str, Any]:
    """Search, and write the model folder with the settings of the lowest cross-track error."""
    torch.set_num_threads(1)
    loaded, method, start = prepare(arguments, experiment)
    if arguments.like is not None:
        return take_over(arguments, loaded, method)
    rollouts = dataset.load(arguments.data) if arguments.data else []
    trained = set(loaded.card.get("sessions") or ()) & {r.tags.get("session") for r in rollouts}
    if trained:
        raise UserError(f"data: the model was trained on session '{sorted(trained)[0]}' of it")
    data = Transitions.of(loaded.model.robot, rollouts) if rollouts else None
    stages: list[Stage] = []
    candidates = first_choice(loaded, method, start, data, arguments.finalists, stages)
    working = arguments.out / CANDIDATES
    closed_loop = ClosedLoop(loaded, method, experiment, arguments, working)
    best, closed = search(candidates, grid_of(method), closed_loop, arguments.seeds)
    stages += closed
    record = {**origin(arguments, loaded), "stages": stages}
    _write_rows(arguments.out / EPISODES, closed_loop.rows.values())
    facts = {**card_of(loaded, method, best), "tuning": record}
    save_model(arguments.out, loaded.model, loaded.parameters, facts, loaded.value)
    shutil.rmtree(working)
    tables.wide_console().print(tables.printed(table(stages, best)))
    print(f"{arguments.out}: {best.text}")
    return {"model": str(arguments.out), "method": method, **best.settings, "tuning": record}


def take_over(arguments: Tune, loaded: LoadedModel, method: str) -> dict[str, Any]:
    """Give the model the settings that were chosen for another training seed's.

    Raises:
        UserError: the other folder's model is of another robot or method, or its card is wrong.
    """
    assert arguments.like is not None
    found = load_model(arguments.like, make_robot(loaded.model.robot.spec.name))
    other = found.card
    if other.get("method") != method:
        raise UserError(f"{arguments.like} is tuned for {other.get('method')}, not for {method}")
    guard, options = make_guard(found).config, other.get("options") or {}
    settings = Candidate(options, int(other["adapt_window"]), guard.min_transitions)
    make_guard(replace(loaded, card=card_of(loaded, method, settings)))
    record = {
        "command": shlex.join(["mbmrl", *sys.argv[1:]]),
        "like": {"folder": arguments.like.name, "seed": other.get("seed")},
    }
    facts = {**card_of(loaded, method, settings), "tuning": record}
    save_model(arguments.out, loaded.model, loaded.parameters, facts, loaded.value)
    print(f"{arguments.out}: {settings.text}")
    return {"model": str(arguments.out), "method": method, **settings.settings, "tuning": record}


def prepare(arguments: Tune, experiment: Experiment) -> tuple[LoadedModel, str, Candidate]:
    """Return the model, the method to tune on it, and the present settings. Raises UserError."""
    loaded = load_model(arguments.model, make_robot(experiment.robot))
    method = arguments.method or loaded.method
    rule, card = rule_of(loaded.card, method), loaded.card
    kept = (card.get("options") or {}) if rule.meta_trained or method == loaded.method else {}
    defaults = {name: getattr(rule, name) for name in grid_of(method).options}
    guard = make_guard(loaded).config
    start = Candidate({**kept, **defaults}, int(card["adapt_window"]), guard.min_transitions)
    # Refuses a model without the parameters that the rule needs.
    make_guard(replace(loaded, card=card_of(loaded, method, start)))
    return loaded, method, start


def first_choice(
    loaded: LoadedModel,
    method: str,
    start: Candidate,
    data: Transitions | None,
    count: int,
    stages: list[Stage],
) -> list[Candidate]:
    """Return the candidates for closed loop: `start`, and the best ones of the grid.

    Args:
        loaded: the model.
        method: to tune.
        start: the present settings.
        data: recorded data for the comparison; None: all of the coarse grid is returned.
        count: of candidates from the grid.
        stages: record, to which the open-loop errors are added.
    """
    grid = grid_of(method)
    if not grid.options:
        return [start]
    medium = start.in_window(WINDOW)
    choices = [
        replace(medium, options={**start.options, **options})
        for options in grid.all_options(coarse=data is None)
    ]
    if data is None:
        return [start, *choices]
    horizon, guard = int(loaded.card.get("horizon", HORIZON)), make_guard(loaded).config
    entered = [start, *choices]
    errors = [
        open_loop_error(method, loaded.model, loaded.parameters, data, horizon, candidate, guard)
        for candidate in track(entered, "open loop")
    ]
    rows = [
        {"name": c.name, **c.settings, "error": e} for c, e in zip(entered, errors, strict=True)
    ]
    stages.append({"stage": "open loop", "horizon": horizon, "candidates": rows})
    return [start, *shortlist(choices, errors[1:], grid, count)]


def card_of(loaded: LoadedModel, method: str, candidate: Candidate) -> dict[str, Any]:
    """Return the model's card with a candidate's settings.

    Leaves out what was said of other settings, or of another method.
    """
    card = {k: v for k, v in loaded.card.items() if k not in NOT_KEPT}
    guard = {**(card.get("guard") or {}), "min_transitions": candidate.min_transitions}
    return {
        **card,
        "method": method,
        "options": dict(candidate.options),
        "adapt_window": candidate.adapt_window,
        "guard": guard,
    }


def origin(arguments: Tune, loaded: LoadedModel) -> dict[str, Any]:
    """Return the origin of the choice: model, data, experiment."""
    robot = loaded.model.robot.spec.name
    return {
        "command": shlex.join(["mbmrl", *sys.argv[1:]]),
        "model": {
            "name": arguments.model.resolve().name,
            "method": loaded.method,
            "sha256": campaign.enter(loaded.method, arguments.model, robot).digest,
            "scores": loaded.card.get("scores"),
        },
        "data": [{"name": p.name, "sha256": files.sha256_of(p)} for p in arguments.data],
        "experiment": arguments.experiment,
        "seeds": arguments.seeds,
        "first_seed": arguments.first_seed,
        "duration": arguments.duration,
    }


def table(stages: Sequence[Stage], best: Candidate) -> Table:
    """Return a table of the candidates in closed loop, in the order of their first episode."""
    errors: dict[str, float] = {}
    tracked: dict[str, dict[int, float]] = {}
    texts: dict[str, str] = {}
    for stage in stages:
        for row in stage["candidates"]:
            name = row["name"]
            if "error" in row:
                errors[name] = row["error"]
                continue
            tracked.setdefault(name, {})[stage["seeds"]] = row["cross_track_mean_m"]
            texts[name] = Candidate(
                row["options"], row["adapt_window"], row["min_transitions"]
            ).text
    seeds = sorted({count for scores in tracked.values() for count in scores})
    rows = [
        (
            f"{texts[name]}{' *' if name == best.name else ''}",
            f"{errors[name]:.3f}" if name in errors else "",
            *(f"{100 * scores[n]:.2f}" if n in scores else "" for n in seeds),
        )
        for name, scores in tracked.items()
    ]
    columns = ("settings", "open loop", *(f"{n} seed{'s' * (n > 1)} [cm]" for n in seeds))
    return Table(columns, rows, "Mean cross-track error on validation faults (*: chosen)")


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    bare = ({k: v for k, v in row.items() if k != "trace"} for row in rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in bare))
