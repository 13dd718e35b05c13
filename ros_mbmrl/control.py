"""Algorithm 10 of the thesis, once: observe, adapt, plan, check, command.

Evaluation, training and the ROS nodes all run these parts. `ControlLoop` joins them in one
process; the nodes put a topic between them and, in lockstep, give the same numbers.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.adaptation.guard import Guard
from ros_mbmrl.adaptation.window import LiveWindow
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.planning.base import Deadline, NoFinitePlan, Plan, Planner, Predict, WarmStart
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.plants.base import Plant
from ros_mbmrl.robots.delay import LONGEST, NO_DELAY, Delay
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Finishing, Task
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health


class OnlineDynamics:
    """The prior, the live window, and the model adapted to it at every step."""

    def __init__(self, model: DynamicsModel, guard: Guard) -> None:
        self.model = model
        self._guard = guard
        self._window = LiveWindow(model.robot, guard.window_size)

    def observe(self, state: Array, stamp: float) -> None:
        """Take in the state (ds,) measured at `stamp` [s]; completes the last transition."""
        self._window.observe(state, stamp)

    def commanded(self, action: Array, stamp: float, delay: Delay = NO_DELAY) -> None:
        """Take in the command (da,) that the plant was given in answer to the state at `stamp`.

        The commanded one, even if a fault changes what the plant does: the fault is unobserved.
        delay: with which it acts.
        """
        self._window.commanded(action, stamp, delay)

    def adapt(self) -> Adapted:
        """u_psi(D[t - T1 : t], phi): the prior itself while the window is empty."""
        return self._guard.adapt(self.model, self._window.transitions())

    def reset(self) -> None:
        """Forget the window: a new run, or a gap."""
        self._window.reset()


class Controller:
    """Plans with whatever model it is handed; remembers its last plan."""

    def __init__(self, robot: Robot, planner: Planner, task: Task, generator: Generator) -> None:
        self._planner, self._task, self._generator = planner, task, generator
        self._rest = torch.as_tensor(robot.spec.rest, dtype=torch.float32)
        self._warm_start = WarmStart(None, self._rest)
        self._sent = deque([self._warm_start.previous], maxlen=LONGEST + 1)
        self._last: Plan | None = None

    @torch.inference_mode()
    def plan(
        self,
        model: DynamicsModel,
        adapted: Adapted,
        state: Array,
        deadline: Deadline | None = None,
        delay: Delay = NO_DELAY,
    ) -> Plan:
        """Return the plan from `state` (ds,), whose commands act `delay` later.

        Once the task is finished it is to rest. Raises NoFinitePlan.
        """
        self._last = None
        if not np.isfinite(state).all():  # nor may the task's progress learn of it
            raise NoFinitePlan("the state is not finite")
        predict = model.predictor(adapted.parameters, adapted.hidden)
        now = torch.as_tensor(state, dtype=torch.float32)
        if delay.steps:
            committed = torch.stack(delay.committed(self._sent))
            now = predict(now[None], committed[None])[0, -1]
            state = now.numpy().astype(float)
        if delay.share:
            predict = _blended(predict, delay, self._warm_start.previous)
        reference = self._task.reference(state)
        if isinstance(self._task, Finishing) and self._task.finished:
            return Plan(self._rest, self._rest[None], math.nan, math.nan, 0, 0, Mode.FINISHED)
        self._last = self._planner.plan(
            predict, self._task.cost, now, reference, self._warm_start, self._generator, deadline
        )
        return self._last

    def commanded(self, action: Array) -> None:
        """What was really sent (da,): the next plan starts from it."""
        sent = torch.tensor(action, dtype=torch.float32)
        self._sent.append(sent)
        self._warm_start = self._last.shifted(sent) if self._last else WarmStart(None, sent)


def _blended(predict: Predict, delay: Delay, previous: Tensor) -> Predict:
    return lambda state, actions: predict(state, delay.blend(actions, previous))


@dataclass(frozen=True)
class Step:
    """One turn of the loop, for records and evaluation."""

    measurement: Measurement
    state: Array
    adapted: Adapted
    plan: Plan | None
    checked: Checked
    adapt_seconds: float
    plan_seconds: float


class ControlLoop:
    """The five lines of Algorithm 10 over a plant, in lockstep.

    delay: from a state to when the command that answers it acts, as far as the model does not
    know it from its training.
    """

    def __init__(
        self,
        plant: Plant,
        estimator: StateEstimator,
        dynamics: OnlineDynamics,
        controller: Controller,
        safety: SafetyMonitor,
        clock: Callable[[], float] = time.perf_counter,
        delay: Delay = NO_DELAY,
    ) -> None:
        self._plant, self._estimator, self._delay = plant, estimator, delay
        self._dynamics, self._controller, self._safety = dynamics, controller, safety
        self._clock = clock

    def step(self, period: float) -> Step:
        """Observe, adapt, plan, check, command; then let `period` [s] pass."""
        measurement = self._plant.observe()
        state = self._estimator.update(measurement)
        self._dynamics.observe(state, measurement.time)

        began = self._clock()
        adapted = self._dynamics.adapt()
        planned = self._clock()
        try:
            plan = self._controller.plan(self._dynamics.model, adapted, state, delay=self._delay)
            proposed = plan.action.numpy().astype(float)
        except NoFinitePlan:
            plan, proposed = None, None
        ended = self._clock()

        health = Health(
            state_age=measurement.age,
            model_error=adapted.report.error_after,
            planner_failed=plan is None,
        )
        checked = self._safety.update(measurement.time, proposed, state, health)
        self._plant.command(checked.action)
        self._dynamics.commanded(checked.action, measurement.time, self._delay)
        self._controller.commanded(checked.action)
        self._plant.advance(period)
        return Step(measurement, state, adapted, plan, checked, planned - began, ended - planned)
