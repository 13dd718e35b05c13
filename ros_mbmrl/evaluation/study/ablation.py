"""Ablation of a base: MB of a study again and again, each time without one of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import Row
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.run import Runner
from ros_mbmrl.evaluation.study.summaries import returns
from ros_mbmrl.evaluation.study.verdicts import number, with_interval
from ros_mbmrl.learning import sizes
from ros_mbmrl.methods.built_in import BASELINE
from ros_mbmrl.robots.half_cheetah import UnwrappedHalfCheetah

STUDY, SCALE = "cheetah-disabled", "ensemble"
Change = Callable[[Scale], Scale]
BASE = "base"
ROUNDS = 10  # of gathering: what a base has learned by half of a study's data


def _training(**changes: Any) -> Change:
    return lambda scale: replace(scale, training=replace(scale.training, **changes))


def _planner(**changes: Any) -> Change:
    return lambda scale: replace(scale, planner={**scale.planner, **changes})


def _mppi(scale: Scale) -> Scale:
    return replace(scale, controller="mppi", planner={**sizes.PLANNER})


# Of cheetah-disabled at the scale `ensemble`.
WITHOUT: Mapping[str, Change] = MappingProxyType(
    {
        BASE: lambda scale: scale,
        "pitch unwrapped": _training(features=UnwrappedHalfCheetah.spec.features),
        "one network": _training(members=1),
        "a fifth of the optimiser's steps": _training(supervised_steps=300, meta_steps=300),
        "MPPI, 12 steps ahead": _mppi,
        "iCEM, 20 steps ahead": _planner(horizon=20),
        "one elite, not the mean of ten": _planner(elite_fraction=0.01),
        "no terminal value": _training(value=False),
    }
)


def shortened(scale: Scale) -> Scale:
    """Return a study's scale with fewer rounds, as every variant has them."""
    rounds = min(ROUNDS, scale.training.rounds)
    return replace(scale, training=replace(scale.training, rounds=rounds))


def ablate(
    study: Study,
    scale: Scale,
    out: Path,
    variants: Sequence[str] = tuple(WITHOUT),
    workers: int = 2,
    first_train_seed: int = 0,
) -> list[Row]:
    """Run the unfinished part of every variant.

    Args:
        study: whose MB it is about.
        scale: of the base.
        out: a folder in it is kept for each variant.
        variants: names of `WITHOUT`.
        workers: processes.
        first_train_seed: the others follow it.

    Returns:
        Rows of the variants' test episodes, each with its `variant`.

    Raises:
        UserError: the folder holds another description's results.
    """
    rows: list[Row] = []
    for name in variants:
        folder = out / name.replace(" ", "_").replace(",", "")
        found = Runner(
            study,
            WITHOUT[name](scale),
            (BASELINE,),
            folder,
            workers,
            first_train_seed=first_train_seed,
        ).run()
        rows += [{**row, "variant": name} for row in found["rows"]]
    return rows


def table(rows: Sequence[Row], rng: Generator) -> Table:
    """Return the returns of each variant, and their mean over conditions beside the base's."""
    names = list(dict.fromkeys(row["variant"] for row in rows))
    means, cells = dict[str, float](), list[tuple[str, ...]]()
    conditions: list[str] = []
    for name in names:
        own = returns([row for row in rows if row["variant"] == name], [BASELINE], rng)
        conditions = conditions or [row["condition"] for row in own]
        means[name] = float(np.mean([row["return"] for row in own]))
        texts = (with_interval(row["return"], row["return_interval"]) for row in own)
        share = f"{means[name] / means[BASE]:.2f}" if means.get(BASE) else ""
        cells.append((name, *texts, number(means[name]), share))
    columns = ("variant", *conditions, "mean", "over the base")
    return Table(columns, cells, "Mean return of MB (95 % interval); each variant lacks one part")
