"""Meta-training: Algorithm 9 of the thesis, lines 8 to 15, for every update rule.

First a supervised fit of the prior (a warm start: it halves the time at equal error); then, for
a rule that is meta-trained, the meta-objective of eq. 22 and 23 over past and future segments, or
the learner that the method brings; on an ensemble for each member.
The model kept is the one with the lowest validation error *after* the update, open loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.members import EachMember, over
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.ensemble import EnsembleLearner
from ros_mbmrl.learning.models.learner import (
    by_meta_gradient,
    by_supervised_fit,
    learner_called,
)
from ros_mbmrl.learning.models.members import MemberLearners
from ros_mbmrl.learning.models.variance import calibrated_variance
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.run import Learner, Phase, Progress, Run
from ros_mbmrl.learning.segments import Augment, SegmentSampler, Transitions
from ros_mbmrl.methods import make_method, origin
from ros_mbmrl.networks.ensemble import Ensemble, members_of
from ros_mbmrl.networks.groups import fitted_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot

CPU = torch.device("cpu")
Begin = Callable[[Parameters], Learner[SegmentSampler]]
# Errors are clipped at so many deviations of a change. Otherwise a few windows in poses that were
# never trained on would choose the model.
LOST = 3.0


@dataclass(frozen=True)
class Trained:
    """A model, its rule and parameters, and how it scored on the validation runs."""

    model: DynamicsModel
    rule: UpdateRule
    parameters: Parameters
    scores: dict[str, float]


@dataclass(frozen=True)
class Judge:
    """Mean open-loop error of parameters on the validation runs, before and after the update.

    Attributes:
        model: on the device that is computed on, as `validation` is.
        rule: adapts the parameters.
        config: window and horizon.
        validation: the runs.
    """

    model: DynamicsModel
    rule: UpdateRule
    config: TrainConfig
    validation: Transitions

    def __call__(self, parameters: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the errors `before` and `after`, in deviations of a change."""
        own = parameters_on(dict(parameters), self.validation.actions.device)
        window = max(self.config.adapt_windows)
        guard = Guard(self.rule, own, window, GuardConfig(enabled=False))
        found = open_loop_errors(
            self.model, guard, self.validation, self.config.horizon, stride=5
        ).normalised
        before, after = found.nan_to_num(nan=LOST).clamp(max=LOST).mean(dim=(1, 2))
        return {"before": float(before), "after": float(after)}


def train_model(
    model: DynamicsModel,
    config: TrainConfig,
    training: Transitions,
    validation: Transitions,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    parameters: Parameters | None = None,
    device: torch.device = CPU,
) -> Trained:
    """Fit a model: a supervised phase, then for meta-trained rules the meta phase.

    Args:
        model: network and normalisation.
        config: everything else that decides the fit.
        training: rows to draw segments from.
        validation: rows that choose the model.
        progress: told once a validation.
        checkpoint: file to resume from and to write; None for none.
        parameters: to go on from, psi included, as Algorithm 9 does when there is more data; those
            of another rule start anew. See `warm_start.carried`.
        device: of everything but the draws, which are the same on all devices.

    Raises:
        UserError: too little data, no step to train in, or a checkpoint of another run.
    """
    rule, model = make_rule(config.method, config.options).training_rule, model.to(device)
    data, held = training.to(device), validation.to(device)
    store = store_of(model, config, data)
    generator = Generator().manual_seed(config.seed)
    start = parameters or model.mlp.init(generator)
    phases = phases_of(model, rule, config, held, generator)
    Judge(model, make_rule("mb"), config, held)(start)  # too little data is said now, not later
    own, end = Run(
        phases,
        store,
        generator,
        identity_of(model, config, data, held),
        checkpoint,
        every=config.validate_every,
        patience=config.patience,
        warm=parameters is not None,
        progress=progress or (lambda *_: None),
    ).run(start)
    judge = phases[-1].judge
    assert judge is not None
    trained = finished(model, rule, config, held, own, judge)
    return replace(trained, scores={"validation_after": end.best, **trained.scores})


def store_of(model: DynamicsModel, config: TrainConfig, data: Transitions) -> SegmentSampler:
    """Return what a learner takes its data from.

    Raises:
        UserError: no run is long enough.
    """
    augment = _augmentation(model.robot, config)
    return SegmentSampler(data, config.adapt_windows, config.predict_window, augment)


