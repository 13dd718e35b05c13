"""Algorithm 10 of the thesis for N simulated robots at once; one of them is `ControlLoop`.

The robots share nothing but the time, the model and the products that it is computed with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ros_mbmrl.adaptation.batch_window import BatchWindow
from ros_mbmrl.adaptation.guard import make_guard, support_of
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.networks.mlp import Update
from ros_mbmrl.planning.batch import BatchMPPI, CostEach, Plans
from ros_mbmrl.planning.mppi import MPPIConfig
from ros_mbmrl.planning.sampling import Limits, configure
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.rewards import Reach
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, SafetyConfig

if TYPE_CHECKING:
    from ros_mbmrl.simulation.worlds import Worlds

Flags = NDArray[np.bool_]
SAFETY = SafetyConfig(start_updates=1)  # simulated robots begin with a good state


@dataclass(frozen=True)
class Acted:
    """What an agent wants to do, and how well its model explains what was done.

    actions: (N, da). The rest (N,): errors of the prior and of the model used, see `AdaptReport`;
    accepted: whether that is an adapted one. failed: where no finite plan was found, and the
    action is rest; None: nowhere.
    """

    actions: Array
    error_before: Array
    error_after: Array
    accepted: Flags
    failed: Flags | None = None

    @classmethod
    def plainly(cls, actions: Array) -> Acted:
        """By an agent without a model."""
        zeros = np.zeros(len(actions))
        return cls(actions, zeros, zeros, zeros > 0)


class Agent(Protocol):
    """Acts for N robots at once."""

    def begin(self, worlds: Worlds, seeds: Sequence[int]) -> None:
        """A new run; all that is random of robot n comes from seeds[n]."""

    def act(self, states: Array) -> Acted:
        """What to do in states (N, ds), which are those of now."""

    def acted(self, actions: Array) -> None:
        """What was really sent (N, da), after safety."""


def tasks_of(worlds: Worlds) -> list[Task]:
    """Each robot's task of the thesis, table 5, with its own goal if it has one."""
    robot, goals = worlds.robot, worlds.goals
    if goals.shape[1]:
        return [Reach(len(robot.spec.state) - goals.shape[1], goal) for goal in goals]
    (name,) = robot.tasks()
    return [robot.make_task(name, state) for state in worlds.states()]


def cost_each(tasks: Sequence[Task], now: Array, device: torch.device) -> CostEach:
    """What plans from states `now` (N, ds) cost each robot by its own task; tasks make progress.

    In one call if the tasks are of a kind that allows it.
    """
    references = [task.reference(state) for task, state in zip(tasks, now, strict=True)]
    reference = torch.stack(references).to(device)

    def cost(states: Tensor, actions: Tensor) -> Tensor:
        if all(getattr(task, "batched", False) for task in tasks):
            return tasks[0].cost(states, actions, reference)
        each = zip(tasks, states, actions, reference, strict=True)
        return torch.stack([task.cost(*own) for task, *own in each])

    return cost


