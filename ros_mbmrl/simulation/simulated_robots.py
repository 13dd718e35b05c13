"""SimulatedRobots: an environment of many robots of one kind, stepped together over threads.

Faults switch at the edges of control periods. What becomes of one robot depends on its situation,
its seed and its commands; not on the others, nor on the number of threads. A step starts from
positions and velocities alone (no warm start of the solver is carried over), so the state that is
measured is the whole state, up to the blocks of a pier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ros_mbmrl.robots.running import FORWARD, Rules
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task, rewards_each
from ros_mbmrl.simulation.engine import Rollout, mujoco
from ros_mbmrl.simulation.environment import (
    Flags,
    Observation,
    Transition,
    clipped,
    observe,
    rows_of,
    tasks_of,
)
from ros_mbmrl.simulation.group import Group, Held, grouped, places
from ros_mbmrl.simulation.models import Models, models_of
from ros_mbmrl.simulation.senses import Senses
from ros_mbmrl.simulation.situations import Situation, check_situation
from ros_mbmrl.simulation.switching import course_task


class SimulatedRobots:
    """N robots of one kind, each in its situation: an `Environment`. Made by `make_simulated`.

    models: compiled ones, which other environments can share. situations: (N,). goals: (N, g) [m],
    of robots that have any. diverged: (N,) whether its physics broke down; such a robot stays
    where it last was, and is rewarded for that, until it is reset or its state is set. rules: of an
    environment; None: the robot's own reward, and no end. ended: (N,) whether the episode is over
    by those rules; such a robot stays where it is, with rewards of 0. noise: factor on what the
    robot's sensors are off by; those of the thesis are exact.
    """

    def __init__(
        self,
        models: Models,
        situations: Sequence[Situation],
        seeds: Sequence[int],
        threads: int = 1,
        rules: Rules | None = None,
        noise: float = 1.0,
    ) -> None:
        count = len(situations)
        if count != len(seeds) or count == 0:
            raise ValueError(f"expected a seed each, got {count} and {len(seeds)}")
        self.models, self.simulation = models, models.simulation
        self.situations, self.goals = tuple(situations), np.zeros((count, self.simulation.goals))
        self.diverged, self.ended = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        self.rules = rules
        self._ticks = np.zeros(count, dtype=int)
        self._next = np.zeros(count)  # when something changes for a robot, in ticks of its clock
        self._powered = np.ones((count, len(self.robot.spec.action)))
        self._forces = np.zeros((count, 3))
        self._sent = np.tile(self.robot.spec.rest, (count, 1))  # in the control period before
        self._tasks: list[Any] = [None] * count  # those that give the rewards
        self._senses = Senses(self.simulation, count, noise)
        self._before: Array | None = None  # what was observed a control period ago
        self._threads = max(threads, 1)
        self._rollout = Rollout(nthread=threads if threads > 1 else 0)
        self._states: Array | None = None  # of now, once somebody has asked
        self._datas: dict[int, list[mujoco.MjData]] = {}
        self._groups: list[Group] = []
        self.reset(np.ones(count, dtype=bool), situations, seeds)

    def __len__(self) -> int:
        return len(self.situations)

    @property
    def robot(self) -> Robot:
        """See `Environment.robot`."""
        return self.simulation.robot

    @property
    def times(self) -> Array:
        """See `Environment.times`."""
        return self._ticks * self.simulation.tick

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`."""
        score = self.simulation.score if self.rules is None else self.rules.score
        each = list(zip(self.situations, self.times, strict=True))
        usual = all(own.at(now).course == FORWARD and not own.changes for own, now in each)
        if score is None or (self.rules is None and usual):
            return tasks_of(self.robot, self.states(), self.goals)
        return [course_task(score, *own, self.robot.spec.period) for own in each]

    def measurements(self) -> Array:
        """Return what is measured now, without noise (N, dm)."""
        measured = np.empty((len(self), len(self.robot.spec.measurement)))
        for group in self._groups:
            measured[group.indices] = group.measured()
        return measured

    def observed(self) -> Array:
        """Return what the sensors say now (N, dm); asked twice, the same."""
        return self.simulation.disturbed(self.measurements(), self._senses.errors(self._ticks))

    def states(self) -> Array:
        """Return the states (N, ds), true ones of robots whose sensors are exact."""
        if self._states is None:
            period = self.robot.spec.period
            self._seen = self.observed()
            self._states = self.robot.estimate(self._seen, self._before, period)
        return np.array(self._states)

    def observe(self) -> Observation:
        """See `Environment.observe`."""
        return observe(self.robot, self.states(), self.goals)

    def reset(self, mask: Flags, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        """See `Environment.reset`; a model that was compiled before is not compiled again.

        Raises UserError for what the robot cannot be put into.
        """
        rows, name = rows_of(mask, situations, seeds), self.robot.spec.name
        for situation in situations:
            check_situation(name, situation)
        held = {
            int(index): (group.models[place], group.states[place], group.controls[place])
            for group in self._groups
            for place, index in enumerate(group.indices)
        }
        now, goals = list(self.situations), self.goals.copy()
        for row, situation, seed in zip(rows.tolist(), situations, seeds, strict=True):
            now[row], rng = situation, np.random.default_rng(seed)
            held[row] = self._begun(situation, rng)
            drawn = self.simulation.goal(rng)
            goals[row] = drawn if situation.goal is None else situation.goal
        self.situations, self.goals = tuple(now), goals
        self._ticks[rows], self._next[rows] = 0, 0
        self.diverged[rows] = self.ended[rows] = False
        self._powered[rows], self._forces[rows], self._sent[rows] = 1.0, 0.0, self.robot.spec.rest
        self._senses.reset(rows, seeds)
        own = self.simulation, held, self._sizes, self._datas, self._threads
        self._groups, self._states = grouped(*own), None
        fresh = self.observed()
        if self._before is not None:
            fresh[~np.asarray(mask)] = self._before[~np.asarray(mask)]
        self._before = fresh
        if self.simulation.tasked:
            fresh_tasks = self.tasks()
            for row in rows.tolist():
                self._tasks[row] = fresh_tasks[row]

    def reschedule(self, situations: Sequence[Situation]) -> None:
        """Go on in situations (N,) that differ from those of now in when faults or forces act.

        Raises UserError, as `reset`, and ValueError for situations that differ otherwise.
        """
        for old, new in zip(self.situations, situations, strict=True):
            check_situation(self.robot.spec.name, new)
            if replace(new, **_schedule(old)) != old:
                raise ValueError("situation: expected other faults and forces alone")
        self.situations = tuple(situations)
        self._next[:] = self._ticks

    def set_states(self, states: Array) -> None:
        """Put the robots into states (N, ds); time goes on, and blocks of a pier stay."""
        expected = (len(self), len(self.robot.spec.state))
        if np.shape(states) != expected or not np.isfinite(states).all():
            raise ValueError(f"states: expected finite ones of shape {expected}")
        for group in self._groups:
            group.place(states[group.indices])
        self._states = None
        self._before = self.observed()
        self.diverged[:] = self.ended[:] = False

    def step(self, actions: Array) -> Transition:
        """See `Environment.step`; rewards are those of the rules, or of the thesis, table 5."""
        before, resting, seen = self.states(), self.ended.copy(), self._seen
        courses = self._courses()
        late = min(self.simulation.late, self.simulation.substeps)
        self.advance(self._sent, late)
        self.advance(actions, self.simulation.substeps - late)
        self._sent, self._before = np.array(actions), seen
        after = self.states()
        if self.rules is not None:
            self.ended |= self.diverged | self.rules.ended(after)
        return Transition(
            observe(self.robot, after, self.goals),
            np.where(resting, 0.0, self._reward(before, np.asarray(actions), after, courses)),
            self.diverged | self.ended,
            np.zeros(len(self), dtype=bool),
        )

    def _courses(self) -> Array:
        """Return the values (N, 4) of the courses in the control period that begins now."""
        each = zip(self.situations, self.times, strict=True)
        return np.array([situation.at(now).course.values for situation, now in each])

    def _reward(self, before: Array, actions: Array, after: Array, courses: Array) -> Array:
        """Return rewards (N,) for states (N, ds) a period apart, and commands (N, da)."""
        if self.simulation.tasked:
            return rewards_each(self._tasks, before, actions, after)
        if self.rules is None:
            return self.simulation.reward(before, actions, after, self.goals, courses)
        return np.asarray(self.rules.score.reward(before, actions, after, courses))

    def advance(self, actions: Array, ticks: int) -> None:
        """Step the physics `ticks` times under commands (N, da). Raises ValueError, as `step`."""
        motors, left = clipped(self.robot.spec, actions, self._powered.shape), ticks
        while left:
            self._switch()
            part = int(min(left, (self._next - self._ticks).min()))
            powered = self._powered * motors
            for group in self._groups:
                flags = self.diverged, self.ended
                group.advance(self._rollout, powered, self._forces, part, *flags)
            self._ticks += part
            self._states = None
            left -= part

    def imagine(self, actions: Array) -> Array:
        """Simulate K plans of each robot (N, K, H, da), and return the states (N, K, H + 1, ds).

        From where they are, with faults and forces as they are now, and without latency; NaN from
        where the physics breaks down. The robots themselves stay as they are. Raises ValueError, as
        `step`.
        """
        shape = (len(self), *np.shape(actions)[1:3], self._powered.shape[1])
        motors = clipped(self.robot.spec, actions, shape)
        self._switch()
        motors = self._powered[:, None, None] * motors
        count, plans, horizon, _ = shape
        measured = np.empty((count, plans, horizon + 1, len(self.robot.spec.measurement)))
        for group in self._groups:
            reached = group.imagine(self._rollout, motors, self._forces, self.simulation.substeps)
            measured[group.indices] = reached
        assert self._before is not None
        first = np.broadcast_to(self._before[:, None, None], measured[:, :, :1].shape)
        older = np.concatenate([first, measured[:, :, :-1]], axis=2)
        now, then = (each.reshape(-1, measured.shape[-1]) for each in (measured, older))
        states = self.robot.estimate(now, then, self.robot.spec.period)
        return states.reshape(count, plans, horizon + 1, -1)

    def physics(self, index: int) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """See `Group.physics`."""
        (group,) = [each for each in self._groups if index in each.indices]
        return group.physics(index)

    def present(self, index: int) -> frozenset[str]:
        """Return the faults of robot `index` in the control period that begins now."""
        return self._present(index, self._ticks[index])

    def effectiveness(self, steps: int, first: int = 0) -> Array:
        """Return the shares (steps, N, da) of commands that act, from period `first` on."""
        shares = np.ones((steps, *self._powered.shape))
        for step, index in np.ndindex(shares.shape[:2]):
            present = self._present(index, (first + step) * self.simulation.substeps)
            if present:
                shares[step, index] = self.simulation.powered(present)
        return shares

    def causes(self, states: Array, first: int = 0) -> Array:
        """Return the causes (T, N, k) beside the actuators, from period `first` since a reset on.

        states: (T, N, ds), in which the robots are when these periods begin.
        """
        simulation = self.simulation
        ticks = (first + np.arange(len(states))) * simulation.substeps
        each = []
        for n, situation in enumerate(self.situations):
            pushed = ticks >= simulation.edge(situation.force_begin)
            each.append(simulation.causes(situation, states[:, n], pushed))
        return np.stack(each, axis=1)

    def truth(self, states: Array, first: int = 0) -> Array:
        """Return `causes`, then `effectiveness`, (T, N, k + da): what a filter infers."""
        own = self.causes(states, first), self.effectiveness(len(states), first)
        return np.concatenate(own, axis=2)

    def _present(self, index: int, ticks: int) -> frozenset[str]:
        """Return the faults of robot `index` so many ticks after its reset."""
        edges = (
            (each.name, self.simulation.edge(each.begin), self.simulation.edge(each.end))
            for each in self.situations[index].faults
        )
        return frozenset(name for name, begin, end in edges if begin <= ticks < end)

    def _switch(self) -> None:
        """Change what begins or ends now, by each robot's own clock."""
        for group in self._groups:
            for place in np.flatnonzero(self._next[group.indices] <= self._ticks[group.indices]):
                index = int(group.indices[place])
                situation, present = self.situations[index], self.present(index)
                self._powered[index] = self.simulation.powered(present)
                self._senses.offsets[index] = self.simulation.offset(present)
                pushed = self._ticks[index] >= self.simulation.edge(situation.force_begin)
                self._forces[index] = np.array(situation.force) * pushed
                broken = self.simulation.broken(present)
                now = situation.at(self._ticks[index] * self.simulation.tick)
                group.models[place] = self.models.get(now, broken).model
                edges = self.simulation.edges(situation)
                self._next[index] = min(each for each in edges if each > self._ticks[index])

    def _begun(self, situation: Situation, rng: np.random.Generator) -> Held:
        """Return a model, the full state of MuJoCo that it begins with, and its controls."""
        compiled = self.models.get(situation)
        model, state = compiled.model, compiled.state.copy()
        start = self.simulation.start(model, situation.terrain, rng)
        self._sizes = len(start[0]), len(start[1])
        spans = places(model, self._sizes)
        for place, part in zip(spans, start, strict=True):
            state[place] = part
        if situation.start is not None:
            self.simulation.move(state, situation.start, spans)
        self.simulation.settle(state[None], spans)
        return model, state, self.simulation.controls(self.robot.spec.rest)


def _schedule(situation: Situation) -> dict[str, Any]:
    """Return what says when faults and forces of a situation act."""
    return {name: getattr(situation, name) for name in ("faults", "force", "force_begin")}


def make_simulated(
    robot_name: str,
    situations: Sequence[Situation],
    seeds: Sequence[int],
    threads: int = 1,
    models: Models | None = None,
    noise: float = 1.0,
) -> SimulatedRobots:
    """Make robots of the kind `robot_name`, one for each situation and seed of its start and goal.

    models: of this robot, if other environments share them. noise: see `SimulatedRobots`. Raises
    UserError for a robot that is not simulated, or what its situations cannot be.
    """
    own = models or models_of(robot_name)
    return SimulatedRobots(own, situations, seeds, threads, noise=noise)
