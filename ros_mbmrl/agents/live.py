"""LiveAgent: Algorithm 10 of the thesis for one robot: adapt to its window, plan, remember.

A control loop, the adaptive process, a replay and an episode all drive this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Generator

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.adaptation.diagnosis import Teller
from ros_mbmrl.adaptation.guard import Guard, make_guard
from ros_mbmrl.adaptation.window import LiveWindow
from ros_mbmrl.agents.base import Action, Context, Diagnostics
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.agents.valued import value_for, with_value
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import Deadline, NoFinitePlan, Plan, Planner
from ros_mbmrl.robots.delay import Delay
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task


@dataclass(frozen=True, kw_only=True)
class Answer(Action):
    """The action of one robot (N = 1), and how it was found.

    Args:
        adapted: the model that the plan was made with.
        plan: None without a task, and where no finite plan was found.
        adapt_seconds, plan_seconds: durations by the agent's clock [s].
    """

    adapted: Adapted
    plan: Plan | None
    adapt_seconds: float
    plan_seconds: float

    @property
    def proposed(self) -> Array | None:
        """Return the command (da,) to be sent; None without a plan."""
        return None if self.plan is None else self.commands[0]


@dataclass(frozen=True)
class Acting:
    """Parts that an agent adapts and plans with, exchanged as a whole.

    Args:
        model: the prior's maps and network.
        guard: the update rule and the prior's parameters.
        planner: finds the plans; a policy is one, too.
        value: of the states that plans end in, for planners that want it.
    """

    model: DynamicsModel
    guard: Guard
    planner: Planner
    value: ValueFunction | None = None


class LiveAgent:
    """Adapts a model to one robot's window, under guard, and plans with it, in time.

    It is an `Agent` of one robot: `act` is `observe`, then `answer`. A live loop calls these two
    itself, since it may observe a state that it has no time to answer.

    Args:
        model: the prior's maps and network; may be exchanged while nothing is being answered.
        guard: the update rule and the prior's parameters.
        planner: finds the plans; may be exchanged until there is a task, then by `plan_with`.
        generator: of all random numbers in planning.
        delay: from a state to when the command that answers it acts [s], until `answer` is told
            another one.
        clock: returns seconds.
        value: of the states that plans end in, for planners that want it.
    """

    def __init__(
        self,
        model: DynamicsModel,
        guard: Guard,
        planner: Planner,
        generator: Generator,
        delay: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
        value: ValueFunction | None = None,
    ) -> None:
        self.model, self.guard, self.planner, self.value = model, guard, planner, value
        self._generator, self._clock = generator, clock
        self._window, self._teller = LiveWindow(model.robot, guard.window_size), Teller()
        self._delay = self._delay_of(delay)
        self._controller: Controller | None = None
        self._task: Task | None = None
        self._state, self._stamp = np.full(len(model.robot.spec.state), np.nan), 0.0

    @property
    def task(self) -> Task | None:
        """Return what is planned for."""
        return self._task

    def follow(self, task: Task) -> None:
        """Plan for `task` from now on; the plan and the commands of the last one are forgotten."""
        self._task = task
        valued = with_value(task, value_for(self.planner, self.value))
        self._controller = Controller(self.model.robot, self.planner, valued, self._generator)

    def plan_with(self, planner: Planner) -> None:
        """Plan with another planner of the same horizon from now on; it goes on from the last plan.

        Its settings alone may differ: whether it wants a value function is as it was.
        """
        self.planner = planner
        if self._controller is not None:
            self._controller.planner = planner

    @property
    def acting(self) -> Acting:
        """Return what it acts with."""
        return Acting(self.model, self.guard, self.planner, self.value)

    def exchange(self, acting: Acting) -> None:
        """Adapt and plan with another model or policy from now on; to be called between two plans.

        The plan goes on if the planner is the same. The window goes on if the model reads it the
        same way; else it is filled anew.
        """
        robot, size = self.model.robot, self.guard.window_size
        now, length = acting.model.robot, acting.guard.window_size
        if length != size or now.spec.features != robot.spec.features:
            self._window = LiveWindow(now, length)
        if acting.guard is not self.guard:
            self._teller.reset()  # a belief is of one model
        another = acting.planner is not self.planner
        self.model, self.guard, self.value = acting.model, acting.guard, acting.value
        self.planner = acting.planner
        if self._controller is not None and self._task is not None:
            valued = with_value(self._task, value_for(self.planner, self.value))
            self._controller.task = valued
            if another:
                self._controller.begin_with(self.planner)

    def begin(self, context: Context) -> None:
        """See `Agent.begin`: a run of one robot."""
        (seed,), (task,) = context.seeds, context.tasks
        self._generator.manual_seed(seed)
        self._window.reset()
        self._teller.reset()
        self.follow(task)

    def act(self, states: Array, time: float) -> Answer:
        """See `Agent.act`: states (1, ds)."""
        self.observe(states, time)
        return self.answer()

    def observe(self, states: Array, time: float) -> None:
        """Take in the states (1, ds) of `time` [s]; completes the transition of the last ones."""
        self._state, self._stamp = states[0], time
        self._window.observe(self._state, time)

    def adapt(self) -> Adapted:
        """Return u_psi(D[t - T1 : t], phi): the prior itself while the window is empty.

        Its report tells the cause that a rule infers, see `Teller`.
        """
        adapted = self.guard.adapt(self.model, self._window.transitions())
        if not adapted.beliefs:
            return adapted
        told = self._teller.update(adapted.beliefs, self._stamp)
        return replace(adapted, report=replace(adapted.report, **told._asdict()))

    def answer(self, deadline: Deadline | None = None, delay: float | None = None) -> Answer:
        """Return the action for the newest states.

        Args:
            deadline: returns the seconds that are left; None: however long it takes.
            delay: after which the command will act [s]; None: as before.
        """
        if delay is not None:
            self._delay = self._delay_of(delay)
        began = self._clock()
        adapted = self.adapt()
        planned = self._clock()
        plan = self._plan(adapted, deadline)
        commands = self.model.robot.spec.rest if plan is None else plan.action.numpy().astype(float)
        ended = self._clock()
        report = adapted.report
        figures = (report.error_before, report.error_after, report.accepted)
        return Answer(
            commands[None],
            Diagnostics(*(np.array([figure]) for figure in figures)),
            failed=np.array([plan is None]),
            adapted=adapted,
            plan=plan,
            adapt_seconds=planned - began,
            plan_seconds=ended - planned,
        )

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`: the commands (1, da) that the plant was given.

        The commanded ones, even if a fault changes what the plant does: the fault is unobserved.
        """
        self._window.commanded(commands[0], self._stamp, self._delay)
        if self._controller is not None:
            self._controller.commanded(commands[0])

    def _plan(self, adapted: Adapted, deadline: Deadline | None) -> Plan | None:
        if self._controller is None:
            return None
        try:
            return self._controller.plan(self.model, adapted, self._state, deadline, self._delay)
        except NoFinitePlan:
            return None

    def _delay_of(self, seconds: float) -> Delay:
        return Delay.of(seconds, self.model.robot.spec.period)


def make_live_agent(
    loaded: LoadedModel,
    task: Task | None = None,
    method: str | None = None,
    controller: str = "mppi",
    planning: Mapping[str, Any] | None = None,
    seed: int = 0,
    delay: float = 0.0,
) -> LiveAgent:
    """Return the agent of a loaded model.

    Args:
        loaded: the model and its card.
        task: what is planned for; nothing is planned without one.
        method: how the model is adapted, see `make_guard`.
        controller: name of the planner.
        planning: its parameters by name.
        seed: of planning.
        delay: see `LiveAgent` [s].

    Raises:
        UserError: no such planner or parameter, or a card that does not describe a guard.
    """
    planner = make_planner(controller, loaded.model.robot.spec, **(planning or {}))
    generator = Generator().manual_seed(seed)
    guard = make_guard(loaded, method)
    agent = LiveAgent(loaded.model, guard, planner, generator, delay, value=loaded.value)
    if task is not None:
        agent.follow(task)
    return agent