class ModelAgent:
    """Adapts a model to each robot's own window, under guard, and plans with what comes of it.

    method: see `make_guard`. tasks: makes each robot's, of one kind; a run begins with new ones.
    planning: parameters of MPPI by name. precision: of the network's products. device: where all
    of it is computed.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        method: str | None = None,
        tasks: Callable[[Worlds], Sequence[Task]] = tasks_of,
        planning: Mapping[str, Any] | None = None,
        precision: torch.dtype = torch.float32,
        device: str = "cpu",
    ) -> None:
        self._device = torch.device(device)
        loaded = loaded.to(self._device, precision)
        self._model, self._guard = loaded.model, make_guard(loaded, method)
        limits = Limits.of(loaded.model.robot.spec).to(self._device)
        self._planner = BatchMPPI(limits, configure(MPPIConfig, planning or {}))
        self._make_tasks = tasks

    def begin(self, worlds: Worlds, seeds: Sequence[int]) -> None:
        """See `Agent.begin`."""
        robot, count = self._model.robot, len(worlds)
        self._worlds = worlds
        self._window = BatchWindow(robot, self._guard.window_size, count, self._device)
        self._generators = [Generator(self._device).manual_seed(seed) for seed in seeds]
        self._tasks = list(self._make_tasks(worlds))
        if not len(self._tasks) == len(self._generators) == count:
            raise ValueError(
                f"tasks, seeds: expected {count} of each, "
                f"got {len(self._tasks)} and {len(self._generators)}"
            )
        self._start = self._planner.start(count)
        self._good = np.zeros((count, len(robot.spec.state)))

    @torch.inference_mode()
    def act(self, states: Array) -> Acted:
        """See `Agent.act`."""
        self._window.observe(states, self._worlds.time)
        update, before, after, accepted = self._adapt()
        finite = np.asarray(np.isfinite(states).all(axis=1))
        # In place of what is no state: the last one that was. What comes of it is not used.
        self._good = np.where(finite[:, None], states, self._good)
        self._plans = self._plan(update, self._good, finite)
        return Acted(
            actions=_float64(self._plans.actions[:, 0]),
            error_before=_float64(before),
            error_after=_float64(after),
            accepted=accepted.numpy(force=True),
            failed=~self._plans.found.numpy(force=True),
        )

    def acted(self, actions: Array) -> None:
        """See `Agent.acted`."""
        self._window.commanded(actions)
        sent = torch.as_tensor(actions, dtype=torch.float32, device=self._device)
        self._start = self._plans.shifted(sent)

    def _adapt(self) -> tuple[Update, Tensor, Tensor, Tensor]:
        """Updates; errors (N,) before and after, and whether accepted (N,)."""
        if not self._window.longest:
            zeros = torch.zeros(len(self._tasks), device=self._device)
            return self._model.mlp.no_update, zeros, zeros, zeros > 0
        support = support_of(self._model, *self._window.transitions())
        update, verdict = self._guard.update(self._model.mlp, support)
        before, accepted = verdict.error_before, verdict.accepted
        if not accepted.any():  # the prior for all of them, in one pass
            update = self._model.mlp.no_update
        return update, before, torch.where(accepted, verdict.error_after, before), accepted

    def _plan(self, update: Update, states: Array, finite: Flags) -> Plans:
        return self._planner.plan(
            self._model.predictor_each(self._guard.parameters, update),
            cost_each(self._tasks, states, self._device),
            torch.as_tensor(states, dtype=torch.float32, device=self._device),
            self._start,
            self._generators,
            torch.as_tensor(finite, device=self._device),
        )


def _float64(values: Tensor) -> Array:
    return values.numpy(force=True).astype(np.float64)


@dataclass(frozen=True)
class Episodes:
    """What happened to N robots in T steps.

    times: (T+1,) [s]. states: (T+1, N, ds), as estimated. actions: (T, N, da), as sent.
    rewards, error_before, error_after, accepted, levels: (T, N); of the agent (`Acted`) and of
    safety (`Level`).
    """

    times: Array
    states: Array
    actions: Array
    rewards: Array
    error_before: Array
    error_after: Array
    accepted: Flags
    levels: NDArray[np.int8]


def run_episodes(worlds: Worlds, agent: Agent, steps: int, seeds: Sequence[int]) -> Episodes:
    """Observe, act, check, command, `steps` times, from where the worlds are."""
    robot, count = worlds.robot, len(worlds)
    if steps < 1 or len(seeds) != count:
        raise ValueError(
            f"steps, seeds: expected at least 1 and {count}, got {steps} and {len(seeds)}"
        )
    estimators = [StateEstimator(robot) for _ in range(count)]
    monitors = [SafetyMonitor(robot, SAFETY) for _ in range(count)]
    agent.begin(worlds, seeds)
    times, states = [worlds.time], [_estimate(worlds, estimators)]
    rows: list[tuple[Any, ...]] = []
    for _ in range(steps):
        acted = agent.act(states[-1])
        sent, levels = _check(monitors, times[-1], states[-1], acted)
        agent.acted(sent)
        rewards = worlds.step(sent)
        errors = (acted.error_before, acted.error_after)
        rows.append((sent, rewards, *errors, acted.accepted, levels))
        times.append(worlds.time)
        states.append(_estimate(worlds, estimators))
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return Episodes(np.array(times), np.array(states), *columns)


def _estimate(worlds: Worlds, estimators: Sequence[StateEstimator]) -> Array:
    """States (N, ds)."""
    now = worlds.time
    rows = zip(estimators, worlds.measurements(), strict=True)
    return np.array([estimator.update(Measurement(now, row)) for estimator, row in rows])


def _check(
    monitors: Sequence[SafetyMonitor], now: float, states: Array, acted: Acted
) -> tuple[Array, NDArray[np.int8]]:
    """Commands (N, da) that safety lets through, and its levels (N,)."""
    failed = np.zeros(len(states), dtype=bool) if acted.failed is None else acted.failed
    checked = []
    for n, monitor in enumerate(monitors):
        health = Health(model_error=float(acted.error_after[n]), planner_failed=bool(failed[n]))
        proposed = None if failed[n] else acted.actions[n]
        checked.append(monitor.update(now, proposed, states[n], health))
    levels = np.array([each.level for each in checked], dtype=np.int8)
    return np.array([each.action for each in checked]), levels
