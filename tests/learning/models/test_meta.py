"""Meta-training: the objective, the checkpoints, and the outcome on systems that differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

import ros_mbmrl.learning.models.meta as meta
import ros_mbmrl.learning.models.objective as objective
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import ModelLearner, by_supervised_fit
from ros_mbmrl.learning.models.meta import (
    LOST,
    Judge,
    Trained,
    new_model,
    phases_of,
    train_model,
    with_own,
)
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.methods import METHODS
from ros_mbmrl.methods.method import Method
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import LayerUpdate, Update
from ros_mbmrl.robots.spec import Robot

Make = Callable[..., list[Rollout]]

SMALL = TrainConfig(
    method="grbal",
    hidden=(16, 16),
    activation="tanh",
    adapt_windows=(4, 8),
    predict_window=6,
    supervised_steps=12,
    meta_steps=12,
    batch=8,
    validate_every=4,
    horizon=3,
)


@dataclass(frozen=True)
class Data:
    robot: Robot
    training: Transitions
    validation: Transitions


@pytest.fixture(scope="module")
def data(robot: Robot, make_rollouts: Make) -> Data:
    """Many toys, and others to be judged on."""
    return Data(
        robot,
        Transitions.of(robot, make_rollouts(60, seed=1)),
        Transitions.of(robot, make_rollouts(12, seed=2)),
    )


def train(data: Data, config: TrainConfig, path: Path | None = None, **more: Any) -> Trained:
    model = new_model(data.training, config, data.robot)
    return train_model(model, config, data.training, data.validation, checkpoint=path, **more)


def equal(a: Parameters, b: Parameters) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("method", ["grbal", "rebal", "context"])
def test_meta_trained_methods_beat_the_prior_on_systems_never_seen(data: Data, method: str) -> None:
    config = replace(
        SMALL,
        method=method,
        supervised_steps=150,
        meta_steps=250,
        batch=24,
        validate_every=50,
        learning_rate=5e-3,
        hidden=(24, 24),
        adapt_windows=(12,),
        horizon=5,
    )
    trained = train(data, config)
    before, after = (trained.scores[f"open_loop_{name}"] for name in ("before", "after"))
    plain = train(data, replace(config, method="mb")).scores["open_loop_after"]
    assert after < 0.6 * plain, (before, after, plain)
    assert after < 0.6 * before


def test_a_refit_survives_a_rollout(data: Data) -> None:
    first = train(data, SMALL)
    again = train(data, replace(SMALL, seed=1), parameters=first.parameters)
    refit = {name: value.clone() for name, value in again.parameters.items()}
    guard = Guard(again.rule, again.parameters, 8, GuardConfig(enabled=False))
    open_loop_errors(again.model, guard, data.validation, 3)  # adapts at every row
    assert equal(again.parameters, refit)
    distance = sum(
        float((refit[n] - first.parameters[n]).norm()) for n in refit if n in first.parameters
    )
    assert distance > 0.01


WARM = replace(SMALL, supervised_steps=0, seed=1)


@pytest.mark.parametrize("method", ["grbal", "rebal", "context"])
def test_a_warm_run_goes_on_from_all_parameters(data: Data, method: str) -> None:
    first = train(data, replace(SMALL, method=method))
    before = {name: value.clone() for name, value in first.parameters.items()}
    logged: list[str] = []
    again = train(
        data,
        replace(WARM, method=method, learning_rate=1e-6),
        parameters=first.parameters,
        progress=lambda phase, *_: logged.append(phase),
    )
    assert set(logged) == {"meta"}
    assert equal(first.parameters, before)
    for name, value in again.parameters.items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=1e-4)
    moved = [name for name, value in again.parameters.items() if not value.equal(before[name])]
    assert moved or again.scores["validation_after"] == first.scores["validation_after"]


def test_a_warm_run_keeps_what_it_began_with_if_nothing_is_better(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(data, SMALL)
    worse = iter(range(100))
    monkeypatch.setattr(Judge, "__call__", lambda *_: {"before": 0.0, "after": 1.0 + next(worse)})
    again = train(data, WARM, parameters=first.parameters)
    assert equal(again.parameters, first.parameters)
    assert again.scores["validation_after"] == 2.0  # that of its beginning; 1: enough data?


def test_another_rules_own_parameters_start_anew(data: Data) -> None:
    three = train(data, SMALL)
    one = train(data, replace(WARM, options={"steps": 1}), parameters=three.parameters)
    assert one.parameters["psi.w0"].shape == (1,)
    context = train(data, replace(WARM, method="context"), parameters=three.parameters)
    assert not any(name.startswith("psi.") for name in context.parameters)
    assert torch.equal(context.parameters["frozen.w0"], three.parameters["w0"])


def test_a_killed_warm_run_resumed_equals_the_uninterrupted_one(data: Data, tmp_path: Path) -> None:
    given = train(data, SMALL).parameters
    whole = train(data, WARM, tmp_path / "whole.safetensors", parameters=given)
    path = tmp_path / "killed.safetensors"
    with pytest.raises(KilledError):
        train(data, WARM, path, parameters=given, progress=killed_after(1))
    assert equal(train(data, WARM, path, parameters=given).parameters, whole.parameters)


def test_nothing_to_train_is_said(data: Data) -> None:
    with pytest.raises(UserError, match="no steps to train mb in"):
        train(data, replace(SMALL, method="mb", supervised_steps=0))


@pytest.mark.parametrize("method", ["mb", "grbal", "context"])
def test_products_in_bfloat16_train_as_well(data: Data, method: str) -> None:
    config = replace(SMALL, method=method, supervised_steps=60, meta_steps=60, batch=24)
    config = replace(config, validate_every=20, learning_rate=5e-3)
    exact, rough = (
        train(data, replace(config, precision=precision)) for precision in ("float32", "bfloat16")
    )
    assert not equal(exact.parameters, rough.parameters)
    assert all(value.dtype == torch.float32 for value in rough.parameters.values())
    after = exact.scores["open_loop_after"]
    assert rough.scores["open_loop_after"] == pytest.approx(after, rel=0.1)


@pytest.mark.parametrize("method", ["mb", "grbal", "rebal", "context", "leaky_context"])
def test_all_that_is_computed_is_on_the_device(data: Data, method: str) -> None:
    """The device without memory stands in for a GPU: what is elsewhere cannot be added to it."""
    device = torch.device("meta")
    config = replace(SMALL, method=method, noise=0.1)
    model = new_model(data.training, config, data.robot).to(device)
    held, generator = data.validation.to(device), torch.Generator().manual_seed(0)
    rule = make_rule(method)
    phase = phases_of(model, rule, config, held, generator)[-1]
    learner = phase.begin(model.mlp.init(generator))
    store = SegmentSampler(data.training.to(device), (4, 8), 6)
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        learner.update(store, generator)  # but for the numbers that are logged
    assert {value.device for value in learner.snapshot().values()} == {device}
    parameters = tensor_file.unflatten("parameters", learner.snapshot())
    errors = open_loop_errors(model, Guard(rule, parameters, 8, GuardConfig()), held, 3)
    assert errors.normalised.device == device


@pytest.mark.parametrize("method", ["mb", "grbal", "rebal", "context"])
def test_a_run_is_decided_by_its_seed(data: Data, method: str) -> None:
    config = replace(SMALL, method=method, noise=0.05)
    assert equal(train(data, config).parameters, train(data, config).parameters)
    other = train(data, replace(config, seed=1))
    assert not equal(train(data, config).parameters, other.parameters)


class KilledError(Exception):
    """What happens to a training run in the middle."""


def killed_after(validations: int) -> Callable[..., None]:
    left = [validations]

    def progress(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KilledError

    return progress


META = ("grbal", "rebal", "context")
KILLS = [("mb", 0), ("mb", 1), *((m, k) for m in META for k in (0, 2, 3, 4))]


@pytest.mark.parametrize(("method", "validations"), KILLS)
def test_a_killed_run_resumed_equals_the_uninterrupted_one_bit_for_bit(
    data: Data, tmp_path: Path, method: str, validations: int
) -> None:
    config = replace(SMALL, method=method, gradient_limit=0.5)  # so that every norm matters
    whole = train(data, config, tmp_path / "whole.safetensors")
    path = tmp_path / "killed.safetensors"
    with pytest.raises(KilledError):
        train(data, config, path, progress=killed_after(validations))
    resumed = train(data, config, path)
    assert equal(resumed.parameters, whole.parameters)
    assert resumed.scores == whole.scores
    assert path.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


@pytest.mark.parametrize("method", ["mb", "grbal"])
def test_a_run_that_stopped_early_is_not_trained_on(
    data: Data, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = iter(range(1000))
    monkeypatch.setattr(Judge, "__call__", lambda *_: {"before": 0.0, "after": 1.0 + next(worse)})
    config = replace(SMALL, method=method, patience=1)
    path = tmp_path / "c.safetensors"
    first = train(data, config, path)
    content = path.read_bytes()
    again = train(data, config, path)
    assert equal(first.parameters, again.parameters)
    assert path.read_bytes() == content


def test_a_finished_run_is_only_loaded(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    first = train(data, SMALL, path)
    again = train(data, SMALL, path, progress=killed_after(0))
    assert equal(first.parameters, again.parameters)
    assert first.scores == again.scores


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hidden": (8, 8)}, "hidden"),
        ({"method": "context"}, "method"),
        ({"seed": 7}, "seed"),
        ({"options": {"steps": 1}}, "options"),
    ],
)
def test_another_runs_checkpoint_is_refused_by_name_of_the_difference(
    data: Data, tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    path = tmp_path / "c.safetensors"
    train(data, SMALL, path)
    with pytest.raises(UserError, match=f"of another run: {named} is .*--fresh"):
        train(data, replace(SMALL, **changes), path)


def test_a_checkpoint_of_other_data_is_refused(
    data: Data, tmp_path: Path, robot: Robot, make_rollouts: Make
) -> None:
    path = tmp_path / "c.safetensors"
    train(data, SMALL, path)
    other = Data(robot, Transitions.of(robot, make_rollouts(60, seed=9)), data.validation)
    with pytest.raises(UserError, match="of another run: mean_change"):
        train(other, SMALL, path)


def test_a_truncated_checkpoint_is_refused(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    train(data, SMALL, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="not a readable tensor file"):
        train(data, SMALL, path)


@dataclass(frozen=True)
class Cure(UpdateRule):
    """Undoes a fault of the prior's last bias; `psi.fault` is how large the fault is."""

    meta_trained: bool = True

    def init(self, mlp: MLP, parameters: Parameters, generator: torch.Generator) -> Parameters:
        return {"psi.fault": torch.zeros(1)}

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        bias = (-parameters["psi.fault"]).expand(len(support.x), 1, mlp.sizes[-1])
        return Update((*mlp.no_update.layers[:-1], LayerUpdate(bias=bias)))


