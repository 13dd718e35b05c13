"""Who acts in a study: models that adapt and plan, policies, simulators that plan, chance."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from ros_mbmrl.agents.base import Agent, Context
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.physics import PhysicsAgent
from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.studies import MODEL_FREE, ORACLE, RANDOM, SIMULATING
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import NOMINAL


def model_agent(scale: Scale, loaded: LoadedModel, method: str) -> Agent:
    """Algorithm 10 with a learned model, of the method that it was saved for."""
    precision = getattr(torch, scale.precision)
    device = str(choose_device(scale.device))
    return ModelAgent(loaded, method, planning=scale.planner, precision=precision, device=device)


def nominal(context: Context) -> SimulatedRobots:
    """Simulators of robots as they would be modelled without data."""
    return make_simulated(context.robot.spec.name, [NOMINAL] * len(context), context.seeds)


def make_agent(
    study: Study, scale: Scale, method: str, folder: Path | None, worlds: SimulatedRobots
) -> Agent:
    """The agent called `method`, which is to act in `worlds`.

    folder: of its model or policy, if it has one.
    """
    if method == RANDOM:
        return RandomAgent(scale.training.steps)
    if method in SIMULATING:
        if method == "nominal":
            return PhysicsAgent(nominal, planning=scale.physics)
        return PhysicsAgent(lambda _: worlds, follows=False, planning=scale.physics)
    assert folder is not None
    robot = make_robot(study.robot)
    if method in MODEL_FREE:
        loaded = load_policy(folder, robot)
        make = partial(make_simulated, study.robot, models=worlds.models)
        return PolicyAgent(loaded, partial(practise, loaded, make, worlds.situations))
    return model_agent(scale, load_model(folder, robot), "mb" if method == ORACLE else method)
