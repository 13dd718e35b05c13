"""Report of a study of policies: figures by their numbers in the thesis, then tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.random import Generator

from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.policies import figures, tables
from ros_mbmrl.evaluation.policies.description import Drawn, PolicyStudy, Scale
from ros_mbmrl.evaluation.policies.summary import summarise
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.report import PAGE, write_summary

BANDS = "mean and 95 % interval over training seeds (of two: least to most)"
CAPTIONS: Mapping[Drawn, str] = MappingProxyType(
    {
        Drawn.RETURNS: f"Real return without exploration against real transitions; {BANDS}",
        Drawn.OPTIMISM: "Real return, and the one in the models (dashed), which is improved "
        f"until their validation ends that; {BANDS}",
        Drawn.PATHS: "Above: exploring, before adaptation; below: adapted. A colour a task, its "
        "goal a cross; first training seed",
        Drawn.PLASTICITY: "Above: deviation of the models' predictions; below: KL divergence of "
        "the adapted policies from the one before; first training seed",
    }
)


def write_report(
    out: Path,
    study: PolicyStudy,
    scale: Scale,
    rows: Sequence[Row],
    rng: Generator,
    missing: Sequence[str] = (),
    times: Sequence[Row] = (),
) -> tuple[Path, dict[str, Any]]:
    """Write report.html, summary.json and pictures into `out`.

    Args:
        out: folder.
        study, scale: what the rows are of.
        rows: see `training.train`.
        rng: of the bootstrap.
        missing: entries whose methods are not installed.
        times: of adaptation, see `adaptation_time.measure`.

    Returns:
        The path of the page, and the summary.
    """
    summary = {**summarise(study, rows, rng), "adaptation_times": list(times)}
    write_summary(out, summary)
    looks = {entry.name: entry.look for entry in study.entries}
    sections: list[Section] = []
    for figure in study.drawn(scale, unique(rows, "method")):
        picture = out / figure.file
        if figures.draw(figure, rows, looks, picture):
            title = f"Figure {figure.number}: {figure.title}"
            sections.append((title, [Image(picture, CAPTIONS[figure.drawn])]))
    sections.append(("Figures in numbers", tables.all_tables(summary, looks)))
    sections.append(("What is left out", left_out(study, missing)))
    sections.append(("Protocol", protocol(scale)))
    page = out / PAGE
    write_page(page, study.title, sections)
    return page, summary


def left_out(study: PolicyStudy, missing: Sequence[str]) -> list[Block]:
    """Return the sentences about figures and entries that are not there."""
    found: list[Block] = [f"Figure {number}: {why}" for number, why in study.open.items()]
    found += [f"{name} is not installed." for name in missing]
    return found or ["Nothing."]


def protocol(scale: Scale) -> list[Block]:
    """Return the sentences about budgets and tests."""
    points = [f"{kind.value}: up to {points[-1]}" for kind, points in scale.points.items()]
    return [
        f"Training seeds: {scale.train_seeds}. Real transitions, {'; '.join(points)}. A "
        "meta-learned policy's include those before its inner steps.",
        f"Tests: {scale.tests} real episodes with the policy's mean action, the same starts and "
        "tasks for all entries, training seeds and points, as long as the environment says. One "
        "that adapts practises in each task first, as in training; that practice is not counted.",
        "Intervals: hierarchical bootstrap over training seeds and tests, with Student's t for few "
        "training seeds; of one training seed they say nothing about another.",
    ]
