"""`mbmrl score`: prediction errors of models on recorded data, before and after adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import track

from ros_mbmrl.data import dataset
from ros_mbmrl.data.selection import select
from ros_mbmrl.dynamics.card import common_robot, read_card
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation import plots, score_summary, tables
from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.statistics import ALL
from ros_mbmrl.robots import make_robot

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.arguments.score import Score
    from ros_mbmrl.data.rollout import Rollout
    from ros_mbmrl.evaluation.campaign import Entrant
    from ros_mbmrl.learning.open_loop import OpenLoopErrors
    from ros_mbmrl.learning.segments import Transitions


def run(arguments: Score) -> dict[str, Any]:
    """Return rows `{model, train_seed, tag, horizon, adapter, n, median, ...}` and a summary."""
    if not arguments.models or not arguments.horizons or min(arguments.horizons) < 1:
        raise UserError("expected at least one model, and horizons of at least 1")
    robot = common_robot(arguments.models)
    # They import torch, which takes seconds: only now that there is something to score.
    import torch

    from ros_mbmrl.evaluation import coverage
    from ros_mbmrl.evaluation.entrants import enter_all
    from ros_mbmrl.learning.segments import Transitions

    torch.set_num_threads(1)
    field = enter_all([(path.resolve().name, path) for path in arguments.models], robot)
    rollouts = dataset.load(arguments.data)
    if arguments.sessions == "unseen":
        seen = {s for entrant in field for s in read_card(entrant.folder).get("sessions", ())}
        rollouts = [r for r in rollouts if r.tags.get("session") not in seen]
        if not rollouts:
            raise UserError("every session was trained on: expected others, or --sessions all")
    elif arguments.sessions != "all":
        raise UserError(f"sessions '{arguments.sessions}': expected unseen or all")
    if arguments.windows:
        return compare_windows(arguments, rollouts)
    data = Transitions.of(make_robot(robot), rollouts)
    tags = [r.tags.get(arguments.tag, "") for r in rollouts]
    found = calibration(field, rollouts, tags, arguments) if arguments.calibration else {}
    rows = score(field, data, tags, arguments.horizons, arguments.guard, arguments.marked)
    summary = score_summary.summarise(rows, f"mean of {arguments.tag}s")
    console = tables.wide_console()
    shown = [score_summary.ratios(summary), score_summary.adaptation(summary)]
    if found:
        shown += [coverage.coverage_table(found["coverage"])]
        shown += [coverage.detection_table(found["detection"])] if found["detection"] else []
    for table in shown:
        console.print(tables.printed(table))
    if arguments.out is not None:
        page = report(summary, len(rollouts), arguments.out)
        console.print(f"report: {page}", soft_wrap=True, highlight=False)
    own = {"calibration": found} if found else {}
    return {"rows": rows, "summary": summary, "runs": len(rollouts), **own}


def calibration(
    field: Sequence[Entrant], rollouts: Sequence[Rollout], tags: list[str], arguments: Score
) -> dict[str, Any]:
    """Return rows `coverage` and `detection` of all models, and draw them where `out` is given."""
    from ros_mbmrl.dynamics.files import load_model
    from ros_mbmrl.evaluation import coverage, coverage_plots

    found: dict[str, Any] = {"coverage": [], "detection": []}
    for entrant in field:
        loaded = load_model(entrant.folder, make_robot(entrant.robot))
        facts = {"model": entrant.method, "train_seed": entrant.train_seed}
        own = coverage.calibration_rows(loaded, rollouts, tags, arguments.horizons, arguments.seed)
        for name, rows in zip(found, own, strict=True):
            found[name] += [{**facts, **row} for row in rows]
    if arguments.out is not None:
        coverage_plots.coverage(found["coverage"], arguments.out / "coverage.png")
        if found["detection"]:
            coverage_plots.curves(found["detection"], arguments.out / "detection.png")
    return found


def compare_windows(arguments: Score, rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Return the rows of `evaluation.windows.rows_of` for the model, its T1 steps ahead.

    Raises:
        UserError: not one model, nothing to choose settings on, a method without candidates, or
            an option that is not heeded.
    """
    from ros_mbmrl.adaptation.guard import make_guard
    from ros_mbmrl.dynamics.files import load_model
    from ros_mbmrl.evaluation.windows import GRIDS, STRIDE, Judge, by_tag, choose_settings, rows_of

    if len(arguments.models) != 1 or not arguments.chosen_on:
        raise UserError("windows: expected one model, and what settings are chosen on (chosen_on)")
    if arguments.marked or arguments.out is not None:
        raise UserError("windows: expected neither --marked nor --out, which they do not heed")
    for method in arguments.methods:
        choose("method to compare windows of", method, GRIDS)
    folder = arguments.models[0]
    loaded = load_model(folder, make_robot(common_robot([folder])))
    length = int(loaded.card["adapt_window"])
    guard = make_guard(loaded, enabled=arguments.guard).config
    chosen_on = select(rollouts, **{arguments.tag: arguments.chosen_on})
    judges = [Judge(loaded, each, length, length, STRIDE) for each in (chosen_on, rollouts)]
    total = len(arguments.methods) * (len(arguments.windows) + 1)
    settings = choose_settings(judges[0], arguments.methods, arguments.windows)
    chosen = list(track(settings, description="settings", total=total))
    groups = by_tag(judges[1], arguments.tag)
    rows = rows_of(judges[1], track(chosen, description="windows"), groups, guard)
    table = score_summary.windows(rows, arguments.tag, arguments.chosen_on)
    tables.wide_console().print(tables.printed(table))
    return {"rows": [], "windows": rows, "runs": len(rollouts)}