def test_validation_prefers_a_bad_prior_that_adapts_well(data: Data) -> None:
    model = new_model(data.training, SMALL, data.robot)
    judge = Judge(model, Cure(), SMALL, data.validation)
    good = train(data, replace(SMALL, method="mb")).parameters
    spoiled = judge({**good, "b2": good["b2"] + 3.0, "psi.fault": torch.full((1,), 3.0)})
    other = judge({**good, "psi.fault": torch.full((1,), 1.0)})
    assert spoiled["before"] > other["before"]
    assert spoiled["after"] < other["after"]


def test_the_model_kept_is_the_one_with_the_lowest_error_after_the_update(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = iter([9.0, 9.0, 9.0, 9.0, 5.0, 2.0, 4.0, 1.0, 1.0])
    kept: list[Parameters] = []

    def judge(self: Judge, parameters: Parameters) -> dict[str, float]:
        kept.append({name: value.clone() for name, value in parameters.items()})
        # The error before the update only ever falls.
        return {"before": 10.0 - len(kept), "after": next(after)}

    monkeypatch.setattr(Judge, "__call__", judge)
    trained = train(data, SMALL)
    # one at the start, three supervised, then meta: 5, 2, 4
    assert trained.scores["validation_after"] == 2.0
    assert equal(trained.parameters, kept[5])


def test_validation_is_over_the_horizon_in_open_loop(data: Data) -> None:
    trained = train(data, SMALL)
    guard = Guard(trained.rule, trained.parameters, 8, GuardConfig(enabled=False))
    errors = open_loop_errors(trained.model, guard, data.validation, 3, stride=5).normalised
    assert errors.shape[-1] == 3
    errors = errors.clamp(max=LOST)
    assert trained.scores["open_loop_after"] == pytest.approx(float(errors[1].mean()))
    assert trained.scores["open_loop_before"] == pytest.approx(float(errors[0].mean()))


def test_windows_that_are_lost_do_not_choose_the_model(data: Data) -> None:
    """Twice as far off in a run that no model follows is not twice as bad."""

    def score(factor: float) -> float:
        states, nexts = data.validation.states.clone(), data.validation.next_states.clone()
        lost = data.validation.rollout == 0
        nexts[lost] += factor * torch.arange(int(lost.sum()))[:, None]
        states[lost] = torch.cat([states[lost][:1], nexts[lost][:-1]])
        changed = replace(data.validation, states=states, next_states=nexts)
        return train(replace(data, validation=changed), SMALL).scores["open_loop_before"]

    assert score(1e3) == score(1e4) < LOST


def test_both_errors_are_logged(data: Data) -> None:
    logged: list[tuple[str, int, int, Mapping[str, float]]] = []
    train(data, SMALL, progress=lambda *row: logged.append(row))
    assert [row[:3] for row in logged] == [
        (phase, step, 12) for phase in ("supervised", "meta") for step in (4, 8, 12)
    ]
    assert all(set(row[3]) == {"loss", "gradient", "before", "after"} for row in logged)


@pytest.mark.parametrize("method", ["mb", "context"])
def test_a_batch_with_a_non_finite_gradient_is_left_out(
    data: Data, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    original, calls = objective.segment_loss, [0]

    def sometimes_nan(output: torch.Tensor, future: Support) -> torch.Tensor:
        calls[0] += 1
        loss = original(output, future)
        return loss * torch.nan if calls[0] % 3 == 0 else loss

    monkeypatch.setattr(objective, "segment_loss", sometimes_nan)
    trained = train(data, replace(SMALL, method=method))
    assert calls[0] > 20
    assert all(torch.isfinite(value).all() for value in trained.parameters.values())
    assert trained.scores["validation_after"] < 10


def test_gradients_through_steps_that_explode_are_left_out(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = MetaGradient.__call__, [0]

    def sometimes_nan(self: MetaGradient, *given: Any) -> tuple[torch.Tensor, Parameters]:
        calls[0] += 1
        loss, gradients = original(self, *given)
        return loss, {k: v * torch.nan if calls[0] % 3 == 0 else v for k, v in gradients.items()}

    monkeypatch.setattr(MetaGradient, "__call__", sometimes_nan)
    trained = train(data, SMALL)
    assert calls[0] == SMALL.meta_steps
    assert all(torch.isfinite(value).all() for value in trained.parameters.values())


def test_nothing_but_non_finite_gradients_changes_nothing_and_can_be_resumed(
    data: Data, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = objective.segment_loss
    monkeypatch.setattr(objective, "segment_loss", lambda *a: original(*a) * torch.nan)
    config = replace(SMALL, method="mb")
    path = tmp_path / "c.safetensors"
    with pytest.raises(KilledError):
        train(data, config, path, progress=killed_after(1))
    trained = train(data, config, path)
    start = trained.model.mlp.init(torch.Generator().manual_seed(0))
    assert equal(trained.parameters, start)


def test_the_outer_gradient_is_clipped(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, *args: Any) -> Any:
        gradients = [p.grad.flatten() for g in self.param_groups for p in g["params"]]
        norms.append(float(torch.cat(gradients).norm()))
        return step(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(data, replace(SMALL, gradient_limit=1e-3))
    assert len(norms) == 24
    assert max(norms) <= 1.001e-3


def test_validation_runs_that_are_too_short_are_said_at_once(
    data: Data, robot: Robot, make_rollouts: Make
) -> None:
    short = Data(robot, data.training, Transitions.of(robot, make_rollouts(3, steps=9)))
    with pytest.raises(UserError, match="nothing to judge"):
        train(short, SMALL, progress=killed_after(0))


def test_a_member_of_an_ensemble_keeps_its_network_in_the_meta_phase(data: Data) -> None:
    mlp = new_model(data.training, SMALL, data.robot).mlp
    generator = torch.Generator().manual_seed(0)
    plain = mlp.init(generator)
    members = {f"member.{k}.{n}": v for k in range(2) for n, v in mlp.init(generator).items()}
    kept = with_own(
        make_rule("grbal"), mlp, {**plain, **members, "psi.w0": torch.ones(1)}, generator
    )
    assert equal({name: kept[name] for name in members}, members)
    assert equal({name: kept[name] for name in plain}, plain)
    assert kept["psi.w0"].shape == (3,)
    with pytest.raises(ValueError, match=r"'colour\.w0' belongs to no group"):
        with_own(make_rule("grbal"), mlp, {**plain, "colour.w0": plain["w0"]}, generator)


def test_trained_is_a_value(data: Data) -> None:
    trained = train(data, SMALL)
    assert isinstance(trained, Trained)
    assert not any(value.requires_grad for value in trained.parameters.values())


@dataclass(frozen=True)
class Brought(Prior):
    """MB with an option for the learner that its method brings."""

    factor: float = 1.0


def brought(
    rule: UpdateRule, model: DynamicsModel, parameters: Parameters, config: TrainConfig
) -> ModelLearner:
    """The supervised fit at another rate, which is the rule's option."""
    assert isinstance(rule, Brought)
    own = replace(config, learning_rate=rule.factor * config.learning_rate)
    return by_supervised_fit(model, parameters, own)


@pytest.fixture
def bringing(monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """Settings of a method that brings its learner."""
    here = __name__
    method = Method("brought", rule=f"{here}:Brought", learner=f"{here}:brought")
    monkeypatch.setitem(METHODS, "brought", method)
    return replace(SMALL, method="brought")


def test_a_method_may_bring_the_learner_of_its_last_phase(
    data: Data, bringing: TrainConfig
) -> None:
    logged: list[tuple[str, int]] = []
    small = train(data, bringing, progress=lambda *row: logged.append((row[0], row[1])))
    assert logged == [(p, step) for p in ("supervised", "brought") for step in (4, 8, 12)]
    large = train(data, replace(bringing, options={"factor": 3.0}))
    assert not equal(large.parameters, small.parameters)  # the option reached it
    alone = replace(bringing, supervised_steps=0, meta_steps=12)
    supervised = replace(SMALL, method="mb", supervised_steps=12)
    assert equal(train(data, alone).parameters, train(data, supervised).parameters)


@pytest.mark.parametrize("validations", [2, 3, 4])
def test_a_learner_that_was_brought_is_resumed_bit_for_bit(
    data: Data, tmp_path: Path, bringing: TrainConfig, validations: int
) -> None:
    whole = train(data, bringing, tmp_path / "whole.safetensors")
    path = tmp_path / "killed.safetensors"
    with pytest.raises(KilledError):
        train(data, bringing, path, progress=killed_after(validations))
    assert equal(train(data, bringing, path).parameters, whole.parameters)
    assert path.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_a_checkpoint_of_another_version_of_a_package_is_refused(
    data: Data, tmp_path: Path, bringing: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, version = tmp_path / "c.safetensors", ["1"]
    monkeypatch.setattr(meta, "origin", lambda _: {"package": "toys", "version": version[0]})
    train(data, bringing, path)
    version[0] = "2"
    with pytest.raises(UserError, match="of another run: origin is .*'version': '1'"):
        train(data, bringing, path)
