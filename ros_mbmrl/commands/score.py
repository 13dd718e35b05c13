"""`mbmrl score`: how well models predict recorded data, before and after adaptation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from rich.box import SIMPLE
from rich.table import Table
from torch import Tensor

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.files import LoadedModel, load_model, read_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.open_loop import OpenLoopErrors, open_loop_errors
from ros_mbmrl.evaluation.tables import wide_console
from ros_mbmrl.robots import make_robot
from ros_mbmrl.training.segments import Transitions

if TYPE_CHECKING:
    from ros_mbmrl.cli import Score


def run(arguments: Score) -> dict[str, Any]:
    """Rows of `{model, tag, horizon, adapter, n, median, mean, p99, worst_ratio, ...}`."""
    torch.set_num_threads(1)
    if not arguments.models or not arguments.horizons or min(arguments.horizons) < 1:
        raise UserError("expected at least one model, and horizons of at least 1")
    robot = make_robot(str(read_card(arguments.models[0]).get("robot")))
    models = {path.name: load_model(path, robot) for path in arguments.models}
    if len(models) < len(arguments.models):
        raise UserError("two models of the same folder name: expected different names")
    rollouts = dataset.load(arguments.data)
    if arguments.sessions == "unseen":
        seen = {s for loaded in models.values() for s in loaded.card.get("sessions", ())}
        rollouts = [r for r in rollouts if r.tags.get("session") not in seen]
        if not rollouts:
            raise UserError("every session was trained on: expected others, or --sessions all")
    elif arguments.sessions != "all":
        raise UserError(f"sessions '{arguments.sessions}': expected unseen or all")
    data = Transitions.of(robot, rollouts)
    tags = [r.tags.get(arguments.tag, "") for r in rollouts]
    rows = score(models, data, tags, arguments.horizons, arguments.guard, arguments.marked)
    wide_console().print(_table(rows, arguments.tag))
    return {"rows": rows, "runs": len(rollouts)}


def score(
    models: dict[str, LoadedModel],
    data: Transitions,
    tags: list[str],
    horizons: tuple[int, ...],
    guarded: bool,
    marked: bool = False,
) -> list[dict[str, Any]]:
    """All models on common windows: those that the longest adaptation window leaves.

    marked: only those with a marked row in that window.
    """
    longest = max(int(loaded.card["adapt_window"]) for loaded in models.values())
    starts = data.starts(longest + max(horizons))
    if marked:
        past = starts[:, None] + torch.arange(longest)
        starts = starts[data.keep[past].amin(dim=(1, 2)) == 0]
    rows: list[dict[str, Any]] = []
    for name, loaded in models.items():
        guard = make_guard(loaded, enabled=guarded)
        shifted = starts + longest - guard.window_size
        errors = open_loop_errors(loaded.model, guard, data, max(horizons), starts=shifted)
        tag_of = [tags[int(k)] for k in data.rollout[errors.rows]]
        for tag in (*sorted(set(tag_of)), "all"):
            chosen = torch.tensor([tag in ("all", t) for t in tag_of])
            for horizon in horizons:
                rows += _rows(name, tag, horizon, errors, chosen)
    return rows


def _rows(
    name: str, tag: str, horizon: int, errors: OpenLoopErrors, chosen: Tensor
) -> list[dict[str, Any]]:
    normalised = errors.normalised[:, chosen, horizon - 1]
    ratio = normalised[1] / normalised[0].clamp_min(1e-9)
    rows = []
    for k, adapter in enumerate(("prior", "adapted")):
        values = normalised[k]
        rows.append(
            {
                "model": name,
                "tag": tag,
                "horizon": horizon,
                "adapter": adapter,
                "n": len(values),
                "median": float(values.median()),
                "mean": float(values.mean()),
                "p99": float(values.quantile(0.99)),
                "worst_ratio": float(ratio.max()) if k else 1.0,
                "improved_fraction": float((ratio < 1).float().mean()) if k else 0.0,
                "accepted_fraction": float(errors.accepted[chosen].float().mean()) if k else 0.0,
                "median_m": float(errors.metres[k][chosen, horizon - 1].median()),
                "median_rad": float(errors.radians[k][chosen, horizon - 1].median()),
            }
        )
    return rows


def _table(rows: list[dict[str, Any]], tag: str) -> Table:
    """One line a model, tag and horizon: prior against adapted."""
    columns = ("model", tag, "steps", "n", "median", "p99", "worst", "better", "accepted")
    table = Table(*columns, "cm", "deg", title="open-loop error, prior > adapted", box=SIMPLE)

    def both(key: str, form: str, unit: float = 1.0) -> str:
        return f"{prior[key] * unit:{form}} > {adapted[key] * unit:{form}}"

    for prior, adapted in zip(rows[::2], rows[1::2], strict=True):
        table.add_row(
            *(str(prior[key]) for key in ("model", "tag", "horizon", "n")),
            both("median", ".3f"),
            both("p99", ".2f"),
            f"{adapted['worst_ratio']:.1f}",
            f"{adapted['improved_fraction']:.0%}",
            f"{adapted['accepted_fraction']:.0%}",
            both("median_m", ".2f", 100.0),
            both("median_rad", ".1f", 180 / torch.pi),
        )
    return table
