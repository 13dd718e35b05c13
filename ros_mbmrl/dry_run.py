"""What a plan takes on this machine, and how precise its products must be: tried before moving."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import mean, median

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.control import Controller
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
STATES = 8  # that plans are compared from, each a few random commands away from the start


def check_precision(name: str) -> None:
    """Raise UserError unless `name` is a precision, or auto."""
    choose("precision", name, (AUTO, *PRECISIONS))


@dataclass(frozen=True)
class DryRun:
    """Plans that nobody carries out: what plans, for which task, from where.

    state: (ds,), where the robot is. The task is not to be used any more afterwards. clock:
    seconds; of this thread's own work, as other processes are still starting beside it.
    """

    robot: Robot
    planner: SamplingPlanner
    task: Task
    state: Array
    clock: Callable[[], float] = time.thread_time

    def check(self, model: DynamicsModel, adapted: Adapted, left: float) -> float:
        """Seconds of a plan. Raises UserError, with what would fit, if that is more than `left`."""
        took = self._seconds(self.planner, model, adapted)
        if took <= left:
            return took
        config, period = self.planner.config, self.robot.spec.period
        count, horizon = config.num_samples, config.horizon
        few = max(1, count // 2)
        rest = self._seconds(self.planner.resized(few), model, adapted)
        each = max(took - rest, 1e-9) / max(count - few, 1)
        # Not more than in proportion: large ones no longer fit into the cache.
        fit = int(min(count - (took - left) / each, count * left / took))
        steps = int(horizon * left / took)
        choices = [f"{fit} candidates"] if fit >= 1 else []
        choices += [f"a horizon of {steps}"] if steps >= 1 else []
        what = " or ".join(choices)
        raise UserError(
            f"a plan of {count} candidates and {horizon} steps takes {1e3 * took:.3g} ms on this "
            f"machine, the period of {1e3 * period:g} ms leaves {1e3 * left:.3g} ms for it: "
            + (f"expected about {what} at most" if what else "expected a longer period")
        )

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
        predict = exact.predictor(adapted.parameters, adapted.hidden)
        rest = WarmStart(None, torch.as_tensor(self._rest, dtype=torch.float32))
        excess, costs, gains = [], [], []
        for seed, state in enumerate(self._around(predict)):
            reference = self.task.reference(state.numpy().astype(float))
            found = []
            for model in (exact, rough):
                plan = self.planner.plan(
                    model.predictor(adapted.parameters, adapted.hidden),
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

    @property
    def _rest(self) -> Array:
        spec = self.robot.spec
        return (0 * spec.action_low).clip(spec.action_low, spec.action_high)

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
