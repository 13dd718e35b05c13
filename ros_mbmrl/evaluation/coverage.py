"""Calibration of models that know variances: coverage of intervals, and detection of changes.

Particles start at recorded states and follow the recorded commands: of an ensemble with Gaussian
heads (TS-infinity, each with noise of its own), or of a model with a latent variable
(`latent_coverage`). An interval of a level is calibrated if it holds that share of what followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.particles import OwnNoise
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.latent_coverage import LatentParticles, has_latent
from ros_mbmrl.evaluation.statistics import ALL
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.robots.spec import Array

LEVELS = (0.5, 0.9, 0.99)
PARTICLES = 200  # a start, at least
STARTS = 400  # a tag at most, evenly apart
AT_ONCE = 20_000  # particles
POINTS = 50  # of a curve
RECENT = 8  # steps that the slower detector looks back on

Row = dict[str, Any]
Reach = Callable[[Tensor, int, int], Tensor]  # starts (n,), horizon, copies -> (n, copies, ds)


def calibration_rows(
    loaded: LoadedModel,
    rollouts: Sequence[Rollout],
    tags: Sequence[str],
    horizons: Sequence[int],
    seed: int,
) -> tuple[list[Row], list[Row]]:
    """Return rows of coverage and rows of detection of one model, the prior of its rule.

    Args:
        loaded: an ensemble with Gaussian heads, or a model with a latent variable, which is
            adapted to the window before each start and is not compared as a detector.
        rollouts: recorded runs.
        tags: one for each rollout.
        horizons: steps ahead.
        seed: of the particles.

    Returns:
        `{tag, horizon, n, coverage_50, coverage_90, coverage_99, width_90}`: shares of all changes
        of state within the intervals, and the median width of one in deviations of a change over
        the root of the horizon. `{tag, detector, before, after, area, curve}`: see `detection`.

    Raises:
        UserError: the model knows no variances.
    """
    model, latent = loaded.model, has_latent(loaded)
    if not latent and (not isinstance(model.mlp, Ensemble) or not model.mlp.gaussian):
        raise UserError(
            "calibration: expected an ensemble with Gaussian heads (`head: gaussian`), or a model "
            "with a latent variable (gssm, mlsm_v0, mlsm_v1)"
        )
    data = Transitions.of(model.robot, rollouts)
    changed = np.concatenate([changed_steps(rollout) for rollout in rollouts])
    of_row = np.asarray(tags)[data.rollout.numpy()]
    generator = Generator().manual_seed(seed)
    coverage, detected = list[Row](), list[Row]()
    for tag in (*sorted(set(tags)), ALL):
        own = torch.from_numpy((of_row == tag) | (tag == ALL))
        for h in horizons:
            starts = unmarked(data, h, own)
            if latent:
                starts = LatentParticles(loaded, data, generator).preceded(starts)
            if len(starts):
                coverage.append({"tag": tag, **covered(loaded, data, starts, h, generator)})
        found = [] if latent else detection(loaded, data, own, changed)
        detected += [{"tag": tag, **row} for row in found]
    return coverage, detected


def unmarked(data: Transitions, horizon: int, own: Tensor) -> Tensor:
    """Return the rows among `own` (M,) from which `horizon` transitions are unmarked."""
    starts = data.starts(horizon)
    ahead = starts[:, None] + torch.arange(horizon)
    return starts[(data.keep[ahead].amin(dim=(1, 2)) > 0) & own[starts]]


@torch.inference_mode()
def covered(
    loaded: LoadedModel, data: Transitions, starts: Tensor, horizon: int, generator: Generator
) -> Row:
    """Return the coverage of intervals `horizon` steps ahead of the starts."""
    model, robot, copies = loaded.model, loaded.model.robot, PARTICLES
    if isinstance(model.mlp, Ensemble):
        copies = -(-PARTICLES // len(model.mlp.used)) * len(model.mlp.used)  # of each the same
        reach: Reach = partial(_reached, loaded, data, generator)
    else:
        reach = LatentParticles(loaded, data, generator)
    starts = starts[:: max(1, len(starts) // STARTS)]
    inside, widths = list[Tensor](), list[Tensor]()
    for part in torch.split(starts, max(1, AT_ONCE // copies)):
        first, last = data.states[part], data.next_states[part + horizon - 1]
        reached = reach(part, horizon, copies)
        moved = robot.difference(first[:, None].expand_as(reached), reached)
        within, width = intervals(moved, robot.difference(first, last))
        inside.append(within)
        widths.append(width[1] / model.normalizer.change_std / horizon**0.5)
    shares = torch.cat(inside, dim=1).float().mean(dim=(1, 2)).tolist()
    named = {f"coverage_{100 * p:.0f}": share for p, share in zip(LEVELS, shares, strict=True)}
    return {
        "horizon": horizon,
        "n": len(starts),
        **named,
        "width_90": float(torch.cat(widths).median()),
    }


def _reached(
    loaded: LoadedModel,
    data: Transitions,
    generator: Generator,
    starts: Tensor,
    horizon: int,
    copies: int,
) -> Tensor:
    """Return the states (n, copies, ds) that an ensemble's particles reach from starts (n,)."""
    roll = loaded.model.particles(loaded.parameters, OwnNoise(generator))
    actions = data.actions[starts[:, None] + torch.arange(horizon)]
    begun = (each.repeat_interleave(copies, 0) for each in (data.states[starts], actions))
    return roll(*begun)[:, -1].view(len(starts), copies, -1)


