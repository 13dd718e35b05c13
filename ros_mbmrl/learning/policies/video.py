"""An episode of a policy as a moving picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.simulation.gif import write_gif
from ros_mbmrl.simulation.posture import make_posture
from ros_mbmrl.simulation.render import film
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

SIZE = (320, 240)  # width and height


def write_video(path: Path, tasks: Tasks, loaded: LoadedPolicy, steps: int, seed: int) -> None:
    """Write an episode in a task that the seed draws as GIF, a picture a control period.

    A policy that adapts practises in that task first.

    Args:
        path: of the GIF.
        tasks: of which one is drawn.
        loaded: the policy, which takes its mean action.
        steps: control periods of the episode.
        seed: of the task and of the robot's start.

    Raises:
        RunError: the robot is not one that can be drawn, or no picture can be drawn here.
    """
    situations, seeds = tasks.drawn(np.random.default_rng(seed), 1)
    robots = tasks.make(situations, seeds)
    if not isinstance(robots, SimulatedRobots):
        raise RunError(f"{tasks.robot.spec.name} has no picture")
    agent = PolicyAgent(loaded, partial(practise, loaded, tasks.make, situations))
    episode = run_episodes(robots, agent, steps, seeds)
    states = episode.states[: int(episode.lasted[0]) + 1, 0]
    posture = make_posture(tasks.robot.spec.name, situations[0])
    write_gif(path, film(posture, states, *SIZE), tasks.robot.spec.period)