def score(
    field: Sequence[Entrant],
    data: Transitions,
    tags: list[str],
    horizons: tuple[int, ...],
    guarded: bool,
    marked: bool = False,
) -> list[dict[str, Any]]:
    """Score all models on common windows: those that the longest adaptation window leaves.

    Args:
        field: models to score.
        data: transitions of all rollouts.
        tags: one for each rollout.
        horizons: steps ahead.
        guarded: whether the guard may refuse an update.
        marked: use only windows with a marked row.
    """
    import torch

    from ros_mbmrl.adaptation.guard import make_guard
    from ros_mbmrl.dynamics.files import load_model
    from ros_mbmrl.learning.open_loop import open_loop_errors

    longest = max(int(read_card(entrant.folder)["adapt_window"]) for entrant in field)
    starts = data.starts(longest + max(horizons))
    if marked:
        starts = starts[data.keep[starts[:, None] + torch.arange(longest)].amin(dim=(1, 2)) == 0]
    rows: list[dict[str, Any]] = []
    for entrant in track(field, description="models"):
        loaded = load_model(entrant.folder, make_robot(entrant.robot))
        guard = make_guard(loaded, enabled=guarded)
        shifted = starts + longest - guard.window_size
        own = data.seen_by(loaded.model.robot)
        errors = open_loop_errors(loaded.model, guard, own, max(horizons), starts=shifted)
        tag_of = [tags[int(k)] for k in data.rollout[errors.rows]]
        facts = {"model": entrant.method, "train_seed": entrant.train_seed}
        for tag in (*sorted(set(tag_of)), ALL):
            chosen = torch.tensor([tag in (ALL, t) for t in tag_of])
            for h in horizons:
                rows += [{**facts, "tag": tag, **row} for row in _rows(h, errors, chosen)]
    return rows


def _rows(horizon: int, errors: OpenLoopErrors, chosen: Tensor) -> list[dict[str, Any]]:
    """Return the prior's row and the adapted model's, which compares the two in each window.

    worst_ratio, improved_fraction, worse_than_1_05_fraction: of a window's adapted error over its
    prior's, both at step `horizon`: the largest, the share below 1, the share above 1.05.
    window_worst_ratio: the largest over the windows of the adapted error, averaged over the
    predicted steps 1 to `horizon`, over the prior's, averaged likewise: a prior that was right by
    chance at one step does not count there.
    """
    normalised = errors.normalised[:, chosen, :horizon]
    prior, adapted = normalised.clamp_min(1e-9)
    ratio = adapted[:, -1] / prior[:, -1]
    window_ratio = adapted.mean(dim=1) / prior.mean(dim=1)
    compared = {
        "worst_ratio": (1.0, float(ratio.max())),
        "window_worst_ratio": (1.0, float(window_ratio.max())),
        "improved_fraction": (0.0, float((ratio < 1).float().mean())),
        "worse_than_1_05_fraction": (0.0, float((ratio > 1.05).float().mean())),
        "accepted_fraction": (0.0, float(errors.accepted[chosen].float().mean())),
    }
    rows = []
    for k, adapter in enumerate(("prior", "adapted")):
        values = normalised[k, :, -1]
        rows.append(
            {
                "horizon": horizon,
                "adapter": adapter,
                "n": len(values),
                "median": float(values.median()),
                "mean": float(values.mean()),
                "p99": float(values.quantile(0.99)),
                **{name: pair[k] for name, pair in compared.items()},
                "median_m": float(errors.metres[k][chosen, horizon - 1].median()),
                "median_rad": float(errors.radians[k][chosen, horizon - 1].median()),
            }
        )
    return rows


def report(summary: Sequence[dict[str, Any]], runs: int, out: Path) -> Path:
    """Draw a picture for each horizon and write `score.html`; return the page's path."""
    pictures: list[Block] = []
    for horizon in dict.fromkeys(row["horizon"] for row in summary):
        if any(row["ratio_to_mb"] is not None for row in summary):
            file = out / f"ratios_{horizon}.png"
            plots.error_ratios(summary, horizon, file)
            caption = f"{horizon} steps ahead; bars: mean over training seeds, whiskers: all of"
            pictures.append(Image(file, f"{caption} them, from the least to the most"))
    page = out / "score.html"
    sections: list[Section] = [
        ("Adapted models", [score_summary.ratios(summary), *pictures]),
        ("Prior and adapted", [score_summary.adaptation(summary)]),
    ]
    write_page(page, f"Open-loop prediction error on {runs} runs", sections)
    return page