def intervals(particles: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return which truths (n, d) lie between quantiles of particles (n, P, d), and the widths.

    Both (levels, n, d), for the levels `LEVELS`. Of P particles, the k-th smallest is the quantile
    k / (P + 1) (Weibull 1939): a truth that is drawn as the particles are lies below it with that
    probability. torch's quantiles are narrower: their 99 % of 200 particles hold 98.0 %.
    """
    count = particles.shape[1]
    tails = torch.tensor([(1 - level) / 2 for level in LEVELS])
    tails = (((count + 1) * tails - 1) / (count - 1)).clamp_min(0.0)
    low = particles.quantile(tails, dim=1)
    high = particles.quantile(1 - tails, dim=1)
    return (low <= truth) & (truth <= high), high - low


def changed_steps(rollout: Rollout) -> NDArray[np.bool_]:
    """Return whether what actuators give differs from the run's first step, (T,); else False."""
    shares = rollout.effectiveness
    if shares is None or not len(rollout):
        return np.zeros(len(rollout), dtype=bool)
    return np.asarray((shares != shares[0]).any(axis=1))


def detection(
    loaded: LoadedModel, data: Transitions, own: Tensor, changed: NDArray[np.bool_]
) -> list[Row]:
    """Compare steps after a change with those before it, by what could tell them apart.

    `disagreement` is known before a step is made; the errors afterwards, in predicted deviations:
    `error` over all outputs, and `error, 8 steps` of the output that was worst over the last 8
    steps, since a fault shows in few outputs.

    Args:
        loaded: an ensemble with Gaussian heads.
        data: all steps.
        own: (M,), whether a step is among those compared.
        changed: (M,), whether a step comes after the change.

    Returns:
        A row for each detector: medians before and after, area under the ROC curve, and the curve
        as points of false alarms and detections. Empty where no step, or every one, is changed.
    """
    result = []
    for name, (rows, values) in _scores(loaded, data, own).items():
        after = changed[rows.numpy()]
        if not after.any() or after.all():
            continue
        area, curve = roc(values[~after], values[after])
        medians = {
            "before": float(np.median(values[~after])),
            "after": float(np.median(values[after])),
        }
        result.append({"detector": name, **medians, "area": area, "curve": curve})
    return result


@torch.inference_mode()
def _scores(loaded: LoadedModel, data: Transitions, own: Tensor) -> dict[str, tuple[Tensor, Array]]:
    """Return the steps (n,) that each detector judges, and its scores (n,)."""
    model = loaded.model
    found = model.moments(
        loaded.parameters, model.mlp.no_update, data.states[None], data.actions[None]
    )
    assert found.disagreement is not None and found.variance is not None
    unit = model.normalizer.change_std.square()
    error = ((data.changes[None] - found.mean).square() / found.variance)[0]
    rows, begun = unmarked(data, 1, own), unmarked(data, RECENT, own)
    recent = error[begun[:, None] + torch.arange(RECENT)].mean(dim=1).amax(dim=-1)
    squares = {
        "disagreement": (rows, (found.disagreement / unit)[0, rows].mean(dim=-1)),
        "error": (rows, error[rows].mean(dim=-1)),
        f"error, {RECENT} steps": (begun + RECENT - 1, recent),
    }
    return {
        name: (steps, square.sqrt().numpy().astype(float))
        for name, (steps, square) in squares.items()
    }


def roc(before: Array, after: Array) -> tuple[float, list[tuple[float, float]]]:
    """Return the area under the ROC curve (ties count half), and points of the curve.

    before, after: scores (n,) and (m,); a threshold tells those above it to be after the change.
    """
    ordered = np.sort(before)
    below = np.searchsorted(ordered, after, side="left")
    equal = np.searchsorted(ordered, after, side="right") - below
    area = float((below + 0.5 * equal).mean() / len(before))
    thresholds = np.quantile(np.concatenate([before, after]), np.linspace(1, 0, POINTS))
    points = [(float((before > t).mean()), float((after > t).mean())) for t in thresholds]
    return area, [(0.0, 0.0), *points, (1.0, 1.0)]


def coverage_table(rows: Sequence[Row]) -> Table:
    """Return a table of coverage: a row for each model, tag and horizon."""
    names = [f"coverage_{100 * level:.0f}" for level in LEVELS]
    cells = [
        (
            *(str(row[key]) for key in ("model", "tag", "horizon", "n")),
            *(f"{row[name]:.1%}" for name in names),
            f"{row['width_90']:.3g}",
        )
        for row in rows
    ]
    columns = ("model", "tag", "steps", "starts", *(f"{level:.0%}" for level in LEVELS), "width")
    return Table(columns, cells, "Share of changes within the predicted interval of a level")


def detection_table(rows: Sequence[Row]) -> Table:
    """Return a table of detectors: a row for each model, tag and detector."""
    cells = [
        (
            *(str(row[key]) for key in ("model", "tag", "detector")),
            *(f"{row[key]:.3g}" for key in ("before", "after", "area")),
        )
        for row in rows
    ]
    columns = ("model", "tag", "detector", "before", "after", "area")
    return Table(columns, cells, "Steps after a change against those before it: area under the ROC")
