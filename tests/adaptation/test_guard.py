"""The guard: what it accepts, what it refuses and why; nothing wild gets through."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.base import Adapted, Support, UpdateRule, Window, robust_error
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.guard import Guard, GuardConfig, norm, norm_of, support_of
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.adaptation.rebal import ReBAL
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import fade
from ros_mbmrl.networks.updates import LayerUpdate, Update
from ros_mbmrl.robots.spec import Robot

RULES: dict[str, UpdateRule] = {
    "residual": MeanResidual(),
    "mb_de": GradientStep(steps=3, step=0.05, bias_step=0.3),
    "grbal": GradientStep(steps=2, step=0.05, bias_step=0.5, meta_trained=True),
    "context": Context(hidden=8, size=4),
    "rebal": ReBAL(size=4),
}
SHIFT = torch.tensor([1.5, -1.0, 0.5, 0.0])


@pytest.fixture
def model(robot: Robot) -> DynamicsModel:
    """A network on data of mean 0 and deviation 1."""
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4))
    return DynamicsModel(robot, MLP((3, 16, 4)), normalizer)


def parameters_of(model: DynamicsModel, rule: UpdateRule) -> Parameters:
    g = torch.Generator().manual_seed(0)
    parameters = model.mlp.init(g)
    own = rule.init(model.mlp, parameters, g)
    own = {n: v + 0.1 * torch.randn(v.shape, generator=g) for n, v in own.items()}
    return {**parameters, **own}


def guard_of(model: DynamicsModel, rule: UpdateRule, **config: float) -> Guard:
    return Guard(rule, parameters_of(model, rule), 16, GuardConfig(**config))  # type: ignore[arg-type]


def window_of(
    model: DynamicsModel,
    guard: Guard,
    shift: Tensor,
    noise: float = 0.1,
    rows: int = 16,
    seed: int = 0,
) -> Window:
    """Transitions of a system that is the prior but for a constant shift, and noise."""
    g = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 1, generator=g)
    actions = torch.randn(rows, 2, generator=g)
    changes = model.predict(guard.parameters, features, actions) + shift
    return Window(features, actions, changes + noise * torch.randn(rows, 4, generator=g))


def same(a: Parameters, b: Parameters) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def finite(adapted: Adapted) -> bool:
    report = adapted.report
    numbers = torch.tensor([report.error_before, report.error_after])
    values = [numbers, *adapted.parameters.values()]
    return all(bool(torch.isfinite(value).all()) for value in values)


def error(model: DynamicsModel, parameters: Parameters, window: Window) -> float:
    predicted = model.predict(parameters, window.features, window.actions)
    return float((predicted - window.changes).square().mean())


@pytest.mark.parametrize("name", ["residual", "mb_de", "grbal"])
def test_a_clear_improvement_is_accepted(model: DynamicsModel, name: str) -> None:
    guard = guard_of(model, RULES[name])
    adapted = guard.adapt(model, window_of(model, guard, SHIFT))
    assert adapted.report.accepted
    assert adapted.report.reason == "accepted"
    assert adapted.report.transitions == 16
    assert adapted.report.error_after < 0.7 * adapted.report.error_before
    unseen = window_of(model, guard, SHIFT, seed=9)
    before = error(model, guard.parameters, unseen)
    assert error(model, adapted.parameters, unseen) < 0.7 * before


@pytest.mark.parametrize("name", ["residual", "mb_de", "grbal"])
def test_pure_noise_is_mostly_refused_and_never_does_much_harm(
    model: DynamicsModel, name: str
) -> None:
    guard = guard_of(model, RULES[name])
    calm = torch.zeros(4)
    results = [
        guard.adapt(model, window_of(model, guard, calm, noise=0.5, seed=k)) for k in range(100)
    ]
    assert sum(r.report.accepted for r in results) < 40  # of 100
    unseen = window_of(model, guard, calm, noise=0.5, rows=500, seed=1000)
    floor = error(model, guard.parameters, unseen)
    assert max(error(model, r.parameters, unseen) for r in results) < 1.3 * floor


@pytest.mark.parametrize("name", RULES)
def test_adapting_twice_gives_the_same_and_never_writes_to_the_prior(
    model: DynamicsModel, name: str
) -> None:
    guard = guard_of(model, RULES[name], enabled=False)
    before = {key: value.clone() for key, value in guard.parameters.items()}
    window = window_of(model, guard, SHIFT)
    first = guard.adapt(model, window)
    guard.adapt(model, window_of(model, guard, -SHIFT, seed=3))
    second = guard.adapt(model, window)
    assert first.report == second.report
    assert same(first.parameters, second.parameters)
    assert first.report.accepted
    if name == "rebal":  # a memory beside the prior
        assert first.hidden is not None
        assert second.hidden is not None
        assert torch.equal(first.hidden, second.hidden)
    else:
        assert first.hidden is None
        assert not same(first.parameters, guard.parameters)
    assert same(guard.parameters, before)


@pytest.mark.parametrize("name", ["residual", "mb_de", "grbal"])
@pytest.mark.parametrize("value", [1e3, 1e30, torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("part", ["features", "changes"])
def test_one_wild_row_has_no_weight(
    model: DynamicsModel, name: str, part: str, value: float
) -> None:
    guard = guard_of(model, RULES[name])
    window = window_of(model, guard, SHIFT)
    clean = guard.adapt(model, window)
    getattr(window, part)[7, 0] = value
    adapted = guard.adapt(model, window)
    assert adapted.report.accepted
    assert adapted.report.transitions == 15
    assert finite(adapted)
    unseen = window_of(model, guard, SHIFT, seed=9)
    assert error(model, adapted.parameters, unseen) < 1.2 * error(model, clean.parameters, unseen)


def test_a_naive_step_is_destroyed_by_the_row_that_the_guard_leaves_out(
    model: DynamicsModel,
) -> None:
    rule = GradientStep(steps=3, step=0.1, bias_step=0.1, limit=1e9)
    guard = guard_of(model, rule)
    window = window_of(model, guard, SHIFT)
    window.changes[7] = 1e4
    naive = Support(
        torch.cat([window.features, window.actions], dim=1)[None],
        window.changes[None],
        torch.ones(1, 16, 1),
        torch.ones(4),
    )
    wrecked = model.mlp.materialise(
        guard.parameters, rule.update(model.mlp, guard.parameters, naive)
    )
    unseen = window_of(model, guard, SHIFT, seed=9)
    before = error(model, guard.parameters, unseen)
    assert error(model, wrecked, unseen) > 100 * before
    assert error(model, guard.adapt(model, window).parameters, unseen) < before


def test_wild_rows_by_hand(model: DynamicsModel) -> None:
    features, actions, changes = torch.zeros(1, 4, 1), torch.zeros(1, 4, 2), torch.zeros(1, 4, 4)
    features[0, 1] = 11.0  # deviations: beyond ten no sensor can mean it
    changes[0, 2, 3] = torch.nan
    features[0, 3] = 9.0  # far, but possible: clipped to six
    support = support_of(model, features, actions, changes)
    assert support.weight[0, :, 0].tolist() == [1, 0, 0, 1]
    assert support.x[0, :, 0].tolist() == [0, 6, 0, 6]
    assert torch.isfinite(support.x).all()
    assert torch.isfinite(support.y).all()
    assert support.scale.mean() == 1.0


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", RULES)
def test_a_window_of_nan_is_refused(model: DynamicsModel, name: str, enabled: bool) -> None:
    guard = guard_of(model, RULES[name], enabled=enabled)
    window = Window(torch.full((16, 1), torch.nan), torch.zeros(16, 2), torch.zeros(16, 4))
    adapted = guard.adapt(model, window)
    assert adapted.parameters is guard.parameters
    assert not adapted.report.accepted
    assert adapted.report.reason == "0 usable transitions, 6 needed"
    assert finite(adapted)


def test_no_transitions_yet(model: DynamicsModel) -> None:
    guard = guard_of(model, MeanResidual())
    adapted = guard.adapt(model, Window(torch.zeros(0, 1), torch.zeros(0, 2), torch.zeros(0, 4)))
    assert adapted.parameters is guard.parameters
    assert adapted.report.reason == "no transitions yet"
    assert adapted.report.transitions == 0


def test_too_few_transitions(model: DynamicsModel) -> None:
    guard = guard_of(model, MeanResidual())
    adapted = guard.adapt(model, window_of(model, guard, SHIFT, rows=5))
    assert adapted.report.reason == "5 usable transitions, 6 needed"
    assert not adapted.report.accepted
    assert adapted.parameters is guard.parameters
    assert guard.adapt(model, window_of(model, guard, SHIFT, rows=6)).report.accepted


def test_a_method_that_does_not_adapt_says_so(model: DynamicsModel) -> None:
    guard = guard_of(model, Prior())
    adapted = guard.adapt(model, window_of(model, guard, SHIFT))
    assert adapted.report.reason == "the method does not adapt"
    assert adapted.report.error_after == adapted.report.error_before > 0
    assert adapted.parameters is guard.parameters


def test_an_update_that_is_zero_is_told_from_a_method_that_does_not_adapt(
    model: DynamicsModel,
) -> None:
    class Idle(Prior):
        adapts = True

    guard = guard_of(model, Idle())
    adapted = guard.adapt(model, window_of(model, guard, SHIFT))
    assert adapted.report.reason == "the update changes nothing"
    assert adapted.parameters is guard.parameters


def test_a_method_that_does_not_adapt_is_not_cross_validated(model: DynamicsModel) -> None:
    guard = guard_of(model, Prior())
    guard.rule.update = None  # type: ignore[method-assign, assignment]
    update, verdict = guard.update(model.mlp, self_support(1.0))
    assert update == model.mlp.no_update
    y = self_support(1.0).y - model.mlp.forward(guard.parameters, self_support(1.0).x)
    expected = y.clamp(-4, 4).square().mean(dim=(1, 2))
    torch.testing.assert_close(verdict.error_before, expected)
    assert torch.equal(verdict.error_after, verdict.error_before)


def test_an_update_that_is_too_large_is_refused(model: DynamicsModel) -> None:
    guard = guard_of(model, MeanResidual(gain=1.0), max_change=0.01)
    adapted = guard.adapt(model, window_of(model, guard, SHIFT))
    assert adapted.report.reason.startswith("update too large")
    assert adapted.report.change > 0.01
    assert adapted.parameters is guard.parameters


def test_what_is_accepted_is_within_the_bound(model: DynamicsModel) -> None:
    for gain in (0.1, 0.5, 1.0):
        guard = guard_of(model, MeanResidual(gain=gain), max_change=0.2)
        adapted = guard.adapt(model, window_of(model, guard, SHIFT))
        delta = [(adapted.parameters[n] - guard.parameters[n]).flatten() for n in guard.parameters]
        own = torch.cat([v.flatten() for v in guard.parameters.values()]).norm()
        moved = float(torch.cat(delta).norm() / own)
        assert moved <= 0.2
        assert adapted.report.accepted == (moved > 0)


def test_no_better_than_the_prior_is_refused_with_both_numbers(model: DynamicsModel) -> None:
    guard = guard_of(model, GradientStep(step=0.5, bias_step=5.0), max_change=1e9)
    adapted = guard.adapt(model, window_of(model, guard, torch.zeros(4), noise=0.5))
    assert adapted.report.reason.startswith("no better than the prior: ")
    assert f"against {adapted.report.error_before:.3f}" in adapted.report.reason


@dataclass(frozen=True)
class Exploding(UpdateRule):
    """An update of NaN for tasks whose first input is positive."""

    seen: list[int] = field(default_factory=list)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        bad = support.x[:, :1, :1] > 0
        bias = torch.where(bad, torch.nan, 0.1).expand(-1, 1, 4)
        return Update((*mlp.no_update.layers[:-1], LayerUpdate(bias=bias)))


@pytest.mark.parametrize("enabled", [True, False])
def test_a_non_finite_update_is_refused_even_without_the_guard(
    model: DynamicsModel, enabled: bool
) -> None:
    guard = guard_of(model, Exploding(), enabled=enabled)
    window = window_of(model, guard, SHIFT)
    window.features[0] = 1.0
    adapted = guard.adapt(model, window)
    assert adapted.report.reason == "non-finite update"
    assert finite(adapted)
    assert adapted.parameters is guard.parameters


def test_a_refused_task_does_not_spoil_its_batch(model: DynamicsModel) -> None:
    guard = guard_of(model, Exploding(), enabled=False)
    x, y = torch.randn(2, 8, 3), torch.randn(2, 8, 4)
    x[0, 0, 0], x[1, 0, 0] = 1.0, -1.0
    support = Support(x, y, torch.ones(2, 8, 1), torch.ones(4))
    update, verdict = guard.update(model.mlp, support)
    assert verdict.accepted.tolist() == [False, True]
    output, _, _ = model.mlp.forward_updated(guard.parameters, update, x)
    torch.testing.assert_close(output[0], model.mlp.forward(guard.parameters, x[0]))
    torch.testing.assert_close(output[1], model.mlp.forward(guard.parameters, x[1]) + 0.1)


def test_a_batch_gets_what_each_task_gets_alone(model: DynamicsModel) -> None:
    guard = guard_of(model, RULES["grbal"])
    windows = [window_of(model, guard, k * SHIFT, noise=0.3, seed=k) for k in range(4)]
    parts = ("features", "actions", "changes")
    support = support_of(
        model, *(torch.stack([getattr(w, part) for w in windows]) for part in parts)
    )
    update, verdict = guard.update(model.mlp, support)
    x = torch.randn(4, 3, 3)
    together, _, _ = model.mlp.forward_updated(guard.parameters, update, x)
    for k, window in enumerate(windows):
        alone = guard.adapt(model, window)
        assert bool(verdict.accepted[k]) == alone.report.accepted
        own = model.mlp.forward(alone.parameters, x[k])
        torch.testing.assert_close(together[k], own, rtol=1e-4, atol=1e-5)


@dataclass(frozen=True)
class Spy(UpdateRule):
    """The mean residual; keeps what it was shown."""

    seen: list[Support] = field(default_factory=list)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        self.seen.append(support)
        return MeanResidual(gain=1.0).update(mlp, parameters, support)


@pytest.mark.parametrize("length", [4, 6, 7, 16])
def test_every_row_is_predicted_by_a_model_that_has_not_seen_it(
    model: DynamicsModel, length: int
) -> None:
    spy = Spy()
    guard = guard_of(model, spy)
    window = window_of(model, guard, SHIFT, rows=length)
    guard.adapt(model, window)
    weight = spy.seen[0].weight[..., 0]
    assert weight.shape == (5, length)
    assert weight[-1].tolist() == [1.0] * length  # the last copy sees all
    assert (1 - weight[:-1]).sum(dim=0).tolist() == [1.0] * length  # each row misses in one other


@pytest.mark.parametrize("name", RULES)
def test_a_held_out_rows_outcome_does_not_change_the_model_that_predicts_it(
    model: DynamicsModel, name: str
) -> None:
    rule = RULES[name]
    parameters = parameters_of(model, rule)
    spy = Spy()
    Guard(spy, parameters, 16, GuardConfig()).update(model.mlp, self_support(0.0))
    for row in (0, 7, 15):
        weight = spy.seen[0].weight[:-1, row, 0]
        fold = int(torch.nonzero(weight == 0))
        held = spy.seen[0].weight[fold : fold + 1]
        outputs = []
        for amount in (0.0, 5.0):
            support = self_support(amount, row)
            copy = Support(support.x, support.y, held, support.scale)
            update = rule.update(model.mlp, parameters, copy)
            outputs.append(model.mlp.forward_updated(parameters, update, support.x)[0])
        assert torch.equal(*outputs)


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize(("tasks", "length"), [(1, 16), (1, 7), (1, 2), (3, 9)])
def test_what_is_shared_by_the_folds_equals_each_fold_for_itself(
    model: DynamicsModel, name: str, tasks: int, length: int
) -> None:
    rule = make_rule(name)
    parameters = parameters_of(model, rule)
    guard = Guard(rule, parameters, 16, GuardConfig(enabled=False))
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(tasks, length, 3, generator=g), torch.randn(tasks, length, 4, generator=g)
    weight = torch.ones(tasks, length, 1)
    weight[:, 1] = 0.0
    support = Support(x, y, weight, torch.tensor([0.5, 1.5, 1.0, 1.0]))
    update, verdict = guard.update(model.mlp, support)

    def straight(n: int) -> tuple[Tensor, Tensor]:
        """Outputs of the model adapted to all rows, and the error of the folds' models."""
        own = (x[n : n + 1], y[n : n + 1])
        whole = rule.update(model.mlp, parameters, Support(*own, weight[n : n + 1], support.scale))
        after = torch.zeros(())
        for rows in torch.arange(length).chunk(guard.config.folds):
            kept = weight[n : n + 1].clone()
            kept[:, rows] = 0.0
            blind = rule.update(model.mlp, parameters, Support(*own, kept, support.scale))
            blind = fade(parameters, blind, max(1, length // guard.config.folds))
            got = model.mlp.forward_updated(parameters, blind, own[0]).outputs
            error = robust_error(got - own[1], support.scale)
            after = after + (error * support.share[n, :, 0])[:, rows].sum()
        return model.mlp.forward_updated(parameters, whole, own[0]).outputs, after

    together = model.mlp.forward_updated(parameters, update, x).outputs
    for n in range(tasks):
        outputs, after = straight(n)
        if rule.adapts:
            torch.testing.assert_close(verdict.error_after[n], after, rtol=1e-4, atol=1e-5)
        if bool(verdict.accepted[n]):
            torch.testing.assert_close(together[n], outputs[0], rtol=1e-5, atol=1e-5)
    assert rule.adapts == bool(verdict.accepted.any())


def self_support(amount: float, row: int = 0) -> Support:
    g = torch.Generator().manual_seed(4)
    x, y = torch.randn(1, 16, 3, generator=g), torch.randn(1, 16, 4, generator=g)
    y[0, row] += amount
    return Support(x, y, torch.ones(1, 16, 1), torch.ones(4))


def test_cross_validated_error_of_the_mean_residual_by_hand(robot: Robot) -> None:
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4))
    model = DynamicsModel(robot, MLP((3, 4)), normalizer)
    parameters = {"w0": torch.zeros(3, 4), "b0": torch.zeros(4)}
    guard = Guard(
        MeanResidual(gain=1.0), parameters, 4, GuardConfig(folds=2, min_transitions=2, max_change=9)
    )
    y = torch.tensor([1.0, 2.0, 2.0, 3.0]).reshape(1, 4, 1).expand(1, 4, 4)
    support = Support(torch.zeros(1, 4, 3), y, torch.ones(1, 4, 1), torch.ones(4))
    _, verdict = guard.update(model.mlp, support)
    assert float(verdict.error_before) == pytest.approx((1 + 4 + 4 + 9) / 4)
    # the halves' means, 1.5 and 2.5, predict each other's rows
    assert float(verdict.error_after) == pytest.approx((1.5**2 + 0.5**2 + 0.5**2 + 1.5**2) / 4)


