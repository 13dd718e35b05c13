"""Data for Algorithm 9 (thesis, section 9.2) from many simulated robots at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.episodes.batch import Episodes, run_episodes
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
) -> list[Rollout]:
    """Return the runs of `agent` with all robots: lines 4 and 5. See `rollouts_of`."""
    return rollouts_of(robots, run_episodes(robots, agent, steps, seeds), session, conditions)


def rollouts_of(
    robots: SimulatedRobots, episodes: Episodes, session: str, conditions: Sequence[str] = ()
) -> list[Rollout]:
    """Return a rollout a robot, with the commands that were sent, as long as it `lasted`.

    Tags: terrain, fault and force of its situation; `session`, with the robot's number; condition,
    where there is one for each robot. Less than SHORTEST transitions are left out.
    """
    rollouts = []
    steps = len(episodes.actions)
    effectiveness, causes = robots.effectiveness(steps), robots.causes(steps)
    for n, (situation, length) in enumerate(zip(robots.situations, episodes.lasted, strict=True)):
        condition = {"condition": conditions[n]} if conditions else {}
        if length >= SHORTEST:
            rollout = Rollout(
                robot=robots.robot.spec.name,
                states=episodes.states[: length + 1, n].astype(np.float32),
                actions=episodes.actions[:length, n].astype(np.float32),
                times=episodes.times[: length + 1],
                marks=np.zeros(length, dtype=np.uint8),
                tags={**tags_of(situation), "session": f"{session}-{n}", **condition},
                effectiveness=effectiveness[:length, n].astype(np.float32),
                causes=causes[:length, n].astype(np.float32) if causes.shape[2] else None,
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
