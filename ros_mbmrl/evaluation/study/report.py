"""Report of a study: first the hypotheses stated in advance, then figures and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.random import Generator

from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study import (
    cause_headroom,
    diagnosis,
    estimates,
    figures,
    reaction,
    tables,
)
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES
from ros_mbmrl.evaluation.study.comparisons import (
    Evidence,
    compare_all,
)
from ros_mbmrl.evaluation.study.description import Study
from ros_mbmrl.evaluation.study.ranks import Ranked, mean_ranks
from ros_mbmrl.evaluation.study.summaries import headroom, returns, updates
from ros_mbmrl.evaluation.study.verdicts import judge_all, listed, with_interval
from ros_mbmrl.methods import about, look
from ros_mbmrl.methods.built_in import BASELINE

SUMMARY, PAGE = "summary.json", "report.html"
SHOWN = ("grbal", "rebal", "bayes_context_ll")  # methods whose updates are drawn, where present


def summarise(
    study: Study,
    evidence: Evidence,
    rng: Generator,
    versus: Sequence[str] = (BASELINE,),
    protocol: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return all that the tables show, as `summary.json` holds it.

    study, title, protocol, hypotheses, returns, comparisons, headroom, updates, ranks,
    return_by_seconds (`reaction.reactions`); where `causes` took part, diagnosis
    (`diagnosis.diagnoses`) or estimates (`estimates.estimates`), and headroom_of_causes
    (`cause_headroom.cause_headroom`).
    """
    present = unique(evidence.rows, "method")
    methods = [m for m in study.methods if m in present]
    methods += [m for m in present if m not in methods]
    found = compare_all(evidence, methods, versus, study.hypotheses, rng, resamples)
    return {
        "study": study.name,
        "title": study.title,
        "protocol": dict(protocol or {}),
        "hypotheses": judge_all(study.hypotheses, found, evidence, rng, resamples),
        "returns": returns(evidence.rows, methods, rng, resamples),
        "comparisons": [comparison.row() for comparison in found],
        "headroom": headroom(evidence, methods, rng, resamples),
        "updates": updates(evidence.errors, methods, rng, resamples),
        "ranks": _ranks(evidence, methods),
        reaction.BY_WINDOW: reaction.reactions(evidence.rows, methods),
        **of_causes(evidence, methods, rng, resamples),
    }


