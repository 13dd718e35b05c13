"""`bench loop`: the cost of a step of the control loop beside adapting and planning.

The twin's physics does not count: on a robot that time passes by itself. The peer, in the same
rounds: planning alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.agents.live import LiveAgent
from ros_mbmrl.bench.plan import Config as PlanConfig
from ros_mbmrl.bench.plan import planner
from ros_mbmrl.bench.problem import PATH, Problem, check_network, make_problem
from ros_mbmrl.bench.timing import Figure, Findings, Times, at_least, interleave, pinned
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.planning import make_planner
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.monitor import SafetyMonitor

STEP, PLAN, REST = "step", "nothing but plan", "step, less adapting and planning"


@dataclass(frozen=True)
class Config:
    """Settings; samples, horizon: of the planner, window: transitions adapted to (T1)."""

    samples: int = 1000
    horizon: int = 10
    window: int = 16
    hidden: tuple[int, ...] = (512, 512, 512)
    activation: str = "silu"
    threads: int = 1
    repeats: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, samples=self.samples, horizon=self.horizon, threads=self.threads)
        at_least(1, repeats=self.repeats)
        at_least(GuardConfig().min_transitions, window=self.window)
        check_network(self.hidden, self.activation)


QUICK = Config(samples=64, horizon=4, hidden=(32, 32), window=8, repeats=3)


class TimedPlant(TwinPlant):
    """A twin that measures the seconds it takes of the present step."""

    def __init__(self, robot: Robot, config: TwinConfig, clock: Callable[[], float]) -> None:
        super().__init__(robot, config)
        self._clock, self.seconds = clock, 0.0

    def observe(self) -> Measurement:
        """See `Plant.observe`."""
        began = self._clock()
        measurement = super().observe()
        self.seconds += self._clock() - began
        return measurement

    def command(self, action: Array) -> None:
        """See `Plant.command`."""
        began = self._clock()
        super().command(action)
        self.seconds += self._clock() - began

    def advance(self, duration: float) -> None:
        """See `Plant.advance`."""
        began = self._clock()
        super().advance(duration)
        self.seconds += self._clock() - began


def run(config: Config) -> Findings:
    """Measure steps of the loop and bare plans, in turn."""
    clock = time.perf_counter
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        problem = make_problem(config.hidden, config.activation, generator)
        robot = problem.model.robot
        start = TwinConfig(seed=config.seed, start=make_path(PATH).start)
        plant = TimedPlant(robot, start, clock)
        loop = make_loop(problem, config, plant, clock)
        taken: list[tuple[Step, float]] = []

        def step() -> None:
            plant.seconds = 0.0
            taken.append((loop.step(robot.spec.period), plant.seconds))

        alone = planner(problem, _plan(config), torch.float32)
        times = interleave({STEP: step, PLAN: alone}, config.repeats, warm_up=config.window + 2)
    parts = split(times, taken[-config.repeats :])
    return Findings(figures(parts), parts, {"rest_ms": 1e3 * parts.median(REST)})


def make_loop(
    problem: Problem, config: Config, plant: TimedPlant, clock: Callable[[], float]
) -> ControlLoop:
    """Return the loop as evaluation runs it, with an untrained network."""
    model, robot = problem.model, problem.model.robot
    rule, generator = make_rule("grbal", {"steps": 1}), Generator().manual_seed(config.seed)
    parameters = {**problem.parameters, **rule.init(model.mlp, problem.parameters, generator)}
    guard = Guard(rule, parameters, config.window, GuardConfig())
    sampling = make_planner("mppi", robot.spec, num_samples=config.samples, horizon=config.horizon)
    agent = LiveAgent(model, guard, sampling, generator, clock=clock)
    agent.follow(problem.task())
    return ControlLoop(plant, StateEstimator(robot), agent, SafetyMonitor(robot))


def split(times: Times, taken: list[tuple[Step, float]]) -> Times:
    """Split the seconds of each step, without its physics, by what they were spent on."""
    whole = np.array(times.seconds[STEP]) - [plant for _, plant in taken]
    adapting = np.array([step.adapt_seconds for step, _ in taken])
    planning = np.array([step.plan_seconds for step, _ in taken])
    parts = {
        STEP: whole,
        "adapting": adapting,
        "planning": planning,
        REST: whole - adapting - planning,
        PLAN: np.array(times.seconds[PLAN]),
    }
    return Times({name: tuple(values.tolist()) for name, values in parts.items()})


def figures(times: Times) -> tuple[Figure, ...]:
    """Return the ratios of `--json`."""
    least = np.array(times.seconds[STEP]) - times.seconds["planning"]
    share = float(np.median(least / times.seconds[PLAN]))
    return (
        times.figure("step_over_plan", STEP, PLAN, "a step over nothing but its plan"),
        Figure("less_plan_over_plan", share, "a step less its plan, over a plan"),
        times.figure("rest_over_plan", REST, PLAN, "the rest of a step over a plan"),
    )


def _plan(config: Config) -> PlanConfig:
    return PlanConfig(
        samples=config.samples,
        horizon=config.horizon,
        hidden=config.hidden,
        activation=config.activation,
        seed=config.seed,
    )
