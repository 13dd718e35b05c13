"""All experiments in one table: mean ranks over robots and conditions, and who is worse than MB.

`python -m ros_mbmrl.evaluation.study.overall FILE.json ...` reads what `mbmrl evaluate --json`
wrote, of studies and of the hexapod's experiments. Files of one study with different training seeds
(`--first-train-seed`) count as one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.random import Generator
from tyro.conf import Positional

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation import tables as printing
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import unique
from ros_mbmrl.evaluation.study import bootstrap
from ros_mbmrl.evaluation.study.comparisons import (
    BETTER,
    LEVEL,
    WORSE,
    Comparison,
    Evidence,
    corrected,
)
from ros_mbmrl.evaluation.study.joined import Experiments, read
from ros_mbmrl.evaluation.study.ranks import (
    Ranked,
    common_methods,
    mean_ranks,
    rank_difference,
    shared,
)
from ros_mbmrl.evaluation.study.tables import markdown
from ros_mbmrl.evaluation.study.verdicts import with_interval
from ros_mbmrl.methods import about, look
from ros_mbmrl.methods.built_in import BASELINE
from ros_mbmrl.methods.method import Learned


@dataclass(frozen=True)
class Config:
    """Mean ranks over several experiments, and where a method is worse than MB."""

    files: Positional[tuple[Path, ...]]
    """Files that `mbmrl evaluate --json FILE` wrote; an experiment's training seeds may be shared
    out over several"""
    methods: tuple[str, ...] = ()
    """Methods to rank; by default those that met every condition of every file, without
    references (mb_oracle, true_model, nominal, random) and model-free ones"""
    versus: tuple[str, ...] = ("mb_de", "mb")
    """Opponents that mean ranks are compared with, those of them that are ranked"""
    markdown: bool = False
    """Print Markdown"""
    seed: int = 0
    """Seed of the bootstrap"""
    json: Path | None = None
    """Write the results to this file"""


def contenders(experiments: Experiments, named: Sequence[str]) -> tuple[str, ...]:
    """Which methods are ranked. Raises UserError for less than two, or one that cannot be."""
    common = common_methods(list(experiments.values()))
    for method in named:
        choose("method of every condition of every file", method, common)
    methods = tuple(m for m in common if (m in named if named else _ranked(m)))
    if len(methods) < 2:
        raise UserError(
            "methods: expected at least two that met every condition of every file, "
            f"got {', '.join(methods) or 'none'}"
        )
    return methods


def _ranked(name: str) -> bool:
    """Return whether a method is ranked where nobody names any."""
    method = about(name)
    return method.judged and method.learned is not Learned.POLICY


def against_baseline(
    experiments: Experiments, methods: Sequence[str], rng: Generator
) -> list[tuple[str, Comparison]]:
    """Each method beside MB on every condition, and of what experiment; Holm's over all of them."""
    keys = [
        (name, (method, BASELINE, (condition,), ranked.measure))
        for name, ranked in experiments.items()
        for condition in unique(ranked.rows, "condition")
        for method in methods
        if method != BASELINE
    ]
    # A p-value is no less than 2 / draws: of so many, the least must survive the correction.
    resamples = max(bootstrap.RESAMPLES, round(10 * len(keys) / LEVEL))
    found = []
    for name, key in keys:
        ranked = experiments[name]
        evidence = Evidence(ranked.rows, higher_is_better=ranked.higher_is_better)
        with _named(name):
            comparison = evidence.compare(key, rng, resamples)
        if comparison is not None:
            found.append((name, comparison))
    names = (name for name, _ in found)
    return list(zip(names, corrected([c for _, c in found]), strict=True))


@contextmanager
def _named(experiment: str) -> Iterator[None]:
    """Whatever cannot be paired in it is a UserError."""
    try:
        yield
    except ValueError as error:
        raise UserError(f"{experiment}: {error}") from None


