"""Windows of several lengths on recorded runs: settings chosen by evidence, errors, and a bound.

At real noise a step says little, so a window may have to be longer than a run: here it goes on over
the breaks between runs of a session (a live window does not). Settings of each method and window
are chosen by the log-likelihood of the next changes on some runs, and judged on others. The bound
is the same rule, fitted to the rest of the very run that is judged: what came before the predicted
stretch and what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.statistics import bootstrap
from ros_mbmrl.learning.open_loop import prediction_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tune import Grid
from ros_mbmrl.networks.mlp import Update

REST = 0  # in place of a window: the rest of the run
LIMIT = 4.0  # normalised errors count for so much at most
BATCH = 64  # windows at a time

# Each with its way to forget: a weight that fades with age, or a probability of change.
GRIDS: Mapping[str, Grid] = MappingProxyType(
    {
        "residual": Grid({"gain": (0.25, 0.5, 1.0), "forgetting": (1.0, 0.97, 0.9)}),
        "last_layer": Grid(
            {"signal": (0.03, 0.1), "bias_signal": (0.1, 0.3), "change": (0.0, 0.05)}
        ),
        "kalman_last_layer": Grid(
            {"signal": (0.1, 0.3), "bias_signal": (0.1, 0.3), "change": (0.0, 0.01, 0.05)}
        ),
    }
)
STEADY = MappingProxyType({"forgetting": 1.0, "change": 0.0})  # nothing is forgotten


@dataclass(frozen=True)
class Setting:
    """A method, its window (REST: the rest of the run) and the options of its rule."""

    method: str
    window: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Errors:
    """Absolute errors of n predicted stretches, 1 and H steps ahead.

    Args:
        yaw: (n, 2) [rad].
        speed: (n, 2), of the place over the time to it [m/s].
        accepted: (n,), whether the guard took the update.
    """

    yaw: Tensor
    speed: Tensor
    accepted: Tensor


class Judge:
    """Stretches of recorded runs to be predicted by one model, after any setting's update.

    Every setting predicts the same stretches.

    Args:
        loaded: the model, whose own rule is not used.
        rollouts: those of a session in the order in which they were recorded.
        least: transitions of the same run before a stretch, at least.
        ahead: H, length of a stretch.
        stride: rows from one stretch to the next.
    """

    def __init__(
        self, loaded: LoadedModel, rollouts: Sequence[Rollout], least: int, ahead: int, stride: int
    ) -> None:
        self.model, self.parameters, self.ahead = loaded.model, loaded.parameters, ahead
        ordered = sorted(rollouts, key=lambda rollout: rollout.tags.get("session", ""))
        self.data = Transitions.of(self.model.robot, ordered)
        names = [rollout.tags.get("session", "") for rollout in ordered]
        numbers = {name: k for k, name in enumerate(dict.fromkeys(names))}
        self._session = torch.tensor([numbers[name] for name in names])[self.data.rollout]
        first = self.data.starts(least + ahead)[::stride] + least
        kept = self.data.keep[first[:, None] + torch.arange(ahead)].amin(dim=(1, 2)) > 0
        self.first = first[kept]
        if not len(self.first):
            raise UserError(
                f"nothing to judge: expected runs with {ahead} unmarked transitions in a row "
                f"after {least} others"
            )
        self.tags = [ordered[int(k)].tags for k in self.data.rollout[self.first]]

    @property
    def runs(self) -> Tensor:
        """Return the number of each stretch's run, (n,)."""
        return self.data.rollout[self.first]

    @torch.inference_mode()
    def errors(self, setting: Setting | None, guard: GuardConfig) -> Errors:
        """Return the errors after the guarded update of a setting, of the prior for None."""
        parts = [self._errors(first, setting, guard) for first in self.first.split(BATCH)]
        return Errors(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _errors(
        self, first: Tensor, setting: Setting | None, guard: GuardConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        future, mlp = self._future(first), self.model.mlp
        update, accepted = mlp.no_update, torch.zeros(len(first), dtype=torch.bool)
        if setting is not None:
            rule = make_rule(setting.method, setting.options)
            support = self._support(first, setting.window)
            guarded = Guard(rule, self.parameters, support.x.shape[1], guard)
            update, verdict = guarded.update(mlp, support)
            accepted = verdict.accepted
        errors = prediction_errors(self.model, self.parameters, self.data, future, update)
        ends = [0, self.ahead - 1]
        seconds = self.model.robot.spec.period * torch.tensor([1.0, self.ahead])
        return errors[2][:, ends], errors[1][:, ends] / seconds, accepted

    @torch.inference_mode()
    def mean_squares(self, setting: Setting | None) -> Tensor:
        """Return the mean square errors of one step (P,) over all stretches, normalised.

        P: the changes of the pose, in metres and radians. The update is the rule's, without guard.
        """
        spec, mlp = self.model.robot.spec, self.model.mlp
        pose = [k for k, change in enumerate(spec.changes) if change.unit in ("m", "rad")]
        total, count = torch.zeros(len(pose)), 0.0
        for first in self.first.split(BATCH):
            update: Update = mlp.no_update
            if setting is not None:
                rule = make_rule(setting.method, setting.options)
                update = rule.update(mlp, self.parameters, self._support(first, setting.window))
            future = self.data.support(self.model, self._future(first))
            predicted = mlp.forward_updated(self.parameters, update, future.x).outputs
            error = (predicted - future.y)[..., pose].clamp(-LIMIT, LIMIT)
            total += (future.weight * error.square()).sum(dim=(0, 1))
            count += float(future.weight.sum())
        return total / count

    def evidence(self, setting: Setting) -> float:
        """Return the log-likelihood of a row's changes less that under the prior [nats].

        Gaussian, with the most likely variance of each change.
        """
        ratio = self.mean_squares(setting) / self.mean_squares(None)
        return float(-0.5 * ratio.log().sum())

    def _future(self, first: Tensor) -> Tensor:
        return first[:, None] + torch.arange(self.ahead)

    def _support(self, first: Tensor, window: int) -> Support:
        """Return the rows to adapt on; those of another session or run have weight 0."""
        data, begins = self.data, first[:, None]
        if window == REST:
            run = data.rollout
            start = torch.searchsorted(run, run[first])[:, None]
            rows = start + torch.arange(int(torch.bincount(run).max()))
            rows = rows.clamp_max(len(data) - 1)
            known = (run[rows] == run[begins]) & ((rows < begins) | (rows >= begins + self.ahead))
        else:
            rows = begins - torch.arange(window, 0, -1)
            known = rows >= 0
            rows = rows.clamp_min(0)
            known &= self._session[rows] == self._session[begins]
        support = data.support(self.model, rows, marks=False)
        weight = support.weight * known[..., None]
        return Support(support.x, support.y, weight, support.scale)


def choose_settings(
    judge: Judge, methods: Sequence[str], windows: Sequence[int]
) -> Iterator[tuple[Setting, float]]:
    """Yield for each method and window the setting of most evidence, and its evidence.

    After the windows of a method comes the rest of the run, with the options that forget nothing.
    """
    for method in methods:
        for window in (*windows, REST):
            options = GRIDS[method].all_options()
            if window == REST:
                options = [o for o in options if all(STEADY.get(n, v) == v for n, v in o.items())]
            settings = [Setting(method, window, each) for each in options]
            yield max(((s, judge.evidence(s)) for s in settings), key=lambda pair: pair[1])


def rows_of(
    judge: Judge, chosen: Sequence[tuple[Setting, float]], tag: str, guard: GuardConfig, seed: int
) -> list[dict[str, Any]]:
    """Return a row for each setting, value of `tag`, and horizon; ratios are to no adaptation.

    Keys: method, window, options, evidence, tag, horizon, runs, yaw_deg, speed_m_s, their ratios
    (`yaw_ratio`) with 95 % intervals by bootstrap over runs, accepted_fraction. Errors are means
    over the stretches of a run, then over runs. The rest of the run is not guarded.
    """
    prior = judge.errors(None, guard)
    tags = np.array([tags.get(tag, "") for tags in judge.tags])
    rows = []
    for setting, evidence in chosen:
        config = GuardConfig(enabled=False) if setting.window == REST else guard
        own = judge.errors(setting, config)
        facts = {"method": setting.method, "window": setting.window, "evidence": evidence}
        for value in sorted(set(tags)):
            here = torch.from_numpy(tags == value)
            runs = judge.runs[here]
            for k, horizon in enumerate((1, judge.ahead)):
                row = {**facts, "options": dict(setting.options), tag: value, "horizon": horizon}
                row["accepted_fraction"] = float(own.accepted[here].float().mean())
                row["runs"] = len(runs.unique())
                for name, unit in (("yaw", 180 / np.pi), ("speed", 1.0)):
                    after, before = (getattr(e, name)[here, k] * unit for e in (own, prior))
                    row |= _ratio(name, _by_run(after, runs), _by_run(before, runs), seed)
                rows.append(row)
    return rows


def _by_run(errors: Tensor, runs: Tensor) -> np.ndarray:
    """Return the mean error of each run, (1, runs)."""
    return np.array([[float(errors[runs == run].mean()) for run in runs.unique()]])


def _ratio(name: str, after: np.ndarray, before: np.ndarray, seed: int) -> dict[str, Any]:
    interval = bootstrap(after, np.random.default_rng(seed), before)
    return {
        name: float(after.mean()),
        f"{name}_prior": float(before.mean()),
        f"{name}_ratio": float(after.mean() / before.mean()),
        f"{name}_interval": interval,
    }
