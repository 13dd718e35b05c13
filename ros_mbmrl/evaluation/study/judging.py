"""Judgement of models that are there on a study's test conditions; nothing is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.campaign import finish
from ros_mbmrl.evaluation.html import Section, Table, write_page
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study import reaction
from ros_mbmrl.evaluation.study.bootstrap import Sample
from ros_mbmrl.evaluation.study.comparisons import RETURN, Evidence, chosen, values
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.existing import Entrant
from ros_mbmrl.evaluation.study.judge import Trial, judge
from ros_mbmrl.evaluation.study.reaction import with_error
from ros_mbmrl.evaluation.study.report import of_causes
from ros_mbmrl.evaluation.study.run import digest
from ros_mbmrl.evaluation.study.tables import of_causes as tables_of_causes
from ros_mbmrl.methods import look, make_method

PAGE = "models.html"
ERRORS = ("prediction_error_prior", "prediction_error_adapted")


@dataclass(frozen=True)
class Judging:
    """Models and references on the conditions of a study, at the planner of a scale.

    Args:
        study, scale: whose conditions, episodes and planner.
        entrants: the models.
        references: methods that need no training.
        out: folder of the finished episodes; those in it are not run again.
    """

    study: Study
    scale: Scale
    entrants: tuple[Entrant, ...]
    references: tuple[str, ...]
    out: Path

    def rows(self, workers: int = 2, cluster: str = "") -> list[dict[str, Any]]:
        """Return a row an episode, whose `method` is the model's name. See `workers.outcomes`."""
        named = self._named()
        jobs = [job for _, _, trials in named for job in trials]
        known = finish(jobs, judge, self.out / "judge", workers, cluster, "judge")
        return [
            {**row, "method": label, "train_seed": seed}
            for label, seed, trials in named
            for job in trials
            for row in known[job.key]["rows"]
        ]

    def first_trials(self) -> list[tuple[str, Trial]]:
        """Return the name and the first trial of everything that is judged."""
        return [(label, trials[0]) for label, _, trials in self._named()]

    def _named(self) -> list[tuple[str, int | None, list[Trial]]]:
        """Return name, training seed and trials of everything that is judged."""
        return [
            *((each.label, each.train_seed, self._trials(each)) for each in self.entrants),
            *((name, None, self._reference(name)) for name in self.references),
        ]

    def _trials(self, each: Entrant) -> list[Trial]:
        found = digest(each.folder)
        return [
            self._trial(each.method, each.train_seed or 0, condition, each.folder, found)
            for condition in self.study.conditions
        ]

    def _reference(self, name: str) -> list[Trial]:
        return [self._trial(name, 0, condition) for condition in self.study.conditions]

    def _trial(
        self, method: str, seed: int, condition: str, folder: Path | None = None, found: str = ""
    ) -> Trial:
        scale, episodes = self.scale, self.scale.episodes
        if make_method(method).simulates:
            episodes = min(episodes, scale.physics_episodes)
        what = (self.study.name, scale, method, seed, (condition,))
        return Trial(*what, scale.first_episode, episodes, self.out, folder, found)


def summarise(study: Study, rows: Sequence[Row], rng: Generator) -> dict[str, Any]:
    """Return all that the tables show: study, title, returns, and parts as of a study's summary.

    returns: a row for each condition and model: the mean return over training seeds and episodes
    with its standard error, and the mean errors of the model on what it did, of one step, before
    and after the update; None of what has no model.
    """
    methods = unique(rows, "method")
    returns = []
    for condition in unique(rows, "condition"):
        for method in methods:
            own = chosen(rows, method, [condition])
            sample = Sample.of(values(own, RETURN))
            returns.append(
                {
                    "method": method,
                    "condition": condition,
                    "n_train_seeds": len(sample.seeds),
                    "n_episodes": sample.n_episodes,
                    "return": sample.mean,
                    "standard_error": sample.standard_error,
                    **{name: _mean(own, name) for name in ERRORS},
                    "safety_stops": sum(row["safety_stops"] > 0 for row in own),
                }
            )
    return {
        "study": study.name,
        "title": study.title,
        "returns": returns,
        reaction.BY_WINDOW: reaction.reactions(rows, methods),
        **of_causes(Evidence(rows), methods, rng),
    }


def _mean(rows: Sequence[Row], name: str) -> float | None:
    known = [row[name] for row in rows if name in row]
    return float(np.mean(known)) if known else None


def tables(summary: Row) -> list[Table]:
    """Return the tables of a summary."""
    windows = reaction.table(summary[reaction.BY_WINDOW])
    several = (returns(summary["returns"]), windows, *tables_of_causes(summary))
    return [table for table in several if table.rows]


def returns(rows: Sequence[Row]) -> Table:
    """Return the returns: a line a model, a column a condition."""
    conditions = unique(rows, "condition")
    cells = []
    for method in unique(rows, "method"):
        own = [row for row in rows if row["method"] == method]
        first, stops = own[0], sum(row["safety_stops"] for row in own)
        errors = [np.mean([r[name] for r in own]) for name in ERRORS if first[name] is not None]
        cells.append(
            (
                look(method).name,
                *(with_error(row["return"], row["standard_error"]) for row in own),
                " > ".join(f"{error:.3g}" for error in errors),
                f"{first['n_train_seeds']} x {first['n_episodes']}",
                str(stops),
            )
        )
    columns = ("model", *conditions, "error before > after", "training seeds x episodes", "stops")
    caption = (
        "Mean return, standard errors over training seeds and episodes in brackets; error: of one "
        "step on the model's own window, normalised; stops: episodes that safety ended"
    )
    return Table(columns, cells, caption)


def write_models_page(out: Path, summary: Row) -> Path:
    """Write the tables into a page in `out`; return its path."""
    sections: list[Section] = [("Models that were there", list(tables(summary)))]
    page = out / PAGE
    write_page(page, summary["title"], sections)
    return page
