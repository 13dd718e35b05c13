"""Algorithm 9 of the thesis: gather, fit, gather with the model so far, fit again.

`mbmrl train` and the studies differ in who gathers, and in how a fit is made; the order is here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.bank import doubting_actuators
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import CPU, Trained, new_model, train_model
from ros_mbmrl.learning.models.warm_start import carried, with_causes
from ros_mbmrl.learning.run import Progress
from ros_mbmrl.learning.segments import Transitions, has_changes, has_losses
from ros_mbmrl.networks.ensemble import whole
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot, modelled_causes
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class Data:
    """The rollouts so far.

    Attributes:
        training: to fit to.
        held: held out; they choose the model.
    """

    training: tuple[Rollout, ...] = ()
    held: tuple[Rollout, ...] = ()


# Number of the round and the model so far, None before the first -> the rollouts of that round.
Gather = Callable[[int, LoadedModel | None], Sequence[Rollout]]
# Rollouts of a round -> those to train on, those held out.
Split = Callable[[Sequence[Rollout]], tuple[Sequence[Rollout], Sequence[Rollout]]]
# Number of the round, all data and the model so far -> the next model.
Fit = Callable[[int, Data, LoadedModel | None], LoadedModel]


def meta_train(
    rounds: int,
    gather: Gather,
    split: Split,
    fit: Fit,
    fits: Collection[int],
    model: LoadedModel | None = None,
) -> LoadedModel:
    """Run Algorithm 9; round 0 comes before there is a model.

    Args:
        rounds: after round 0.
        gather: makes the rollouts of a round, or loads them where they are there already.
        split: holds some of a round's rollouts out.
        fit: makes a model of all data so far.
        fits: rounds after which a model is needed, the last one among them.
        model: to begin with: None, or that of the round before the first fit.

    Returns:
        The model of the last round.
    """
    data = Data()  # line 1: theta is drawn by the first fit
    for k in range(rounds + 1):  # line 2
        found = gather(k, model)  # lines 3 to 5
        # Each round is split by itself: what was held out once is never trained on.
        training, held = split(found)
        data = Data((*data.training, *training), (*data.held, *held))  # lines 6, 7
        if k in fits:
            model = fit(k, data, model)  # lines 8 to 15, see `fit_model`
    assert model is not None
    return model


def fit_model(
    robot: Robot,
    config: TrainConfig,
    data: Data,
    before: LoadedModel | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    device: torch.device = CPU,
) -> Trained:
    """Fit a model to all data so far: lines 8 to 15, see `train_model`.

    Args:
        robot, config, data, before: see `fit_from`.
        progress: told once a validation.
        checkpoint: file to resume from.
        device: to compute on.

    Raises:
        UserError: the model to go on from has another network, or a rollout does not tell causes
            that the model has inputs for.
    """
    model, training, held, warm = fit_from(robot, config, data, before)
    trained = train_model(model, config, training, held, progress, checkpoint, warm, device)
    if modelled_causes(model.robot.spec) and not has_losses(data.training):
        return replace(trained, parameters=doubting_actuators(trained.parameters))
    return trained


def fit_from(
    robot: Robot, config: TrainConfig, data: Data, before: LoadedModel | None = None
) -> tuple[DynamicsModel, Transitions, Transitions, Parameters | None]:
    """Return a new model, the rows of its fit, and the parameters that the fit goes on from.

    A model that is trained on commands as they acted has an input for each cause of the robot,
    too, if a training rollout tells that one has changed, or if `robot` has features for them.

    Args:
        robot: of the rollouts.
        config: of the fit.
        data: to fit to and to validate on.
        before: a model to go on from, whatever its statistics were.

    Returns:
        The model, training rows, held-out rows, and parameters (None without a model before).

    Raises:
        UserError: see `fit_model`.
    """
    labelled = make_rule(config.method, config.options).labelled
    if labelled and not modelled_causes(robot.spec) and has_changes(robot.spec, data.training):
        robot = ConditionedRobot(robot)
    training = Transitions.of(robot, data.training, effective=labelled)
    model, warm = new_model(training, config, robot), None
    if before is not None:
        known, last = with_causes(before.parameters, before.model, robot)
        if whole(last.mlp) != model.mlp:
            raise UserError(
                f"the last round's network is {before.model.mlp}, expected {model.mlp}; train "
                "into another folder"
            )
        warm = carried(known, last, model)
    return model, training, Transitions.of(robot, data.held, effective=labelled), warm
