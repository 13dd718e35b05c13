"""Measures a plan on this machine before the robot moves, and makes it fit: size, precision.

Where a plan as configured does not fit into the period, what fits is chosen: first one thread if
several are slower, then fewer candidates, then fewer steps, down to a floor.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import mean, median

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.planning.base import NoFinitePlan, WarmStart
from ros_mbmrl.planning.search import SamplingPlanner
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
AUTO = "auto"
REPEATS = 5
LONG = 2.0  # [s]: enough of it
PLENTY = 3600.0  # [s]
FEW = 16  # candidates
FASTER = 0.8  # of float32's time, or bfloat16 is not worth its rounding
WORSE = 0.02  # that a plan in bfloat16 may cost more
FLOOR_SAMPLES, FLOOR_STEPS = 0.25, 0.5  # of those configured: below, a plan is another one
ROOM = 0.9  # of the time left that a smaller plan is chosen to take
TRIES = 4  # at a number of candidates
TENFOLD = 10  # how far beyond what was measured the time of more candidates is reckoned
STATES = 8  # that plans are compared from, each a few random commands away from the start


def check_precision(name: str) -> None:
    """Raise UserError unless `name` is a precision, or auto."""
    choose("precision", name, (AUTO, *PRECISIONS))


@dataclass(frozen=True)
class Fit:
    """A planner that fits, and the time [s] of its plans.

    note: what was chosen instead of what was configured, in one line; empty for nothing.
    """

    planner: SamplingPlanner
    seconds: float
    note: str

    def told(self, left: float) -> str:
        """Return what was measured, in a few words, where the period leaves `left` [s]."""
        took = f"{_size(self.planner)} take {1e3 * self.seconds:.3g} ms"
        return f"{took} of the {1e3 * left:.3g} ms that the period leaves"

    def most(self, left: float) -> int:
        """Return how many candidates are allowed while the robot moves, where `left` [s] are left.

        If fewer than configured were chosen there is no room for more. Otherwise the time is taken
        to grow with their number, which overstates it.
        """
        count = self.planner.config.num_samples
        if self.note:
            return count
        share = ROOM * left / max(self.seconds, 1e-9)
        return max(count, int(min(share, TENFOLD) * count))


@dataclass(frozen=True)
class DryRun:
    """Plans that nobody carries out: what plans, for which task, from where.

    state: (ds,), where the robot is. The task is not to be used any more afterwards. clock:
    seconds; of this thread's own work, as other processes are still starting beside it. threads:
    for linear algebra, as `set_threads` has set them.
    """

    robot: Robot
    planner: SamplingPlanner
    task: Task
    state: Array
    clock: Callable[[], float] = time.thread_time
    threads: int = 1
    set_threads: Callable[[int], None] = torch.set_num_threads

    def fit(self, model: DynamicsModel, adapted: Adapted, left: float) -> Fit:
        """Return a planner whose plans take `left` [s] at most, the configured one if that does.

        Raises UserError if not even the smallest one does.
        """

        def seconds(planner: SamplingPlanner) -> float:
            return self._seconds(planner, model, adapted)

        configured = took = seconds(self.planner)
        threads = self.threads
        if took > left and threads > 1:  # on a machine without as many cores they only wait
            self.set_threads(1)
            took = seconds(self.planner)
            if took < configured:
                threads = 1
            else:
                took = configured
                self.set_threads(threads)
        if took <= left:
            return Fit(self.planner, took, self._note(self.planner, threads, configured))
        planner, took = self._smaller(seconds, took, left)
        if took > left:
            smallest = _size(planner)
            raise UserError(
                f"{self._takes(configured, left)}; the smallest allowed, {smallest}, takes "
                f"{1e3 * took:.3g} ms: expected a longer period or a faster machine"
            )
        return Fit(planner, took, self._note(planner, threads, configured))

    def _smaller(
        self, seconds: Callable[[SamplingPlanner], float], took: float, left: float
    ) -> tuple[SamplingPlanner, float]:
        """Return the largest planner found that fits, or the smallest of all, and its time."""
        config = self.planner.config
        count, horizon = config.num_samples, config.horizon
        fewest = min(count, max(math.ceil(FLOOR_SAMPLES * count), FEW))
        planner = self.planner.resized(fewest)
        least = seconds(planner)
        for steps in range(horizon - 1, math.ceil(FLOOR_STEPS * horizon) - 1, -1):
            if least <= left:
                break
            planner = self.planner.resized(fewest, steps)
            least = seconds(planner)
        if least > left or planner.config.horizon < horizon:
            return planner, least
        share = (ROOM * left - least) / max(took - least, 1e-9)
        more = fewest + int(max(share, 0.0) * (count - fewest))
        for _ in range(TRIES):
            if more <= fewest:
                break
            larger = self.planner.resized(more)
            if (took := seconds(larger)) <= left:
                return larger, took
            more = (more + fewest) // 2
        return planner, least

    def _takes(self, took: float, left: float) -> str:
        period = self.robot.spec.period
        return (
            f"a plan of {_size(self.planner)} takes {1e3 * took:.3g} ms on this machine, "
            f"the period of {1e3 * period:g} ms leaves {1e3 * left:.3g} ms for it"
        )

    def _note(self, planner: SamplingPlanner, threads: int, configured: float) -> str:
        """Return what was chosen instead of what was configured, empty for nothing."""
        chosen = [_size(planner)] if planner is not self.planner else []
        if threads != self.threads:
            chosen.append(f"{threads} thread" + "s" * (threads > 1))
        if not chosen:
            return ""
        told = f"{_size(self.planner)}" + f" and {self.threads} threads" * (self.threads > 1)
        return f"planning with {' and '.join(chosen)}: {told} take {1e3 * configured:.3g} ms"

    def precision(self, model: DynamicsModel, adapted: Adapted) -> tuple[str, str]:
        """bfloat16 where it is clearly faster and plans are as good; the choice, and why."""
        exact = replace(model, precision=torch.float32)
        rough = replace(model, precision=torch.bfloat16)
        few = self.planner.resized(FEW)  # where there are no units for it, all could take minutes
        pace = self._ratio(few, rough, exact, adapted)
        if pace < 2:
            pace = self._ratio(self.planner, rough, exact, adapted)
        why = f"a plan in bfloat16 takes {pace:.2f} of the time in float32"
        if not pace <= FASTER:
            return "float32", f"{why}, and is worth it up to {FASTER}"
        worse = self._worse(exact, rough, adapted)
        why += f" and costs {100 * worse:+.2f} % (up to {100 * WORSE:g} % will do)"
        return ("bfloat16" if worse <= WORSE else "float32"), why

    def _ratio(
        self, planner: SamplingPlanner, one: DynamicsModel, other: DynamicsModel, adapted: Adapted
    ) -> float:
        first, second = (self._seconds(planner, each, adapted) for each in (one, other))
        return first / second

    def _seconds(self, planner: SamplingPlanner, model: DynamicsModel, adapted: Adapted) -> float:
        """Median time of a whole plan, each from the one before it."""
        controller = Controller(self.robot, planner, self.task, Generator().manual_seed(0))
        took: list[float] = []
        while len(took) <= REPEATS and sum(took) < LONG:
            began = self.clock()
            with suppress(NoFinitePlan):
                # With a deadline, as it will be, but one that changes nothing.
                plan = controller.plan(model, adapted, self.state, lambda: PLENTY)
                controller.commanded(plan.action.numpy())
            took.append(self.clock() - began)
        return median(took[1:] or took)  # the first one warms up

    @torch.inference_mode()
    def _worse(self, exact: DynamicsModel, rough: DynamicsModel, adapted: Adapted) -> float:
        """How much more plans in bfloat16 cost, as float32 sees it; same states, same noise.

        As a part of their cost, or of what searching gains over the average candidate if that is
        less: a cost may lie anywhere, about zero too.
        """
        predict = exact.predictor(adapted.parameters, adapted.hidden, adapted.spread)
        rest = WarmStart(None, torch.as_tensor(self.robot.spec.rest, dtype=torch.float32))
        excess, costs, gains = [], [], []
        for seed, state in enumerate(self._around(predict)):
            reference = self.task.reference(state.numpy().astype(float))
            found = []
            for model in (exact, rough):
                plan = self.planner.plan(
                    model.predictor(adapted.parameters, adapted.hidden, adapted.spread),
                    self.task.cost,
                    state,
                    reference,
                    rest,
                    Generator().manual_seed(seed),
                )
                states = predict(state[None], plan.actions[None])
                found.append((float(self.task.cost(states, plan.actions[None], reference)), plan))
            (cost, plan), (other, _) = found
            excess.append(other - cost)
            costs.append(cost)
            gains.append(plan.cost_mean - cost)
        return mean(excess) / max(min(abs(mean(costs)), mean(gains)), 1e-9)

    def _around(self, predict: Callable[[Tensor, Tensor], Tensor]) -> list[Tensor]:
        """States (ds,) that random commands lead to from the start, as the model sees it."""
        spec, generator = self.robot.spec, Generator().manual_seed(0)
        start = torch.as_tensor(self.state, dtype=torch.float32)
        low, high = (
            torch.as_tensor(x, dtype=torch.float32) for x in (spec.action_low, spec.action_high)
        )
        actions = torch.rand(STATES, STATES, len(low), generator=generator) * (high - low) + low
        states = predict(start.expand(STATES, -1), actions)
        return [states[k, k] for k in range(STATES)]


def _size(planner: SamplingPlanner) -> str:
    return f"{planner.config.num_samples} candidates and {planner.config.horizon} steps"
