"""A recording run through a model: what it would have predicted, and what been commanded.

The agent is driven as in the adaptive process (`nodes/adaptive.py`), with what was recorded in
place of the robot: the model adapts to the recorded transitions, the planner starts each time
from the command that was really sent. So a recording made in lockstep with the same
model and seed gives its own commands again, bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from ros_mbmrl.adaptation.base import Adapted, robust_error
from ros_mbmrl.agents.live import LiveAgent, make_live_agent
from ros_mbmrl.data.quality import off_period
from ros_mbmrl.data.steps import Run, Step
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.player import Applied, Player, ReplayConfig
from ros_mbmrl.robots.delay import LONGEST, Delay
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot


@dataclass(frozen=True)
class Replay:
    """One row a step that was answered, nan where there is nothing.

    times (n,) [s] on the plant's clock. proposed, recorded (n, da): the command from here, and
    `command/proposed` as recorded. errors (n, 2, 2): robust normalised error of the prior and of
    the adapted model, one step and `horizon` steps ahead. metres (n, 2, 2): of the position, for
    a robot that has one. accepted (n,). changes: of the settings in mid-run.
    """

    times: Array
    proposed: Array
    recorded: Array
    errors: Array
    metres: Array
    accepted: NDArray[np.bool_]
    horizon: int
    changes: tuple[Applied, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of the commands: equal for equal numbers."""
        return hashlib.sha256(np.ascontiguousarray(self.proposed).tobytes()).hexdigest()

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Which of the steps with both commands have the same, bit for bit, (m,)."""
        both = np.isfinite(self.proposed).all(axis=1) & np.isfinite(self.recorded).all(axis=1)
        return np.asarray((self.proposed[both] == self.recorded[both]).all(axis=1), dtype=np.bool_)


def replay(run: Run, robot: Robot, loaded: LoadedModel, config: ReplayConfig) -> Replay:
    """Runs a recording through a model. Raises UserError for settings that do not fit it.

    Where the recording has plans, there is one here for the same steps, so that random numbers
    are drawn in the same order.
    """
    torch.set_num_threads(1)  # with another number, sums come out in another order
    settings = config.method or None, config.controller, config.planner, config.seed
    agent = make_live_agent(loaded, None, *settings)
    player = Player(run, robot, agent, config)
    estimator = StateEstimator(robot)
    states = [estimator.update(Measurement(step.time, step.measurement)) for step in run.steps]
    judge = _Judge(run.steps, states, agent, config.horizon)
    planned = any(step.planned for step in run.steps)
    rows = []
    for k in track(range(len(run.steps)), description="steps"):
        step, state = run.steps[k], states[k]
        player.observe(step, state)
        if planned and not step.planned:
            continue
        answer = player.answer(step, state)
        accepted = answer.adapted.report.accepted
        rows.append((step, answer.proposed, accepted, *judge.errors(k, answer.adapted)))
    nothing = np.full(len(robot.spec.action), np.nan)
    return Replay(
        times=np.array([step.time for step, *_ in rows]),
        proposed=np.array([nothing if action is None else action for _, action, *_ in rows]),
        recorded=np.array([nothing if s.proposed is None else s.proposed for s, *_ in rows]),
        errors=np.array([errors for *_, errors, _ in rows]),
        metres=np.array([metres for *_, metres in rows]),
        accepted=np.array([accepted for _, _, accepted, *_ in rows], dtype=np.bool_),
        horizon=config.horizon,
        changes=tuple(player.changes),
    )


class _Judge:
    """Predicts what followed each step, with the commands that were sent."""

    def __init__(
        self,
        steps: Sequence[Step],
        states: Sequence[Array],
        agent: LiveAgent,
        horizon: int,
    ) -> None:
        self._model = model = agent.model
        self._prior, self._horizon = agent.guard.parameters, horizon
        self._states = torch.tensor(np.stack(states), dtype=torch.float32)
        size = len(model.robot.spec.action)
        actions = _acting(steps, size, model.robot.spec.period)
        self._actions = torch.tensor(np.stack(actions), dtype=torch.float32)
        intervals = np.diff([step.time for step in steps])
        same_clock = np.diff([step.clock for step in steps]) == 0
        known = np.isfinite(np.stack(actions[:-1])).all(axis=1)
        self._joined = ~off_period(intervals, model.robot.spec.period) & same_clock & known
        scale = torch.tensor(model.robot.spec.change_weights)
        self._scale = scale / scale.mean()

    @torch.inference_mode()
    def errors(self, k: int, adapted: Adapted) -> tuple[Array, Array]:
        """Return the errors of step k, (2, 2) each: prior, adapted; one, `horizon` steps ahead."""
        errors, metres = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
        ahead = self._joined[k : k + self._horizon]
        reach = len(ahead) if ahead.all() else int(ahead.argmin())
        if reach:
            models = ((self._prior, None), (adapted.parameters, adapted.hidden))
            for row, (parameters, hidden) in enumerate(models):
                predict = self._model.predictor(parameters, hidden)
                states = predict(self._states[k][None], self._actions[k : k + reach][None])[0]
                for column, h in enumerate((1, self._horizon)):
                    if h <= reach:
                        error = self._error(states[h], self._states[k + h], h)
                        errors[row, column], metres[row, column] = error
        return errors, metres

    def _error(self, predicted: Tensor, true: Tensor, h: int) -> tuple[float, float]:
        """As in `open_loop.py`: over the one-step change times the root of the horizon."""
        robot = self._model.robot
        spread = self._model.normalizer.change_std * float(np.sqrt(h))
        error = robot.difference(true, predicted) / spread
        poses = [robot.pose(state.numpy().astype(float)) for state in (true, predicted)]
        apart = np.nan
        if poses[0] is not None and poses[1] is not None:
            apart = float(np.hypot(poses[0][0] - poses[1][0], poses[0][1] - poses[1][1]))
        return float(robust_error(error, self._scale, limit=10.0)), apart


def _acting(steps: Sequence[Step], size: int, period: float) -> list[Array]:
    """Return the command (da,) that acted after each step, with the planned delay; nan: unknown."""
    sent: list[Array] = []
    actions = []
    for step in steps:
        command = None if step.limited else step.command
        sent = [] if command is None else [*sent[-LONGEST:], command]
        delay = Delay.of(step.planned_delay, period)
        actions.append(delay.acting(sent) if sent else np.full(size, np.nan))
    return actions


def summarise(result: Replay) -> dict[str, Any]:
    """Figures of a replay; null where there is nothing to say."""
    horizons = []
    for column, h in enumerate((1, result.horizon)):
        prior, adapted = result.errors[:, :, column].T
        known = np.isfinite(prior)
        row: dict[str, Any] = {"horizon": h, "n": int(known.sum())}
        for name, values, metres in (
            ("prior", prior, result.metres[:, 0, column]),
            ("adapted", adapted, result.metres[:, 1, column]),
        ):
            row[name] = _middle(values[known])
            row[f"{name}_m"] = _middle(metres[np.isfinite(metres)])
        row["improved_fraction"] = float((adapted < prior)[known].mean()) if known.any() else None
        horizons.append(row)
    apart = np.abs(result.proposed - result.recorded)
    apart = apart[np.isfinite(apart).all(axis=1)]
    return {
        "steps": len(result.times),
        "accepted_fraction": float(result.accepted.mean()) if len(result.accepted) else None,
        "horizons": horizons,
        "commands": int(np.isfinite(result.proposed).all(axis=1).sum()),
        "compared": len(apart),
        "equal": int(result.equal.sum()),
        "difference_median": np.median(apart, axis=0).tolist() if len(apart) else None,
        "difference_max": apart.max(axis=0).tolist() if len(apart) else None,
        "commands_sha256": result.digest,
        "changes": [asdict(change) for change in result.changes],
    }


def check_task(robot: Robot, run: Run, task: str) -> str:
    """The task to plan for where the recording has no reference. Raises UserError."""
    if task and run.references:
        raise UserError(f"task: {run.path} has a reference of its own: expected none")
    if task and task not in robot.tasks():
        raise UserError(f"unknown task '{task}': expected one of {', '.join(robot.tasks())}")
    if task or run.references or robot.follows_paths:
        return task
    return robot.tasks()[0]


def _middle(values: Array) -> float | None:
    return float(np.median(values)) if len(values) else None
