"""Agents of a study: models that adapt and plan, policies, simulators that plan, chance.

A method names one of the factories here, or of another package, as its `agent`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from ros_mbmrl.agents.base import Agent, Context
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.physics import PhysicsAgent
from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.agents.told import ToldAgent
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.methods import make_method
from ros_mbmrl.methods.built_in import BASELINE
from ros_mbmrl.plugins import imported
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import NOMINAL


def make_agent(
    study: Study, scale: Scale, method: str, folder: Path, robots: SimulatedRobots
) -> Agent:
    """Return the agent of the method called `method`.

    Args:
        scale: of the study, with the planners' parameters.
        folder: of the method's model or policy, where one was learned.
        robots: the simulated robots that it will act for.
    """
    made: Agent = imported(make_method(method).agent)(study, scale, folder, robots)
    return made


def model_agent(
    scale: Scale,
    loaded: LoadedModel,
    method: str,
    make: Callable[..., ModelAgent] = ModelAgent,
) -> Agent:
    """Return Algorithm 10 with a learned model, adapted as `method` says, made by `make`."""
    precision = getattr(torch, scale.precision)
    device = str(choose_device(scale.device))
    return make(
        loaded,
        method,
        planning=scale.planner,
        precision=precision,
        device=device,
        controller=scale.controller,
    )


def adapting(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that adapts its model, as the card says, and plans with it."""
    loaded = load_model(folder, make_robot(study.robot))
    return model_agent(scale, loaded, loaded.method)


def told_causes(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that is told the causes that its model has inputs for, at every step."""
    loaded = load_model(folder, make_robot(study.robot))
    return model_agent(scale, loaded, BASELINE, partial(ToldAgent, robots.truth))


def told_all_well(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that plans with the model of `causes` as if all were well."""
    return model_agent(scale, load_model(folder, make_robot(study.robot)), BASELINE)


def by_policy(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that takes a policy's mean action; it practises first where it adapts."""
    robot = study.robot
    loaded = load_policy(folder, make_robot(robot))
    make = partial(make_simulated, robot, models=robots.models)
    return PolicyAgent(loaded, partial(practise, loaded, make, robots.situations))


def in_true_physics(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that plans in the very robots that it acts for."""
    return _physics_agent(scale, lambda _: robots, follows=False)


def in_nominal_physics(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that plans in robots as they would be modelled without data."""
    return _physics_agent(scale, nominal, follows=True)


def _physics_agent(
    scale: Scale, make: Callable[[Context], SimulatedRobots], follows: bool
) -> PhysicsAgent:
    """Return an agent that plans by simulation, with the planner of those that plan with models."""
    return PhysicsAgent(make, follows, planning=scale.physics, controller=scale.controller)


def at_random(study: Study, scale: Scale, folder: Path, robots: SimulatedRobots) -> Agent:
    """Return an agent that sends held random commands."""
    return RandomAgent(scale.training.steps)


def nominal(context: Context) -> SimulatedRobots:
    """Return simulators of robots as they would be modelled without data."""
    return make_simulated(context.robot.spec.name, [NOMINAL] * len(context), context.seeds)