def test_the_norm_of_an_update_is_the_dense_one(model: DynamicsModel) -> None:
    rule = RULES["mb_de"]
    parameters = parameters_of(model, rule)
    support = self_support(1.0)
    update = rule.update(model.mlp, parameters, support)
    written = model.mlp.materialise(parameters, update)
    change = torch.cat([(written[n] - parameters[n]).flatten() for n in parameters]).norm()
    own = torch.cat([value.flatten() for value in parameters.values()]).norm()
    torch.testing.assert_close(norm_of(update), change[None], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(norm({**parameters, "psi.w0": torch.ones(3)}), own)
    member = {f"member.0.{name}": value for name, value in parameters.items()}
    torch.testing.assert_close(norm(member), own)
    torch.testing.assert_close(norm({**parameters, **member}), own * 2**0.5)


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)
some_rows = st.lists(st.lists(numbers, min_size=7, max_size=7), min_size=1, max_size=20)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=some_rows, name=st.sampled_from(sorted(RULES)), enabled=st.booleans())
def test_any_window_gives_finite_parameters_or_a_refusal(
    model: DynamicsModel, rows: list[list[float]], name: str, enabled: bool
) -> None:
    data = torch.tensor(rows)
    guard = guard_of(model, RULES[name], enabled=enabled)
    adapted = guard.adapt(model, Window(data[:, :1], data[:, 1:3], data[:, 3:]))
    assert finite(adapted)
    assert adapted.report.accepted or adapted.parameters is guard.parameters


@pytest.mark.parametrize(
    "config", [{"folds": 1}, {"min_transitions": 3}, {"max_change": 0}, {"margin": 1.5}]
)
def test_impossible_settings_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        GuardConfig(**config)  # type: ignore[arg-type]
