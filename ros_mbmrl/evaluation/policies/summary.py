"""Figures of a study of policies: means over training seeds and tests, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.random import Generator

from ros_mbmrl.evaluation.policies import new_tasks
from ros_mbmrl.evaluation.policies.description import Kind, PolicyStudy
from ros_mbmrl.evaluation.policies.published import PUBLISHED
from ros_mbmrl.evaluation.policies.training import horizon_of
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES, Sample
from ros_mbmrl.evaluation.study.comparisons import (
    RETURN,
    Evidence,
    chosen,
    compare_all,
    values,
)

OPTIMISM = "optimism"


def summarise(
    study: PolicyStudy, rows: Sequence[Row], rng: Generator, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Return all that the tables show, as `summary.json` holds it.

    study, title; finals (`final_figures`); equal_data (`at_equal_data`); comparisons: differences
    of the entries from those of `study.versus` at equal data, by `Comparison.row`; curves
    (`curve_figures`); published (`beside_published`); planned (`with_plans`);
    new_tasks (`new_task_figures`); open: figures that are not made, and why.
    """
    names = [e.name for e in study.entries if e.name in unique(rows, "method")]
    equal, shared = at_equal_data(rows, names, rng, resamples)
    versus = [name for name in study.versus if name in names]
    compared = compare_all(Evidence(shared), names, versus, (), rng, resamples)
    return {
        "study": study.name,
        "title": study.title,
        "finals": final_figures(rows, names, rng, resamples),
        "equal_data": equal,
        "comparisons": [comparison.row() for comparison in compared],
        "curves": curve_figures(rows, names),
        "published": beside_published(rows, names),
        "planned": with_plans(rows, names),
        "new_tasks": new_task_figures(study, rows, names),
        "open": dict(study.open),
    }


