"""A run folder of `mbmrl train`: its policy, the model that it learned in, and its real data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.selection import split
from ros_mbmrl.dynamics.card import POLICY, POLICY_MODEL, check_card, read_card
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.dynamics.world_model import AdaptedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.real_data import data_of
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.learning.run import CHECKPOINT
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.policies.files import LoadedPolicy, load_policy
from ros_mbmrl.policies.imagined import Reward, reward_in
from ros_mbmrl.policies.sampling import Tasks, to_actions

HELD_OUT = 1 / 3  # share of given data, of which nobody says what was held out
DEFAULT_DISCOUNT = 0.99


@dataclass(frozen=True)
class TrainedRun:
    """A trained policy with all that bounds are estimated from.

    Args:
        tasks: that it was trained on.
        policy: as it came out of training.
        model: that it learned in.
        data: real rollouts, those that the models were fitted to and those held out.
        reward: of a control period.
        discount: gamma of the training.
    """

    tasks: Tasks
    policy: LoadedPolicy
    model: LoadedModel
    data: Data
    reward: Reward
    discount: float

    @property
    def rollouts(self) -> tuple[Rollout, ...]:
        """Return all real rollouts."""
        return (*self.data.training, *self.data.held)

    @property
    def world(self) -> AdaptedModel:
        """Return the model as it is."""
        model = self.model.model
        return AdaptedModel(model, self.model.parameters, model.mlp.no_update)

    @property
    def longest(self) -> int:
        """Return the transitions of the longest rollout."""
        return max(len(each) for each in self.rollouts)

    def actions(self) -> Tensor:
        """Return the actions (M, da) of all real transitions, from -1 to 1."""
        commands = np.concatenate([each.actions for each in self.rollouts])
        actions = to_actions(self.tasks.robot.spec, commands)
        return torch.as_tensor(actions, dtype=torch.float32)

    def states(self) -> Tensor:
        """Return the states (M, ds) that those actions were taken in."""
        return torch.from_numpy(np.concatenate([each.states[:-1] for each in self.rollouts]))

    def starts(self) -> Tensor:
        """Return the states (N, ds) that real episodes began in."""
        return torch.from_numpy(np.stack([each.states[0] for each in self.rollouts]))

    def rewards(self) -> list[Tensor]:
        """Return the rewards (T,) of each real rollout, by the task."""
        found = []
        for each in self.rollouts:
            states, actions = torch.from_numpy(each.states), torch.from_numpy(each.actions)
            found.append(self.reward(states[:-1], actions, states[1:]))
        return found


def load_run(folder: Path, data: Sequence[Path] = ()) -> TrainedRun:
    """Read a run folder.

    Args:
        folder: of a policy that learned in a model.
        data: data sets or recordings in place of the real data that the run kept.

    Raises:
        UserError: the folder holds no policy or no model; the data are not there, or not of this
            robot; or the rewards do not follow from states and command.
    """
    card = read_card(folder, POLICY)
    check_card(folder, card)
    if not (folder / POLICY_MODEL).is_dir():
        raise UserError(
            f"{folder}: a policy of {card.get('method')}, which learned in no model: expected one "
            "of me_trpo, mb_mpo, memb or their like"
        )
    tasks = simulated_tasks(str(card.get("robot")), tuple(card.get("situations") or ()), False)
    if tasks.goals:
        raise UserError(f"{folder}: robot '{card['robot']}' has goals, which data do not tell")
    policy = load_policy(folder, tasks.robot)
    model = load_model(folder / POLICY_MODEL, tasks.robot)
    found = given_data(data, tasks) if data else kept_data(folder, tasks)
    return TrainedRun(tasks, policy, model, found, reward_in(tasks), discount_of(card))


def kept_data(folder: Path, tasks: Tasks) -> Data:
    """Return the real data that a run kept in its checkpoint. Raises UserError."""
    path, advice = folder / CHECKPOINT, "expected the run's data in it, or data sets as --data"
    if not path.is_file():
        raise UserError(f"{folder}: no {CHECKPOINT}: {advice}")
    tensors, _ = tensor_file.load(path)
    try:
        found = data_of(tensor_file.unflatten("data", tensors), tasks.robot.spec.name)
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not complete ({error!r}): {advice}") from None
    if not found.training and not found.held:
        raise UserError(f"{path}: {advice}")
    return found


def given_data(paths: Sequence[Path], tasks: Tasks) -> Data:
    """Return data sets or recordings, a third of them held out. Raises UserError."""
    rollouts = dataset.load(paths)
    name = tasks.robot.spec.name
    for each in rollouts:
        if each.robot != name:
            raise UserError(f"data: a rollout of '{each.robot}': expected '{name}'")
    return Data(*(tuple(part) for part in split(rollouts, held_out=HELD_OUT, seed=0)))


def discount_of(card: Mapping[str, Any]) -> float:
    """Return gamma of the training that a card tells; .99 where it tells none."""

    def found(settings: Any) -> float | None:
        if not isinstance(settings, Mapping):
            return None
        own = settings.get("discount")
        if isinstance(own, (int, float)) and not isinstance(own, bool):
            return float(own)
        return next((x for v in settings.values() if (x := found(v)) is not None), None)

    value = found(card.get("training"))
    return DEFAULT_DISCOUNT if value is None else value
