"""Guard: accepts an adapted model only if it explains recent transitions better than the prior.

Real telemetry has implausible rows, and a gradient step on one of them destroys a model. So
implausible rows do not count, the update is bounded, and it must win a blocked cross-validation
over the window: each fold's transitions are predicted by a model adapted to the other folds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import DOES_NOT_ADAPT, rule_of
from ros_mbmrl.adaptation.base import (
    Adapted,
    AdaptReport,
    Support,
    UpdateRule,
    Window,
    plausible_rows,
    robust_error,
)
from ros_mbmrl.adaptation.members import knowing_prior, over
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import MemberUpdates, memory_of
from ros_mbmrl.networks.groups import network_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import fade
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import InputUpdate, Update


@dataclass(frozen=True)
class GuardConfig:
    """Settings of the guard.

    Args:
        folds: of the cross-validation.
        min_transitions: with fewer, there is no adaptation.
        max_change: largest norm of the update, relative to the prior's.
        margin: the adapted error must be below this share of the prior's.
        enabled: False accepts every finite update.
    """

    folds: int = 4
    min_transitions: int = 6
    max_change: float = 1.0
    margin: float = 1.0
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.folds < 2 or self.min_transitions < self.folds:
            raise ValueError("folds: expected at least 2, and min_transitions at least folds")
        if not (self.max_change > 0 and 0 < self.margin <= 1):
            raise ValueError("max_change: expected above 0; margin: expected in (0, 1]")


@dataclass(frozen=True)
class Verdict:
    """The guard's decision on N tasks, all (N,).

    Args:
        transitions: rows that counted.
        error_before, error_after: robust errors of the prior, and of updates on rows left out of
            them.
        change: norm of the update relative to the prior's.
        accepted: whether the update is used.
        inputs: how the update changes inputs, used or not; None of a rule that does not.
    """

    transitions: Tensor
    error_before: Tensor
    error_after: Tensor
    change: Tensor
    accepted: Tensor
    inputs: InputUpdate | None = None


class Guard:
    """An update rule under guard, for one live window or for a batch of tasks.

    Args:
        rule: that makes the updates.
        parameters: the prior's and the rule's own.
        window_size: T1.
        config: when an update is accepted.
    """

    def __init__(
        self, rule: UpdateRule, parameters: Parameters, window_size: int, config: GuardConfig
    ) -> None:
        self.rule, self.parameters, self.window_size = rule, parameters, window_size
        self.config = config
        self._norm = norm(parameters)
        self._folds = Folds.of(window_size, config.folds, self._norm.device)  # for a full window

    def prior(self) -> Adapted:
        """Return the prior, as it is before there is any transition."""
        report = AdaptReport(0, 0.0, 0.0, 0.0, False, "no transitions yet")
        return Adapted(self.parameters, report)

    @torch.inference_mode()
    def adapt(self, model: DynamicsModel, window: Window) -> Adapted:
        """Return adapted parameters from a live window, or the prior and the reason."""
        if not len(window):
            return self.prior()
        support = support_of(
            model, window.features[None], window.actions[None], window.changes[None]
        )
        update, verdict = self._judge(model.mlp, support)
        accepted = bool(verdict.accepted)
        found = over(self.rule, model.mlp).beliefs(model.robot.spec, update)
        report = AdaptReport(
            transitions=int(verdict.transitions),
            error_before=float(verdict.error_before),
            error_after=float(verdict.error_after if accepted else verdict.error_before),
            change=float(verdict.change),
            accepted=accepted,
            reason=self._reason(verdict),
        )
        beliefs = found[0] if found else {}
        if not accepted:
            return Adapted(self.parameters, report, beliefs=beliefs)
        parameters = model.mlp.materialise(self.parameters, update)
        spread = None if update.spread is None else update.spread[0]
        return Adapted(parameters, report, memory_of(update), beliefs, spread)

    def update(self, mlp: MLP, support: Support) -> tuple[Update, Verdict]:
        """Return guarded updates of N tasks; a refused one is zero."""
        update, verdict = self._judge(mlp, support)
        return update.where(verdict.accepted), verdict

    def _judge(self, mlp: MLP, support: Support) -> tuple[Update, Verdict]:
        """Return updates of N tasks, and which of them are accepted."""
        count, share = support.weight.sum(dim=(1, 2)), support.share[..., 0]
        support = knowing_prior(support, mlp, self.parameters)
        assert support.prior is not None
        before = robust_error(support.prior.outputs - support.y, support.scale)
        before = (before * share).sum(dim=1)
        if not self.rule.adapts:
            zero = torch.zeros_like(before)
            return mlp.no_update, Verdict(count, before, before, zero, zero > 0)
        update, after = self._cross_validate(mlp, support)
        change = (norm_of(update) / self._norm).expand(len(count))
        accepted = torch.isfinite(after + change) & (count > 0)
        config = self.config
        if config.enabled:
            accepted &= (count >= config.min_transitions) & (change <= config.max_change)
            accepted &= after < config.margin * before
        return update, Verdict(count, before, after, change, accepted, update.inputs)

    def _cross_validate(self, mlp: MLP, support: Support) -> tuple[Update, Tensor]:
        """Return updates from all rows, and errors (N,) of rows left out of an update."""
        tasks, length, _ = support.x.shape
        folds = self.config.folds
        full = length == self.window_size
        fold = self._folds if full else Folds.of(length, folds, support.x.device)
        rule = over(self.rule, mlp)
        updates = rule.update(mlp, self.parameters, _copies(support, fold.seen))
        blind = updates.tasks(slice(0, folds * tasks))
        # A left-out row is about a fold away from the rows in the memory.
        blind = fade(self.parameters, blind, max(1, length // folds))

        def fold_by_fold(each: Tensor) -> Tensor:
            picked = each.index_select(1, fold.rows).reshape(tasks, folds, -1, *each.shape[2:])
            return picked.transpose(0, 1)  # (folds, N, rows of a fold, ...)

        x = fold_by_fold(support.x).flatten(0, 1)
        predicted = mlp.forward_updated(self.parameters, blind, x).outputs
        y = fold_by_fold(support.y)
        residual = predicted.reshape(y.shape) - y
        share = fold_by_fold(support.share[..., 0]) * fold.counts
        after = (robust_error(residual, support.scale) * share).sum(dim=(0, 2))
        return updates.tasks(slice(folds * tasks, (folds + 1) * tasks)), after

    def _reason(self, verdict: Verdict) -> str:
        if bool(verdict.accepted):
            return "accepted"
        count, change = int(verdict.transitions), float(verdict.change)
        if count and change == 0.0:
            adapts = self.rule.adapts
            return "the update changes nothing" if adapts else DOES_NOT_ADAPT
        if count < self.config.min_transitions:
            return f"{count} usable transitions, {self.config.min_transitions} needed"
        if not torch.isfinite(verdict.error_after + verdict.change):
            return "non-finite update"
        if change > self.config.max_change:
            return f"update too large: {change:.2f} of the prior's norm"
        before, after = float(verdict.error_before), float(verdict.error_after)
        return f"no better than the prior: {after:.3f} against {before:.3f}"


@dataclass(frozen=True)
class Folds:
    """Blocks of a window's rows; the last ones may be short.

    Args:
        rows: row numbers (folds m,), one fold after the other.
        counts: (folds, 1, m), 0 for a row that only fills its block.
        seen: (folds + 1, 1, T1, 1), 0 for a row that a copy of the window leaves out. Copy f leaves
            out fold f, the last copy nothing.
    """

    rows: Tensor
    counts: Tensor
    seen: Tensor

    @classmethod
    def of(cls, length: int, folds: int, device: torch.device) -> Folds:
        """Return the folds of a window of `length` rows."""
        size = -(-length // folds)
        rows, copies = (torch.arange(n, device=device) for n in (folds * size, folds + 1))
        seen = torch.arange(length, device=device) // size != copies[:, None]
        counts = (rows < length).float().reshape(folds, 1, size)
        return cls(rows.clamp_max(length - 1), counts, seen[:, None, :, None].float())


def _copies(support: Support, seen: Tensor) -> Support:
    """Return copies of all tasks, one after the other, each with its own subset of the rows."""
    # The copies share the rows and the prior's pass over them.
    return replace(support, weight=(support.weight * seen).flatten(0, 1))


def support_of(
    model: DynamicsModel,
    features: Tensor,
    actions: Tensor,
    changes: Tensor,
    weight: Tensor | None = None,
) -> Support:
    """Return the normalised support of raw transitions; implausible rows get weight 0.

    Args:
        model: for its normalisation.
        features, actions, changes: (N, T1, ...), SI units.
        weight: further weights (N, T1, 1); None: all 1.
    """
    raw = model.normalizer.raw_inputs(features, actions)
    y = model.normalizer.changes(changes)
    keep = plausible_rows(raw, y)
    clip = model.normalizer.clip
    scale = features.new_tensor(model.robot.spec.change_weights)
    return Support(
        torch.nan_to_num(raw).clamp(-clip, clip),
        torch.nan_to_num(y).clamp(-10.0, 10.0),
        keep if weight is None else keep * weight,
        scale / scale.mean(),
    )


def norm(parameters: Parameters) -> Tensor:
    """Return the norm (,) of the weights and biases of the network that adaptation changes."""
    own = [value.detach().flatten() for value in network_of(parameters).values()]
    whole: Tensor = torch.linalg.vector_norm(torch.cat(own))
    return whole


def norm_of(update: Update) -> Tensor:
    """Return the norm of each task's update, (N,), or () for none; over all of an ensemble."""
    if isinstance(update, MemberUpdates):
        squares = (norm_of(own).square() for own in update.members)
        return sum(squares, start=torch.zeros(())).sqrt()
    total = torch.zeros(())  # on any device
    for layer in update.layers:
        if layer.left is not None and layer.right is not None:
            # |L^T R|^2 = sum((L L^T) * (R R^T)): no weight matrix is formed
            tasks = max(layer.left.shape[0], layer.right.shape[0])
            gram = spread(_gram(layer.left), tasks) * spread(_gram(layer.right), tasks)
            total = total + gram.sum(dim=(1, 2)).clamp_min(0.0)
        if layer.bias is not None:
            total = total + layer.bias.square().sum(dim=(1, 2))
    if update.attention is not None:  # as the biases that the mean transition would be
        total = total + update.attention.values.square().sum(dim=2).mean(dim=1)
    return total.sqrt()


def _gram(rows: Tensor) -> Tensor:
    gram: Tensor = torch.bmm(rows, rows.mT)
    return gram


def make_guard(loaded: LoadedModel, method: str | None = None, enabled: bool = True) -> Guard:
    """Return the guarded rule of a loaded model, as its card describes it, or of another method.

    Raises:
        UserError: the card's guard or the rule's own parameters are not as expected.
    """
    rule = rule_of(loaded.card, method)
    try:
        config = GuardConfig(**{**(loaded.card.get("guard") or {}), "enabled": enabled})
    except (TypeError, ValueError) as error:
        raise UserError(f"guard settings in the model's card: {error}") from None
    whole = over(rule, loaded.model.mlp)
    own = whole.init(loaded.model.mlp, loaded.parameters, Generator().manual_seed(0))
    for name, value in own.items():
        if name not in loaded.parameters or loaded.parameters[name].shape != value.shape:
            raise UserError(f"the model has no '{name}' as its card's method and options ask for")
    return Guard(rule, loaded.parameters, int(loaded.card["adapt_window"]), config)