def final_figures(
    rows: Sequence[Row], names: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Return the figures of every entry on every environment at the end of its curve.

    method, condition, n_train_seeds, n_tests, transitions, return and return_interval; of one that
    learns in models imagined, optimism (imagined less real) and optimism_interval, else None.
    Intervals draw training seeds and tests, which all training seeds share.
    """
    result = []
    for condition, name, own in _by_entry(rows, names):
        last = newest(own)
        estimate = Sample.of(values(tests(last), RETURN)).estimate(rng, resamples)
        found = {
            "method": name,
            "condition": condition,
            "n_train_seeds": len(last),
            "n_tests": len(last[0]["returns"]),
            "transitions": max(row["transitions"] for row in last),
            "return": estimate.value,
            "return_interval": estimate.interval,
            "return_before": _mean(last, "return_before"),
            "imagined": _mean(last, "imagined"),
            OPTIMISM: None,
            f"{OPTIMISM}_interval": None,
        }
        if found["imagined"] is not None:
            gap = Sample.of(values(tests(last), OPTIMISM)).estimate(rng, resamples)
            found |= {OPTIMISM: gap.value, f"{OPTIMISM}_interval": gap.interval}
        result.append(found)
    return result


def at_equal_data(
    rows: Sequence[Row], names: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> tuple[list[dict[str, Any]], list[Row]]:
    """Return the returns of all entries of an environment at as many real transitions.

    So many as the entry with the shortest curve has; of another one its newest point up to there.

    Returns:
        A figure each: method, condition, limit, transitions, return, return_interval. And the rows
        of the tests that they are of, see `tests`. An entry whose first point is later has none.
    """
    result, shared = [], list[Row]()
    for condition in unique(rows, "condition"):
        here = [row for row in rows if row["condition"] == condition]
        limit = min(
            max(row["transitions"] for row in here if row["method"] == name)
            for name in unique(here, "method")
        )
        for _, name, own in _by_entry(here, names):
            last = newest([row for row in own if row["transitions"] <= limit])
            if len(last) < len(unique(own, "train_seed")):
                continue
            shared += tests(last)
            estimate = Sample.of(values(tests(last), RETURN)).estimate(rng, resamples)
            result.append(
                {
                    "method": name,
                    "condition": condition,
                    "limit": limit,
                    "transitions": max(row["transitions"] for row in last),
                    "return": estimate.value,
                    "return_interval": estimate.interval,
                }
            )
    return result, shared


def curve_figures(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the learning curves as means over training seeds, a figure a point.

    method, condition, transitions, n_train_seeds, return, return_exploring; imagined and optimism
    of one that learns in models.
    """
    shown = (RETURN, "return_exploring", "return_before", "imagined", OPTIMISM)
    result = []
    for condition, name, own in _by_entry(rows, names):
        for transitions in sorted(unique(own, "transitions")):
            point = [row for row in own if row["transitions"] == transitions]
            facts = {"method": name, "condition": condition, "transitions": transitions}
            facts |= {"n_train_seeds": len(point)}
            result.append({**facts, **{each: _mean(point, each) for each in shown}})
    return result


def beside_published(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return our return beside a published one, at as many real transitions or the next point.

    method, condition, transitions and return (None where the curve ends before that), published,
    published_transitions, source.
    """
    result = []
    for condition, name, own in _by_entry(rows, names):
        known = PUBLISHED.get((condition, name))
        if known is None:
            continue
        later = [row for row in own if row["transitions"] >= known.transitions]
        first = newest(later, min)
        result.append(
            {
                "method": name,
                "condition": condition,
                "transitions": max((row["transitions"] for row in first), default=None),
                "return": _mean(first, RETURN),
                "published": known.value,
                "published_transitions": known.transitions,
                "source": known.source,
            }
        )
    return result


def with_plans(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the returns of policies that plan at test time beside those of the same tests without.

    method, condition, n_tests (of each training seed), return, return_planned.
    """
    result = []
    for condition, name, own in _by_entry(rows, names):
        known = [row for row in own if row.get("returns_planned")]
        if known:
            pairs = [
                pair
                for row in known
                for pair in zip(row["returns"], row["returns_planned"], strict=False)
            ]
            plain, planned = (sum(each) / len(pairs) for each in zip(*pairs, strict=True))
            count = len(known[0]["returns_planned"])
            facts = {"method": name, "condition": condition, "n_tests": count}
            result.append({**facts, RETURN: plain, "return_planned": planned})
    return result


def new_task_figures(
    study: PolicyStudy, rows: Sequence[Row], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return errors and rewards in new tasks at the ends of the curves, of a study that has any.

    method, condition, n_train_seeds, n_tests, and `new_tasks.figures`.
    """
    if not any(entry.kind is Kind.CONTEXTUAL for entry in study.entries):
        return []
    result = []
    for condition, name, own in _by_entry(rows, names):
        last = newest(own)
        facts: dict[str, Any] = {"method": name, "condition": condition}
        facts |= {"n_train_seeds": len(last), "n_tests": len(last[0]["returns"])}
        result.append({**facts, **new_tasks.figures(last, horizon_of(condition))})
    return result


def newest(rows: Sequence[Row], which: Callable[..., Row] = max) -> list[Row]:
    """Return the last point of each training seed's curve; `which` = min: the first one."""
    seeds = sorted(unique(rows, "train_seed"))
    own = ([row for row in rows if row["train_seed"] == seed] for seed in seeds)
    return [which(each, key=lambda row: row["transitions"]) for each in own]


def tests(rows: Sequence[Row]) -> list[Row]:
    """Return a row for every test of these: method, train_seed, condition, seed, return, optimism.

    optimism: the imagined return less the test's; 0 for one that imagines nothing.
    """
    facts = ("method", "train_seed", "condition")
    return [
        {
            **{name: row[name] for name in facts},
            "seed": k,
            RETURN: value,
            OPTIMISM: row.get("imagined", value) - value,
        }
        for row in rows
        for k, value in enumerate(row["returns"])
    ]


def _by_entry(rows: Sequence[Row], names: Sequence[str]) -> list[tuple[str, str, list[Row]]]:
    """Return environment, entry and rows of every pair that has any."""
    pairs = [(place, name) for place in unique(rows, "condition") for name in names]
    found = [(place, name, chosen(rows, name, [place])) for place, name in pairs]
    return [each for each in found if each[2]]


def _mean(rows: Sequence[Row], name: str) -> float | None:
    known = [row[name] for row in rows if row.get(name) is not None]
    return sum(known) / len(known) if known else None