def finished(
    model: DynamicsModel,
    rule: UpdateRule,
    config: TrainConfig,
    held: Transitions,
    own: Parameters,
    judge: Callable[[Parameters], Mapping[str, float]],
) -> Trained:
    """Return a fitted model as it is used: with its elites, and calibrated on the held-out rows.

    Args:
        model, held: on the device that is computed on.
        rule, config: of the fit.
        own: the parameters that it found.
        judge: of its last phase.
    """
    if isinstance(model.mlp, Ensemble) and config.elites:
        elites = elites_of(model, rule, config, held, own)
        model = replace(model, mlp=replace(model.mlp, elites=elites))
        judge = Judge(model, judge.rule, config, held) if isinstance(judge, Judge) else judge
    last = judge(own)
    scores = {f"open_loop_{name}": value for name, value in last.items()}
    model = model.to(CPU)
    rows = held.to(CPU).plausible(model)
    if isinstance(model.mlp, Ensemble) and model.mlp.gaussian:
        own, scale = calibrated_variance(model, own, *rows)
        scores["variance_scale"] = float(scale.log().mean().exp())
    return Trained(model, rule, over(rule, model.mlp).calibrated(model, own, *rows), scores)


def elites_of(
    model: DynamicsModel, rule: UpdateRule, config: TrainConfig, held: Transitions, own: Parameters
) -> tuple[int, ...]:
    """Return the numbers of the members with the least held-out error, each adapted by itself."""
    single = rule if isinstance(over(rule, model.mlp), EachMember) else make_rule("mb")
    judge = Judge(model.member, single, config, held)
    errors = [judge(member)["after"] for member in members_of(own)]
    ranked = sorted(range(len(errors)), key=lambda k: errors[k])
    return tuple(sorted(ranked[: config.elites]))


def parameters_on(parameters: Parameters, device: torch.device) -> Parameters:
    """Return parameters on a device."""
    return {name: value.to(device) for name, value in parameters.items()}


def phases_of(
    model: DynamicsModel,
    rule: UpdateRule,
    config: TrainConfig,
    held: Transitions,
    generator: Generator,
) -> tuple[Phase[SegmentSampler], ...]:
    """Return the phases of a fit.

    Raises:
        UserError: no step to train in, or a learner that is not as expected.
    """
    phases, brought = [], make_method(config.method).learner
    if config.supervised_steps:
        begin: Begin = partial(by_supervised_fit, model, config=config)
        if isinstance(model.mlp, Ensemble):
            begin = partial(EnsembleLearner, model, config=config)
        judge = Judge(model, make_rule("mb"), config, held)
        phases.append(Phase("supervised", config.supervised_steps, begin, judge))
    if config.meta_steps and (brought or rule.meta_trained):
        make = learner_called(brought) if brought else by_meta_gradient
        if isinstance(over(rule, model.mlp), EachMember):
            make = partial(MemberLearners, make)

        def with_rule(parameters: Parameters) -> Learner[SegmentSampler]:
            own = with_own(rule, model.mlp, parameters, generator)
            return make(rule, model, own, config)

        judge, name = Judge(model, rule, config, held), config.method if brought else "meta"
        phases.append(Phase(name, config.meta_steps, with_rule, judge))
    if not phases:
        raise UserError(f"no steps to train {config.method} in: expected supervised_steps")
    return tuple(phases)


def with_own(
    rule: UpdateRule, mlp: MLP, parameters: Parameters, generator: Generator
) -> Parameters:
    """Return the network with the rule's own parameters: those given, or fresh ones.

    Raises:
        ValueError: a parameter belongs to no group.
    """
    own, fitted = over(rule, mlp).init(mlp, parameters, generator), fitted_of(parameters)
    given = {name: value.shape for name, value in parameters.items() if name not in fitted}
    if given == {name: value.shape for name, value in own.items()}:
        return parameters
    return {**fitted, **own}


def identity_of(
    model: DynamicsModel, config: TrainConfig, training: Transitions, validation: Transitions
) -> dict[str, Any]:
    """Return what must be the same for a checkpoint to be carried on with."""
    rows = {"training": len(training), "validation": len(validation)}
    mean = round(float(model.normalizer.change_mean.double().sum()), 6)
    facts = {"robot": model.robot.spec.name, **asdict(config), "rows": rows, "mean_change": mean}
    outside = origin(config.method)  # another version of its package may learn otherwise
    return {**facts, "origin": dict(outside)} if outside else facts


def _augmentation(robot: Robot, config: TrainConfig) -> Augment | None:
    try:
        return robot.augmentation(config.augmentation) if config.augmentation else None
    except (TypeError, ValueError) as error:
        raise UserError(f"augmentation: {error}") from None


def new_model(training: Transitions, config: TrainConfig, robot: Robot) -> DynamicsModel:
    """Return a model of the configured size, normalised over all training data."""
    spec = robot.spec
    inputs = len(spec.features) + len(spec.action)
    mlp = MLP((inputs, *config.hidden, len(spec.changes)), config.activation)
    if config.members > 1:
        mlp = Ensemble(mlp.sizes, mlp.activation, config.members, config.head)
    return DynamicsModel(robot, mlp, training.normalizer())
