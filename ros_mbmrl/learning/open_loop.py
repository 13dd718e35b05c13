"""Open-loop prediction error on recorded data: the prior's and the adapted model's, per window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import Acting, Bank
from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.adaptation.guard import Guard
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.segments import TooFewTransitions, Transitions
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import InputUpdate, Update
from ros_mbmrl.robots.conditioned import modelled_causes
from ros_mbmrl.robots.spec import Robot, RobotSpec


@dataclass(frozen=True)
class OpenLoopErrors:
    """Errors of n windows, of the prior and of the adapted model.

    normalised: (2, n, H), robust error of the change accumulated since the window's end, in units
    of the one-step change times the square root of the horizon. metres, radians: (2, n, H), norms
    of the errors in `places` and `turns`. accepted: (n,). rows: (n,), the first predicted
    transition.
    """

    normalised: Tensor
    metres: Tensor
    radians: Tensor
    accepted: Tensor
    rows: Tensor


@torch.inference_mode()
def open_loop_errors(
    model: DynamicsModel,
    guard: Guard,
    data: Transitions,
    horizon: int,
    stride: int = 1,
    starts: Tensor | None = None,
    batch: int = 64,
) -> OpenLoopErrors:
    """Adapt on the T1 transitions before each row, then predict `horizon` steps from it.

    Windows whose predicted stretch touches a marked row are left out; marked rows inside of the
    adaptation window are kept for the update rule to live with, as on the robot. batch: windows at
    a time; many more fall out of the cache and take twice as long. Raises TooFewTransitions if no
    window is left.
    """
    window = guard.window_size
    if starts is None:
        starts = data.starts(window + horizon)[::stride]
    future = starts[:, None] + window + torch.arange(horizon)
    starts = starts[data.keep[future].amin(dim=(1, 2)) > 0]
    if not len(starts):
        raise TooFewTransitions(
            f"nothing to judge: expected a run with {horizon} unmarked transitions in a row "
            f"after the {window} to adapt on"
        )
    parts = [
        _errors(model, guard, data, starts[k : k + batch], horizon)
        for k in range(0, len(starts), batch)
    ]
    joined = [torch.cat(column, dim=-2) for column in zip(*(p[:3] for p in parts), strict=True)]
    accepted = torch.cat([p[3] for p in parts])
    return OpenLoopErrors(joined[0], joined[1], joined[2], accepted, starts + window)


def _errors(
    model: DynamicsModel, guard: Guard, data: Transitions, starts: Tensor, horizon: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    window = guard.window_size
    past = starts[:, None] + torch.arange(window)
    future = starts[:, None] + window + torch.arange(horizon)
    support = data.support(model, past, marks=False)
    update, verdict = guard.update(model.mlp, support)
    results = [
        prediction_errors(model, guard.parameters, data, future, each)
        for each in (model.mlp.no_update, update)
    ]
    normalised, metres, radians = (torch.stack(column) for column in zip(*results, strict=True))
    return normalised, metres, radians, verdict.accepted


def prediction_errors(
    model: DynamicsModel, parameters: Parameters, data: Transitions, future: Tensor, update: Update
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the errors of updated models on rows that follow each other, as `OpenLoopErrors` does.

    Args:
        parameters: the prior's and the rule's own.
        future: rows (N, H).
        update: of N tasks, or none. One that leaves the inputs alone is told the causes that the
            data tell.

    Returns:
        normalised, metres and radians, each (N, H).
    """
    robot, horizon = model.robot, future.shape[1]
    if update.inputs is None:
        update = replace(update, inputs=told_causes(model, data, future[:, 0]))
    predicted = model.rollout_updated(
        parameters, update, data.states[future[:, 0]], data.actions[future]
    )[:, 1:]
    error = robot.difference(data.next_states[future], predicted)
    std = model.normalizer.change_std
    spread = std * torch.arange(1, horizon + 1).to(std).sqrt()[:, None]
    scale = std.new_tensor(robot.spec.change_weights)
    normalised = robust_error(error / spread, scale / scale.mean(), limit=10.0)
    off = (data.next_states[future] - predicted)[..., places(robot)].norm(dim=-1)
    return normalised, off, error[..., turns(robot.spec)].norm(dim=-1)


def told_causes(model: DynamicsModel, data: Transitions, rows: Tensor) -> InputUpdate | None:
    """Return the inputs by which a model knows the causes beside the actuators in rows (N,).

    A roll-out makes its features of states, which do not tell them: it would be of a robot on which
    all is well. Data that do not tell them have them at their defaults, and change nothing. None of
    a model that has no inputs for them.
    """
    spec = model.robot.spec
    count = len(modelled_causes(spec))
    if not count:
        return None
    bank, last = Bank.of(spec), len(spec.features)
    known = data.features[rows][:, last - count :]
    well = bank.values[0].to(known).expand(len(rows), -1)
    acting = Acting.of(model.normalizer, bank.values[0], bank.actuators)
    return acting(torch.cat([known, well[:, count:]], dim=-1), len(model.normalizer.input_std))


def places(robot: Robot) -> list[int]:
    """Return the states that place a robot: x and y, or all in metres where it does not walk."""
    flat = ("x", "y") if robot.follows_paths else None
    states = enumerate(robot.spec.state)
    return [k for k, q in states if q.unit == "m" and (flat is None or q.name in flat)]


def turns(spec: RobotSpec) -> list[int]:
    """Return the changes that say how a robot is turned: yaw, or without one all in radians."""
    yaw = [k for k, change in enumerate(spec.changes) if change.name == "yaw"]
    return yaw or [k for k, change in enumerate(spec.changes) if change.unit == "rad"]
