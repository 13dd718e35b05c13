"""Controller: plans for one task with any adapted model, and remembers its plan and commands."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.planning.base import Deadline, NoFinitePlan, Plan, Planner, WarmStart
from ros_mbmrl.planning.members import Delayed
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots.delay import LONGEST, NO_DELAY, Delay
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Finishing, Task


class Controller:
    """Plans for `task` from the newest state; each plan starts from the one before it.

    planner: may be exchanged for one of the same horizon between two plans.
    """

    def __init__(self, robot: Robot, planner: Planner, task: Task, generator: Generator) -> None:
        self.task = task
        self.planner, self._generator = planner, generator
        self._rest = torch.as_tensor(robot.spec.rest, dtype=torch.float32)
        self._warm_start = WarmStart(None, self._rest)
        self._sent = deque([self._warm_start.previous], maxlen=LONGEST + 1)
        self._last: Plan | None = None

    def begin_with(self, planner: Planner) -> None:
        """Plan with another planner from now on, from the last command but from no plan.

        A plan of another planner may have another length, or be no start for this one.
        """
        self.planner = planner
        self._warm_start, self._last = WarmStart(None, self._warm_start.previous), None

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

        Once the task is finished the plan is to rest.

        Raises:
            NoFinitePlan: nothing that was imagined is finite, or there was no time.
        """
        self._last = None
        if not np.isfinite(state).all():  # nor may the task's progress learn of it
            raise NoFinitePlan("the state is not finite")
        predict = model.predictor(adapted.parameters, adapted.hidden, adapted.spread)
        now = torch.as_tensor(state, dtype=torch.float32)
        if delay.steps:
            committed = torch.stack(delay.committed(self._sent))
            now = predict(now[None], committed[None])[0, -1]
            state = now.numpy().astype(float)
        if delay.share:
            predict = Delayed(predict, delay, self._warm_start.previous)
        reference = self.task.reference(state)
        if isinstance(self.task, Finishing) and self.task.finished:
            return Plan(self._rest, self._rest[None], math.nan, math.nan, 0, 0, Mode.FINISHED)
        self._last = self.planner.plan(
            predict, self.task.cost, now, reference, self._warm_start, self._generator, deadline
        )
        return self._last

    def commanded(self, action: Array) -> None:
        """Take in the command (da,) that was really sent: the next plan starts from it."""
        sent = torch.tensor(action, dtype=torch.float32)
        self._sent.append(sent)
        self._warm_start = self._last.shifted(sent) if self._last else WarmStart(None, sent)
