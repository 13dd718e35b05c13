"""Films of an evaluation: the beginning of the first episode, once a method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.episodes.hexapod import run_episode
from ros_mbmrl.errors import RunError
from ros_mbmrl.evaluation.campaign import Job
from ros_mbmrl.evaluation.study.agents import make_agent
from ros_mbmrl.evaluation.study.judge import Trial
from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.evaluation.study.worlds import period_of, situations_of, worlds_of
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.gif import write_gif
from ros_mbmrl.simulation.posture import make_posture
from ros_mbmrl.simulation.render import Picture, film

SECONDS = 15.0  # of an episode that are shown
SIZE = (320, 240)  # width and height
Shown = tuple[list[Picture], float]  # pictures, and the time between them [s]


def of_job(job: Job) -> Shown:
    """Run an experiment's episode again, and return pictures of it. Raises RunError."""
    robot, scenario = make_robot(job.entrant.robot), job.cell.scenario
    short = replace(scenario, duration=min(scenario.duration, SECONDS))
    loaded = load_model(job.entrant.folder, robot)
    steps = run_episode(robot, loaded, short, controller=job.controller).steps
    states = np.array([step.state for step in steps])
    return film(make_posture(job.entrant.robot), states, *SIZE), robot.spec.period


def of_trial(trial: Trial) -> Shown:
    """Run a trial's first episode again, and return pictures of it. Raises RunError."""
    study = make_study(trial.study)
    period, seeds = period_of(study), [trial.first_seed]
    steps = trial.scale.training.steps
    situations = situations_of(study, trial.conditions[:1], seeds, steps * period)
    worlds = worlds_of(study, situations, seeds)
    agent = make_agent(study, trial.scale, trial.method, trial.folder or Path(), worlds)
    episode = run_episodes(worlds, agent, min(steps, round(SECONDS / period)), seeds)
    states = episode.states[: int(episode.lasted[0]) + 1, 0]
    return film(make_posture(worlds.robot.spec.name, situations[0]), states, *SIZE), period


def write_films(out: Path, named: Iterable[tuple[str, Callable[[], Shown]]]) -> list[Path]:
    """Write `film_<name>.gif` for each method; print where they are, or why there are none.

    Args:
        out: folder of the films.
        named: methods, each with what makes its pictures; the first of a name counts.

    Returns:
        The paths of the films.
    """
    first: dict[str, Callable[[], Shown]] = {}
    for name, shown in named:
        first.setdefault(name, shown)
    written: list[Path] = []
    for name, shown in first.items():
        path = out / f"film_{name}.gif"
        try:
            write_gif(path, *shown())
        except RunError as error:
            print(f"no film: {error}")
            break
        written.append(path)
        print(f"film: {path}")
    return written
