"""Data for Algorithm 9 (thesis, section 9.2) from many simulated robots at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots
from ros_mbmrl.simulation.situations import Situation

SHORTEST = 2  # transitions; less of a run is not worth keeping


def collect(
    robots: SimulatedRobots,
    agent: Agent,
    steps: int,
    seeds: Sequence[int],
    session: str,
    conditions: Sequence[str] = (),
    tasks: Sequence[Task] | None = None,
) -> list[Rollout]:
    """Return the runs of `agent` with all robots: lines 4 and 5. See `rollouts_of`.

    tasks: of each robot; the environment's own if none are given.
    """
    episodes = run_episodes(robots, agent, steps, seeds, tasks)
    return rollouts_of(robots, episodes, session, conditions)


def rollouts_of(
    robots: SimulatedRobots, episodes: Episodes, session: str, conditions: Sequence[str] = ()
) -> list[Rollout]:
    """Return a rollout a robot, with the commands that were sent, as long as it `lasted`.

    Tags: terrain, fault and force of its situation; `session`, with the robot's number; condition,
    where there is one for each robot. Less than SHORTEST transitions are left out.
    """
    steps = len(episodes.actions)
    tags = [tags_of(situation) for situation in robots.situations]
    if conditions:
        pairs = zip(tags, conditions, strict=True)
        tags = [{**own, "condition": condition} for own, condition in pairs]
    known = robots.effectiveness(steps), robots.causes(episodes.states[:-1])
    return cut(robots.robot.spec.name, episodes, session, tags, *known)


def cut(
    robot: str,
    episodes: Episodes,
    session: str,
    tags: Sequence[Mapping[str, str]],
    effectiveness: Array | None = None,
    causes: Array | None = None,
) -> list[Rollout]:
    """Return the rollouts of episodes in any environment; see `rollouts_of`.

    Args:
        robot: its name.
        episodes: of N robots.
        session: its name.
        tags: of each robot, beside its session.
        effectiveness, causes: (T, N, ...), see `Rollout`; None: unknown.
    """
    rollouts = []
    for n, (own, length) in enumerate(zip(tags, episodes.lasted, strict=True)):
        if length >= SHORTEST:
            shares = None if effectiveness is None else effectiveness[:length, n]
            others = None if causes is None or not causes.shape[2] else causes[:length, n]
            rollout = Rollout(
                robot=robot,
                states=episodes.states[: length + 1, n].astype(np.float32),
                actions=episodes.actions[:length, n].astype(np.float32),
                times=episodes.times[: length + 1],
                marks=np.zeros(length, dtype=np.uint8),
                tags={**own, "session": f"{session}-{n}"},
                effectiveness=None if shares is None else shares.astype(np.float32),
                causes=None if others is None else others.astype(np.float32),
            )
            rollouts.append(rollout)
    return rollouts


def tags_of(situation: Situation) -> dict[str, str]:
    """Return the tags of a situation; faults are NAME@SECONDS if they begin later."""
    faults = [f.name + (f"@{f.begin:g}" if f.begin else "") for f in situation.faults]
    tags = {"terrain": situation.terrain.kind, "fault": "+".join(faults) or "none"}
    if any(situation.force):
        tags["force"] = " ".join(f"{newtons:.3g}" for newtons in situation.force)
    return tags
