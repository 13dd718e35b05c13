"""New tasks: errors of contextual models, rewards of their policies (Wang and van Hoof, table 1).

The errors are mean squared errors of predicted changes, SI units, over all numbers of a change.
They are of transitions that the model was not given, of the same task as those that it was: of
random commands, the same for all methods, and of the method's own episodes in the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.dynamics.latent.base import Context, ContextualModel
from ros_mbmrl.learning.models.elbo import TaskData
from ros_mbmrl.learning.policies.gssm_config import ContextualConfig
from ros_mbmrl.learning.policies.meta_testing import (
    CHANCE,
    MetaTested,
    NewTasks,
    meta_test,
    transitions_of,
)
from ros_mbmrl.learning.policies.trials import contexts
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import ImaginedPoint, TrainedPolicy
from ros_mbmrl.robots.spec import Array

Row = dict[str, Any]
PARTICLES = 10  # of eq. 11
ERRORS = ("error_random", "error_own")


def judged(
    tasks: Tasks, trained: TrainedPolicy, config: ContextualConfig, count: int, seed: int
) -> Row:
    """Meet `count` new tasks; return the figures of a row of `training.train`.

    Beside those of all rows: error_random and error_own, a number a task.
    """
    new = NewTasks.drawn(tasks, count, seed)
    tested = meta_test(tasks, trained, config, new)
    returns = tuple(tested.returns.tolist())
    last, mean = trained.curve[-1], sum(returns) / len(returns)
    found: Row = {
        "transitions": last.transitions,
        "return": mean,
        "returns": returns,
        "return_before": None,
        "return_exploring": last.mean_return_before,
        **_errors(tasks, trained, config, new, tested),
    }
    if isinstance(last, ImaginedPoint):
        found |= {"imagined": last.imagined_return, "optimism": last.imagined_return - mean}
        found |= {"updates": last.updates, "improved": last.improved}
    return found


def _errors(
    tasks: Tasks,
    trained: TrainedPolicy,
    config: ContextualConfig,
    new: NewTasks,
    tested: MetaTested,
) -> Row:
    assert trained.contextual is not None
    rows = by_chance(tasks, new, 2 * config.context, config.horizon)
    held = [TaskData(*(part[config.context :] for part in each)) for each in rows]
    pairs = (contexts(rows, config.context), held), (tested.memory, tested.met)
    return {
        name: model_errors(*trained.contextual, *pair).tolist()
        for name, pair in zip(ERRORS, pairs, strict=True)
    }


def by_chance(tasks: Tasks, new: NewTasks, count: int, horizon: int) -> list[TaskData]:
    """Return `count` transitions of random commands in each new task, in episodes."""
    return transitions_of(tasks, new, count, horizon, CHANCE, lambda _: RandomAgent(horizon))


def model_errors(
    model: ContextualModel, parameters: Parameters, context: Context, held: list[TaskData]
) -> Array:
    """Return the mean squared error of each task's held-out transitions, (N,)."""
    padded = contexts(held, max(len(rows.states) for rows in held))
    with torch.enable_grad():  # L2A takes gradient steps
        conditioned = model.condition(parameters, context)
    with torch.no_grad():
        generator = Generator().manual_seed(0)
        own = padded.states, padded.actions, generator, PARTICLES
        mean = conditioned.predict(*own).mean
        truth = model.robot.difference(padded.states, padded.following)
        each = (mean - truth).square().mean(dim=-1) * padded.weight
        return np.asarray((each.sum(1) / padded.weight.sum(1)).double().numpy())


def figures(rows: Sequence[Mapping[str, Any]], horizon: int) -> Row:
    """Return mean over training seeds and tests, and deviation across tests, of an entry's rows.

    reward (of a control period), error_own and error_random, each with `_std`; None where the
    entry has no contextual model.

    Args:
        rows: of an entry on an environment, one a training seed.
        horizon: control periods of an episode there.
    """
    told = {"reward": [np.asarray(row["returns"]) / horizon for row in rows]}
    for name in ERRORS:
        told[name] = [np.asarray(row[name]) for row in rows if row.get(name)]
    found: Row = {}
    for name, each in told.items():
        found[name] = float(np.mean(each)) if each else None
        found[f"{name}_std"] = float(np.mean([np.std(own) for own in each])) if each else None
    return found
