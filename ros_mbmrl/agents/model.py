"""ModelAgent: Algorithm 10 for N robots at once: adapt to each one's window, plan, under guard.

The robots share nothing but the time, the model and the products that it is computed with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.bank import Acting
from ros_mbmrl.adaptation.batch_window import BatchWindow
from ros_mbmrl.adaptation.diagnosis import Beliefs, Teller
from ros_mbmrl.adaptation.guard import make_guard, support_of
from ros_mbmrl.agents.base import Action, Context, Diagnostics, Flags
from ros_mbmrl.agents.valued import value_for, with_value
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.updates import InputUpdate, Update
from ros_mbmrl.planning.batch import Plans, make_batch_planner
from ros_mbmrl.planning.members import Delayed
from ros_mbmrl.robots.conditioned import modelled_causes
from ros_mbmrl.robots.delay import LONGEST, Delay
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.robots.task import cost_each


@dataclass(frozen=True)
class Adaptation:
    """Updates of N robots' models, and facts about them, all (N,).

    Args:
        update: of each robot, none where it was refused.
        before, after: errors of the prior and of the model used.
        accepted: whether the model used is an adapted one.
        effectiveness, causes: see `Diagnostics`.
    """

    update: Update
    before: Tensor
    after: Tensor
    accepted: Tensor
    effectiveness: Array | None = None
    causes: Array | None = None

    @property
    def diagnostics(self) -> Diagnostics:
        """Return the facts as arrays."""
        errors = _float64(self.before), _float64(self.after)
        accepted = self.accepted.numpy(force=True)
        return Diagnostics(*errors, accepted, self.effectiveness, self.causes)


class Diagnoses:
    """The diagnoses of N robots; see `Teller`.

    Attributes:
        effectiveness: (N, da), the share of each command that acts under the cause that is told.
        causes: (N, k), those beside the actuators under the most probable cause; None if the
            model has inputs for none.
    """

    def __init__(self, spec: RobotSpec, robots: int) -> None:
        self._tellers = [Teller() for _ in range(robots)]
        self.effectiveness: Array = np.ones((robots, len(spec.action)))
        defaults = [cause.default for cause in modelled_causes(spec)]
        self.causes: Array | None = np.tile(defaults, (robots, 1)) if defaults else None

    def update(self, beliefs: Sequence[Beliefs], inferred: Array, time: float) -> None:
        """Take in what is inferred at `time` [s].

        Args:
            beliefs: of each robot.
            inferred: (N, k + da), the causes and the effectiveness under the most probable one.
        """
        others, inferred = np.split(inferred, [-self.effectiveness.shape[1]], axis=1)
        if self.causes is not None:
            self.causes = others
        shares: Array = self.effectiveness.copy()
        for n, (teller, each) in enumerate(zip(self._tellers, beliefs, strict=True)):
            if teller.update(each, time).cause == max(each, key=lambda name: each[name]):
                shares[n] = inferred[n]
        self.effectiveness = shares


class ModelAgent:
    """Adapts a model to each robot's own window, under guard, and plans with what comes of it.

    Args:
        loaded: the model and its card.
        method: how it is adapted, see `make_guard`.
        planning: parameters of the planner by name.
        controller: name of the planner, one that searches by sampling.
        precision: of the network's products.
        device: where all of it is computed.
        delay: from a state to when the command that answers it acts [s].
    """

    def __init__(
        self,
        loaded: LoadedModel,
        method: str | None = None,
        planning: Mapping[str, Any] | None = None,
        precision: torch.dtype = torch.float32,
        device: str = "cpu",
        delay: float = 0.0,
        controller: str = "mppi",
    ) -> None:
        self._device = torch.device(device)
        loaded = loaded.to(self._device, precision)
        self._model, self._guard = loaded.model, make_guard(loaded, method)
        self._delay = Delay.of(delay, loaded.model.robot.spec.period)
        spec = loaded.model.robot.spec
        self._planner = make_batch_planner(controller, spec, planning or {}, self._device)
        self._value = value_for(self._planner, loaded.value)

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        robot, count = self._model.robot, len(context)
        self._window = BatchWindow(robot, self._guard.window_size, count, self._device)
        self._generators = [Generator(self._device).manual_seed(seed) for seed in context.seeds]
        self._tasks = [with_value(task, self._value) for task in context.tasks]
        self._start = self._planner.start(count)
        self._sent = deque([self._start.previous], maxlen=LONGEST + 1)
        self._diagnoses = Diagnoses(robot.spec, count)
        self._good = np.zeros((count, len(robot.spec.state)))

    @torch.inference_mode()
    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        self._window.observe(states, time)
        self._time = time
        adapted = self._adapt()
        finite = np.asarray(np.isfinite(states).all(axis=1))
        # In place of what is no state: the last one that was. What comes of it is not used.
        self._good = np.where(finite[:, None], states, self._good)
        self._plans = self._plan(adapted.update, self._good, finite)
        return Action(
            _float64(self._plans.actions[:, 0]),
            adapted.diagnostics,
            failed=~self._plans.found.numpy(force=True),
        )

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`."""
        self._window.commanded(commands, self._delay)
        sent = torch.as_tensor(commands, dtype=torch.float32, device=self._device)
        self._sent.append(sent)
        self._start = self._plans.shifted(sent)

    def _adapt(self) -> Adaptation:
        if not self._window.longest:
            zeros = torch.zeros(len(self._tasks), device=self._device)
            return Adaptation(self._model.mlp.no_update, zeros, zeros, zeros > 0, *self._inferred)
        support = support_of(self._model, *self._window.transitions())
        update, verdict = self._guard.update(self._model.mlp, support)
        before, accepted = verdict.error_before, verdict.accepted
        if not accepted.any():  # the prior for all of them, in one pass
            update = self._model.mlp.no_update
        after = torch.where(accepted, verdict.error_after, before)
        self._diagnose(verdict.inputs)
        return Adaptation(update, before, after, accepted, *self._inferred)

    @property
    def _inferred(self) -> tuple[Array | None, Array | None]:
        """Return effectiveness and causes, see `Diagnoses`, of a rule that infers them."""
        found = self._diagnoses
        return (found.effectiveness, found.causes) if self._guard.rule.labelled else (None, None)

    def _diagnose(self, inputs: InputUpdate | None) -> None:
        """Take in what a rule infers.

        Args:
            inputs: how the update changes the inputs; None of a rule that infers nothing.
        """
        if inputs is None or inputs.belief is None:
            return
        update = Update(self._model.mlp.no_update.layers, inputs=inputs)
        beliefs = self._guard.rule.beliefs(self._model.robot.spec, update)
        acting = Acting.stored(CAUSES.part(self._guard.parameters))
        self._diagnoses.update(beliefs, _float64(acting.values(inputs)), self._time)

    def _plan(self, update: Update, states: Array, finite: Flags) -> Plans:
        predict = self._model.predictor_each(self._guard.parameters, update)
        now = torch.as_tensor(states, dtype=torch.float32, device=self._device)
        if self._delay.steps:  # to where the commands already sent lead
            committed = torch.stack(self._delay.committed(self._sent), dim=1)
            now = predict(now, committed[:, None])[:, 0, -1]
            states = _float64(now)
        if self._delay.share:  # of the last command acts in the first planned interval
            predict = Delayed(predict, self._delay, self._start.previous[:, None])
        return self._planner.plan(
            predict,
            cost_each(self._tasks, states, self._device),
            now,
            self._start,
            self._generators,
            torch.as_tensor(finite, device=self._device),
        )


def _float64(values: Tensor) -> Array:
    return values.numpy(force=True).astype(np.float64)
