"""Windows of several lengths on recorded runs: settings chosen by evidence, errors, and a bound.

At real noise a step says little, so a window may have to be longer than a run: here it goes on over
the breaks between runs of a session (a live window does not). Settings of each method and window
are chosen by the log-likelihood of the next changes on some runs, and judged on others. The bound
is the same rule, fitted to the rest of the very run that is judged: what came before the predicted
stretch and what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.statistics import bootstrap
from ros_mbmrl.learning.open_loop import prediction_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tune import Grid
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import Array

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Groups = Mapping[str, Mask]

REST = 0  # in place of a window: the rest of the run
LIMIT = 4.0  # normalised errors count for so much at most
BATCH = 64  # windows at a time
STRIDE = 8  # rows from one stretch to the next: neighbours say nearly the same

# Each with its way to forget: a weight that fades with age, or a probability of change.
GRIDS: Mapping[str, Grid] = MappingProxyType(
    {
        "residual": Grid({"gain": (0.25, 0.5, 1.0), "forgetting": (1.0, 0.97, 0.9)}),
        "last_layer": Grid(
            {"signal": (0.03, 0.1), "bias_signal": (0.1, 0.3), "change": (0.0, 0.05)}
        ),
        "kalman_last_layer": Grid(
            {"signal": (0.1, 0.3), "bias_signal": (0.1, 0.3), "change": (0.0, 0.02)}
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
        starts = self.data.starts(least + ahead)
        first = starts[(starts - self._begin(starts)) % stride == 0] + least
        kept = self.data.keep[first[:, None] + torch.arange(ahead)].amin(dim=(1, 2)) > 0
        self.first = first[kept]
        if not len(self.first):
            raise UserError(
                f"nothing to judge: expected runs with {ahead} unmarked transitions in a row "
                f"after {least} others"
            )
        self.tags = [ordered[int(k)].tags for k in self.data.rollout[self.first]]

    @property
    def runs(self) -> Numbers:
        """Return the number of each stretch's run, (n,)."""
        numbers: Numbers = self.data.rollout[self.first].numpy()
        return numbers

    @property
    def places(self) -> Numbers:
        """Return the number of each stretch's first row in its run, (n,)."""
        numbers: Numbers = (self.first - self._begin(self.first)).numpy()
        return numbers

    def _begin(self, rows: Tensor) -> Tensor:
        """Return the first row of each row's run."""
        return torch.searchsorted(self.data.rollout, self.data.rollout[rows])

    def _batches(self) -> list[Tensor]:
        return [self.first[k : k + BATCH] for k in range(0, len(self.first), BATCH)]

    @torch.inference_mode()
    def errors(self, setting: Setting | None, guard: GuardConfig) -> Errors:
        """Return the errors after the guarded update of a setting, of the prior for None."""
        parts = [self._errors(first, setting, guard) for first in self._batches()]
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
        for first in self._batches():
            update: Update = mlp.no_update
            if setting is not None:
                rule = over(make_rule(setting.method, setting.options), mlp)
                update = rule.update(mlp, self.parameters, self._support(first, setting.window))
            future = self.data.support(self.model, self._future(first))
            predicted = mlp.forward_updated(self.parameters, update, future.x).outputs
            error = (predicted - future.y)[..., pose].clamp(-LIMIT, LIMIT)
            total += (future.weight * error.square()).sum(dim=(0, 1))
            count += float(future.weight.sum())
        return (total / count).clamp_min(1e-6)

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
            rows = self._begin(first)[:, None] + torch.arange(int(torch.bincount(run).max()))
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


def by_tag(judge: Judge, tag: str) -> Groups:
    """Return the stretches of each value of a tag."""
    values = np.array([tags.get(tag, "") for tags in judge.tags])
    return {str(value): values == value for value in np.unique(values)}


def rows_of(
    judge: Judge, chosen: Iterable[tuple[Setting, float]], groups: Groups, guard: GuardConfig
) -> list[dict[str, Any]]:
    """Return a row for each setting, group, and horizon; ratios are to no adaptation.

    Keys: method, window, options, evidence, group, horizon, runs, yaw_deg, speed_m_s, those of the
    prior (`yaw_deg_prior`), ratios (`yaw_deg_ratio`) with 95 % intervals by bootstrap over runs,
    accepted_fraction. Errors are means over the stretches of a run, then over runs. The rest of the
    run is not guarded.

    Args:
        groups: masks (n,) of the stretches, by name.
    """
    prior = judge.errors(None, guard)
    rows = []
    for setting, evidence in chosen:
        config = GuardConfig(enabled=False) if setting.window == REST else guard
        own = judge.errors(setting, config)
        facts = {"method": setting.method, "window": setting.window, "evidence": evidence}
        facts["options"] = dict(setting.options)
        for name, here in groups.items():
            figures: dict[str, Any] = {"group": name, "runs": len(np.unique(judge.runs[here]))}
            figures["accepted_fraction"] = float(own.accepted.numpy()[here].mean())
            for k, horizon in enumerate((1, judge.ahead)):
                row = {**facts, **figures, "horizon": horizon}
                rows.append(row | _figures(own, prior, k, judge.runs, here))
    return rows


def _figures(own: Errors, prior: Errors, k: int, runs: Numbers, here: Mask) -> dict[str, Any]:
    """Return the errors at the k-th horizon of the stretches that are `here`."""
    found: dict[str, Any] = {}
    for name, unit in (("yaw_deg", 180 / np.pi), ("speed_m_s", 1.0)):
        pair = (getattr(errors, name.split("_")[0])[:, k].numpy() for errors in (own, prior))
        after, before = (_by_run(unit * each, runs, here) for each in pair)
        found[name], found[f"{name}_prior"] = float(after.mean()), float(before.mean())
        found[f"{name}_ratio"] = float(after.mean() / before.mean())
        interval = bootstrap(after, np.random.default_rng(0), before)
        found[f"{name}_ratio_interval"] = interval
    return found


def _by_run(errors: Array, runs: Numbers, here: Mask) -> Array:
    """Return the mean error of each run that is `here`, (1, runs)."""
    own = np.unique(runs[here])
    return np.array([[errors[here & (runs == run)].mean() for run in own]])