def summarise(
    experiments: Experiments, methods: Sequence[str], versus: Sequence[str], rng: Generator
) -> dict[str, Any]:
    """For JSON: ranks, a row a method, the best first; comparisons with MB; what was ranked.

    rank_less: by opponent, the difference of mean ranks with its interval. worse, better: than MB,
    EXPERIMENT/CONDITION; untested: where there were too few episodes. Raises UserError where
    training seeds and episodes cannot be paired.
    """
    common = {}
    for name, ranked in experiments.items():
        with _named(name):
            common[name] = shared(ranked, methods)
            mean_ranks([common[name]], methods)
    several = list(common.values())
    compared = against_baseline(experiments, methods, rng)
    ranks = mean_ranks(several, methods)
    rows = []
    for method in sorted(methods, key=lambda method: ranks[method]):
        own = [(f"{name}/{c.conditions[0]}", c) for name, c in compared if c.method == method]
        less = {
            opponent: rank_difference(several, method, opponent, methods, rng)
            for opponent in versus
            if opponent in methods and opponent != method
        }
        rows.append(
            {
                "method": method,
                "mean_rank": ranks[method],
                "rank_less": {opponent: vars(estimate) for opponent, estimate in less.items()},
                "worse": [where for where, c in own if c.verdict == WORSE],
                "better": [where for where, c in own if c.verdict == BETTER],
                "untested": [where for where, c in own if c.p is None],
            }
        )
    present = unique([row for ranked in experiments.values() for row in ranked.rows], "method")
    return {
        "experiments": {name: _size(ranked) for name, ranked in common.items()},
        "left_out": [method for method in present if method not in methods],
        "ranks": rows,
        "comparisons": [{"experiment": name, **c.row()} for name, c in compared],
    }


def _size(ranked: Ranked) -> dict[str, Any]:
    conditions = unique(ranked.rows, "condition")
    return {
        "measure": ranked.measure,
        "conditions": conditions,
        "train_seeds": len(unique(ranked.rows, "train_seed")),
    }


def table(summary: Mapping[str, Any]) -> Table:
    """A line a method, the best first."""
    opponents = list(dict.fromkeys(x for row in summary["ranks"] for x in row["rank_less"]))
    cells = []
    for row in summary["ranks"]:
        less = (row["rank_less"].get(opponent) for opponent in opponents)
        worse = ", ".join(row["worse"]) or "none"
        worse += f"; {len(row['untested'])} not tested" if row["untested"] else ""
        cells.append(
            (
                look(row["method"]).name,
                f"{row['mean_rank']:.2f}",
                *(with_interval(each["value"], each["interval"]) if each else "" for each in less),
                *(("", "") if row["method"] == BASELINE else (worse, str(len(row["better"])))),
            )
        )
    columns = ("method", "mean rank", *(f"less {look(x).name}'s" for x in opponents))
    base = look(BASELINE).name
    return Table((*columns, f"worse than {base} on", "better on"), cells, _caption(summary))


def _caption(summary: Mapping[str, Any]) -> str:
    sizes = summary["experiments"]
    conditions = sum(len(size["conditions"]) for size in sizes.values())
    seeds = ", ".join(f"{name} ({size['train_seeds']})" for name, size in sizes.items())
    tested = sum(row["p"] is not None for row in summary["comparisons"])
    text = (
        f"Ranks among these methods, 1 the best, in the mean over {conditions} conditions of "
        f"{len(sizes)} experiments (training seeds): {seeds}. Less an opponent's mean rank: below "
        "0 the method is ahead (95 % intervals over training seeds and episodes, not corrected). "
        f"Worse and better than {look(BASELINE).name}: two-sided p < .05 after Holm's correction "
        f"over all {tested} paired differences"
    )
    left_out = ", ".join(look(method).name for method in summary["left_out"])
    return f"{text}; not ranked: {left_out}" if left_out else text


def run(config: Config) -> dict[str, Any]:
    """Prints the table and gives its figures. Raises UserError for bad input."""
    experiments = read(config.files)
    methods = contenders(experiments, config.methods)
    for name in config.versus:
        choose("opponent", name, {*methods, *Config.versus})
    if config.seed < 0:
        raise UserError(f"seed: expected at least 0, got {config.seed}")
    rng = np.random.default_rng(config.seed)
    summary = summarise(experiments, methods, config.versus, rng)
    if config.json is not None:
        try:
            config.json.write_text(json.dumps(summary, indent=1) + "\n")
        except OSError as error:
            raise UserError(f"--json {config.json}: cannot be written ({error.strerror})") from None
    if config.markdown:
        print(markdown(table(summary)), end="")
    else:
        printing.wide_console().print(printing.printed(table(summary)))
    return summary


def main() -> None:
    """Exit status 2 for bad input."""
    try:
        run(tyro.cli(Config, prog="overall"))
    except UserError as error:
        print(f"overall: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