def of_causes(
    evidence: Evidence, methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Return the parts of a summary that are of physical causes, those that have data."""
    found = {
        diagnosis.DIAGNOSIS: diagnosis.diagnoses(evidence.rows, methods),
        estimates.ESTIMATES: estimates.estimates(evidence.rows, methods),
        cause_headroom.HEADROOM: cause_headroom.cause_headroom(evidence, methods, rng, resamples),
    }
    return {name: rows for name, rows in found.items() if rows}


def _ranks(evidence: Evidence, methods: Sequence[str]) -> dict[str, float]:
    """Rank the contenders that met every condition."""
    conditions = set(unique(evidence.rows, "condition"))
    ranked = [
        method
        for method in methods
        if about(method).judged
        and {r["condition"] for r in evidence.rows if r["method"] == method} == conditions
    ]
    rows = Ranked(evidence.rows, higher_is_better=evidence.higher_is_better)
    return mean_ranks([rows], ranked) if len(ranked) > 1 else {}


def write_report(
    out: Path,
    study: Study,
    rng: Generator,
    rows: Sequence[Row],
    curves: Sequence[Row] = (),
    errors: Sequence[Row] = (),
    sensitivity: Sequence[Row] = (),
    forces: Sequence[Row] = (),
    tuning: Sequence[Row] = (),
    gathered: Sequence[Row] = (),
    onsets: Mapping[str, float] | None = None,
    protocol: Mapping[str, str] | None = None,
    versus: Sequence[str] = (BASELINE,),
    scale: str = "",
) -> Path:
    """Write report.html, summary.json and pictures into `out`; return the path of the page.

    rows: an episode each: method, train_seed (None of what was not trained), condition, seed (and
    path), return; return_after, accepted_fraction and safety_stops. Paired by train_seed,
    condition and seed. curves: see `figures.sample_efficiency`. errors: a method,
    train_seed and condition each, with before, after, rollout, time [s]: a number a window, on
    the same rollouts for all. sensitivity: see `figures.sensitivity`; forces:
    `figures.training_distribution`; tuning: `tables.tuning`; gathered: `tables.gathered`. onsets
    [s]: when the change comes, by condition. protocol: what to say of budgets. versus: whom every
    contender is compared with. scale: its name.
    """
    out.mkdir(parents=True, exist_ok=True)
    evidence = Evidence(rows, errors)
    summary = summarise(study, evidence, rng, versus, protocol)
    summary["scale"] = scale
    summary["gathered"] = [dict(row) for row in gathered]
    write_summary(out, summary)
    sections: list[Section] = [
        ("Stated in advance", _stated(summary)),
        ("Returns", _returns(out, summary)),
        ("After the change", _reaction(summary, rows)),
        ("What a perfect model would be worth", _headroom(summary)),
        ("Causes", tables.of_causes(summary)),
        ("Effect of the update", _updates(out, summary, errors, onsets)),
        ("Sample efficiency", _efficiency(out, curves, gathered)),
        ("Sensitivity", _variations(out, sensitivity, forces)),
        ("Protocol", _protocol(summary, tuning)),
    ]
    page = out / PAGE
    write_page(page, study.title, [(title, blocks) for title, blocks in sections if blocks])
    return page


def write_summary(out: Path, summary: Mapping[str, Any]) -> None:
    """Write `summary.json` into `out`, completely or not at all."""
    partial = out / f"{SUMMARY}.partial"
    partial.write_text(json.dumps(summary, indent=1) + "\n")
    os.replace(partial, out / SUMMARY)


def _stated(summary: Mapping[str, Any]) -> list[Block]:
    rows = summary["hypotheses"]
    return [*(row["sentence"] for row in rows), tables.hypotheses(rows)] if rows else []


def _returns(out: Path, summary: Mapping[str, Any]) -> list[Block]:
    rows = summary["returns"]
    figures.bars(rows, out / "returns.png")
    note = tables.normalised_note(rows)
    normalised = any(row["normalised"] is not None for row in rows)
    drawn = all(row["normalised"] is not None for row in rows)
    caption = note if drawn else "Mean return with 95 % intervals"
    blocks: list[Block] = [Image(out / "returns.png", caption)]
    blocks += [tables.by_condition(rows, "normalised", note)] if normalised else []
    blocks += [
        tables.by_condition(rows, "return", "Mean return (95 % interval)"),
        tables.comparisons(summary["comparisons"]),
    ]
    return blocks + ([tables.ranks(summary["ranks"])] if summary["ranks"] else [])


def _reaction(summary: Mapping[str, Any], rows: Sequence[Row]) -> list[Block]:
    found, missing = summary[reaction.BY_WINDOW], reaction.without_windows(rows)
    blocks: list[Block] = [reaction.table(found)] if found else []
    return [*blocks, missing] if missing else blocks


def _headroom(summary: Mapping[str, Any]) -> list[Block]:
    rows = summary["headroom"]
    sentences = []
    for row in rows:
        interval = row["gain_interval"]
        percent = tables.in_percent(row["percent"])
        figure = f"{percent} %" if percent else with_interval(row["gain"], interval)
        sure = interval is not None and (interval[0] > 0 or interval[1] < 0)
        end = "" if sure else ", which may be nothing"
        sentences.append(
            f"On `{row['condition']}` the true model is worth {figure} beside MB (95 % interval)"
            f"{end}."
        )
    return [*sentences, tables.headroom(rows)] if rows else []


def _updates(
    out: Path, summary: Mapping[str, Any], errors: Sequence[Row], onsets: Mapping[str, float] | None
) -> list[Block]:
    shown = [row for row in errors if row["method"] in SHOWN]
    if not errors:
        return []
    blocks: list[Block] = [tables.updates(summary["updates"])]
    if shown:
        figures.update_errors(shown, out / "update_errors.png")
        figures.error_traces(shown, out / "error_traces.png", onsets)
        blocks += [
            Image(
                out / "update_errors.png",
                "K-step error before and after the update; dashed: medians; the last bar holds "
                "all beyond it",
            ),
            Image(
                out / "error_traces.png",
                "One rollout, window by window; dotted: the change comes",
            ),
        ]
    return blocks


def _efficiency(out: Path, curves: Sequence[Row], gathered: Sequence[Row]) -> list[Block]:
    blocks: list[Block] = [tables.gathered(gathered)] if gathered else []
    if not curves:
        return blocks
    figures.sample_efficiency(curves, out / "sample_efficiency.png")
    return [
        Image(out / "sample_efficiency.png", _over_seeds("Return against training data")),
        *blocks,
    ]


def _variations(out: Path, sensitivity: Sequence[Row], forces: Sequence[Row]) -> list[Block]:
    blocks: list[Block] = []
    if sensitivity:
        figures.sensitivity(sensitivity, out / "sensitivity.png")
        blocks.append(Image(out / "sensitivity.png", _over_seeds("Windows of several lengths")))
    if forces:
        figures.training_distribution(forces, out / "training_distribution.png")
        caption = _over_seeds("Models trained on several ranges of forces; dots: training seeds")
        blocks.append(Image(out / "training_distribution.png", caption))
    return blocks


def _over_seeds(what: str) -> str:
    return f"{what}; mean and 95 % interval over training seeds (of two: least to most)"


def _protocol(summary: Mapping[str, Any], tuning: Sequence[Row]) -> list[Block]:
    seeds: dict[int, list[str]] = {}
    for row in summary["returns"]:
        names = seeds.setdefault(row["n_train_seeds"], [])
        if look(row["method"]).name not in names:
            names.append(look(row["method"]).name)
    counts = "; ".join(f"{n}: {listed(names)}" for n, names in sorted(seeds.items()))
    tested = sum(row["p"] is not None for row in summary["comparisons"])
    blocks: list[Block] = [
        f"Training seeds: {counts}. Methods are compared on the episodes that both met, and by "
        "the same training seed where both have it.",
        "Intervals: hierarchical bootstrap over training seeds and episodes, with Student's t for "
        f"few training seeds. Verdicts: two-sided p-values of the same draws, {tested} of them, "
        "Holm's correction over those stated in advance, and over the others; intervals are not "
        "corrected. What is not shown here to "
        "differ may differ all the same.",
        *(f"{name}: {text}" for name, text in summary["protocol"].items()),
        tables.details(summary["returns"]),
    ]
    return blocks + ([tables.tuning(tuning)] if tuning else [])
