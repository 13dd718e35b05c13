"""Segments: T1 transitions to adapt on, T2 to be judged on, from rollouts held as raw rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.conditioned import modelled_causes
from ros_mbmrl.robots.spec import Robot, RobotSpec

Augment = Callable[[Tensor, Tensor, Tensor, Generator], tuple[Tensor, Tensor, Tensor]]


class TooFewTransitions(UserError):
    """Error: runs are too short, or have too many marks, to learn from or to judge on."""


@dataclass(frozen=True)
class Transitions:
    """All transitions of some rollouts, raw, one after the other.

    features (M, df), actions (M, da), changes (M, dc), keep (M, 1): 0 for a row that is marked
    or not finite.
    states (M, ds), next_states (M, ds). rollout (M,): which rollout a row came from.
    Which rows are taken is decided by keep and rollout, on the CPU wherever the others are.
    """

    features: Tensor
    actions: Tensor
    changes: Tensor
    keep: Tensor
    states: Tensor
    next_states: Tensor
    rollout: Tensor

    @classmethod
    def of(cls, robot: Robot, rollouts: Sequence[Rollout], effective: bool = False) -> Transitions:
        """Stack rollouts.

        Args:
            effective: take actions as they acted, after what actuators have lost, and causes as
                they were, if the robot's model has inputs for them.

        Raises:
            UserError: there is none, one is of another robot, or what acted is unknown.
        """
        if not rollouts:
            raise UserError("no rollouts: expected at least one")
        for rollout in rollouts:
            if rollout.robot != robot.spec.name:
                raise UserError(f"a rollout of '{rollout.robot}': expected '{robot.spec.name}'")
        states = torch.from_numpy(np.concatenate([r.states[:-1] for r in rollouts]))
        next_states = torch.from_numpy(np.concatenate([r.states[1:] for r in rollouts]))
        given = [acted(r) if effective else r.actions for r in rollouts]
        actions = torch.from_numpy(np.concatenate(given))
        features = robot.features(states)
        if effective and (causes := modelled_causes(robot.spec)):
            known = [causes_of(r, len(causes)) for r in rollouts]
            features[:, -len(causes) :] = torch.from_numpy(np.concatenate(known))
        marks = torch.from_numpy(np.concatenate([r.marks for r in rollouts]))
        finite = torch.cat([states, actions, next_states], dim=1).isfinite().all(dim=1)
        return cls(
            features=features,
            actions=actions,
            changes=robot.difference(states, next_states),
            keep=((marks == 0) & finite).float()[:, None],
            states=states,
            next_states=next_states,
            rollout=torch.repeat_interleave(torch.tensor([len(r) for r in rollouts])),
        )

    def __len__(self) -> int:
        return len(self.actions)

    def to(self, device: torch.device) -> Transitions:
        """Return the same with the rows that are computed with on a device."""
        names = ("features", "actions", "changes", "states", "next_states")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def seen_by(self, robot: Robot) -> Transitions:
        """Return the same with the features of a model from before."""
        return replace(self, features=robot.features(self.states))

    def normalizer(self) -> Normalizer:
        """Return statistics over every row that is kept. Raises UserError if there is none."""
        kept = self.keep[:, 0] > 0
        if not kept.any():
            raise TooFewTransitions("every transition is marked: expected some to train on")
        inputs = torch.cat([self.features, self.actions], dim=-1)
        return Normalizer.fit(inputs[kept], self.changes[kept])

    def plausible(self, model: DynamicsModel) -> tuple[Tensor, Tensor]:
        """Return normalised inputs (M, inputs) and changes (M, dc) of the rows to learn from."""
        kept = self.keep[:, 0] > 0
        features, actions, changes = self.features[kept], self.actions[kept], self.changes[kept]
        support = support_of(model, features[None], actions[None], changes[None])
        well = support.weight[0, :, 0] > 0
        return support.x[0][well], support.y[0][well]

    def starts(self, length: int) -> Tensor:
        """Return the rows from which `length` transitions follow each other in the same rollout."""
        count = len(self) - length + 1
        if count <= 0:
            return torch.zeros(0, dtype=torch.long)
        first, last = self.rollout[:count], self.rollout[length - 1 :]
        return torch.nonzero(first == last)[:, 0]

    def support(self, model: DynamicsModel, rows: Tensor, marks: bool = True) -> Support:
        """Return the support of rows (N, T).

        Without `marks` a marked row counts like any other: the live robot has no hindsight.
        """
        weight = self.keep[rows] if marks else torch.ones_like(self.keep[rows])
        raw = self.features[rows], self.actions[rows], self.changes[rows]
        return support_of(model, *raw, weight.to(raw[0].device))


def acted(rollout: Rollout) -> NDArray[np.float32]:
    """Return the actions (T, da) as they acted. Raises UserError where that is unknown."""
    if rollout.effectiveness is None:
        raise UserError(
            "a rollout does not tell what its actuators have lost: expected data from simulation "
            "that do (`mbmrl train` gathers such)"
        )
    return rollout.actions * rollout.effectiveness


def causes_of(rollout: Rollout, count: int) -> NDArray[np.float32]:
    """Return the causes (T, count) beside the actuators. Raises UserError if they are unknown."""
    if rollout.causes is None or rollout.causes.shape[1] != count:
        got = "none" if rollout.causes is None else str(rollout.causes.shape[1])
        raise UserError(f"a rollout does not tell its causes: expected {count}, got {got}")
    return rollout.causes


def has_changes(spec: RobotSpec, rollouts: Sequence[Rollout]) -> bool:
    """Tell whether any rollout tells a cause beside the actuators that is not at its default."""
    defaults = np.array([cause.default for cause in spec.causes], dtype=np.float32)
    told = [r.causes for r in rollouts if r.causes is not None]
    return any(bool((causes != defaults).any()) for causes in told)


def has_losses(rollouts: Sequence[Rollout]) -> bool:
    """Tell whether any rollout tells an actuator that gave less, or more, than it should."""
    told = [r.effectiveness for r in rollouts if r.effectiveness is not None]
    return any(bool((shares != 1).any()) for shares in told)


class SegmentSampler:
    """Draws segments tau[t - T1 : t], tau[t : t + T2] uniformly (Algorithm 9, line 9)."""

    def __init__(
        self,
        data: Transitions,
        adapt_windows: Sequence[int],
        predict_window: int,
        augment: Augment | None = None,
    ) -> None:
        self._data, self._windows = data, torch.tensor(list(adapt_windows))
        self._augment = augment
        self._longest, self._predict_window = max(adapt_windows), predict_window
        self._starts = data.starts(self._longest + predict_window)
        if not len(self._starts):
            needed = self._longest + predict_window
            raise TooFewTransitions(
                f"no run is long enough: expected at least {needed} transitions"
            )

    def bootstrapped(self, generator: Generator) -> SegmentSampler:
        """Return a sampler of as many segments, drawn with replacement (Efron 1979)."""
        own, count = copy(self), len(self._starts)
        own._starts = self._starts[torch.randint(count, (count,), generator=generator)]
        return own

    def every_row(self, model: DynamicsModel) -> tuple[Tensor, Tensor]:
        """Return normalised inputs (M, inputs) and changes (M, dc) of every row that is kept.

        An ensemble is fitted to single transitions; the robot's augmentation is for segments.
        """
        return self._data.plausible(model)

    def draw(
        self, model: DynamicsModel, count: int, generator: Generator
    ) -> tuple[Support, Support]:
        """Draw `count` pairs of past (T1 of it drawn from the given lengths) and future."""
        pick = torch.randint(len(self._starts), (count,), generator=generator)
        rows = self._starts[pick][:, None] + torch.arange(self._longest + self._predict_window)
        window = self._windows[torch.randint(len(self._windows), (count,), generator=generator)]
        keep = self._data.keep[rows]
        age = torch.arange(self._longest, 0, -1)
        keep[:, : self._longest] *= (age <= window[:, None]).to(keep.dtype)[..., None]
        raw = self._data.features[rows], self._data.actions[rows], self._data.changes[rows]
        if self._augment is not None:
            raw = self._augment(*raw, generator)
        both = support_of(model, *raw, keep.to(raw[0].device))
        cut = self._longest
        past = Support(both.x[:, :cut], both.y[:, :cut], both.weight[:, :cut], both.scale)
        return past, Support(both.x[:, cut:], both.y[:, cut:], both.weight[:, cut:], both.scale)
