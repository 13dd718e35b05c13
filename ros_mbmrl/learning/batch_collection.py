"""Data for Algorithm 9 (thesis, section 9.2) from many simulated robots at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.safety.types import Level
from ros_mbmrl.simulation.situations import Situation
from ros_mbmrl.simulation.worlds import Worlds

SHORTEST = 2  # transitions; less of a run is not worth keeping


def collect(
    worlds: Worlds,
    agent: Agent,
    steps: int,
    seeds: Sequence[int],
    session: str,
    conditions: Sequence[str] = (),
) -> list[Rollout]:
    """Return the runs of `agent` in all worlds: lines 4 and 5. See `rollouts_of`."""
    return rollouts_of(worlds, run_episodes(worlds, agent, steps, seeds), session, conditions)


def rollouts_of(
    worlds: Worlds, episodes: Episodes, session: str, conditions: Sequence[str] = ()
) -> list[Rollout]:
    """Return a rollout of each robot, with the commands sent, up to where it was stopped for good.

    Tags: terrain, fault and force of its situation; `session`, with the robot's number; condition,
    where there is one for each robot. Less than SHORTEST transitions are left out. What broke down
    in the simulation ends there.
    """
    rollouts = []
    for n, situation in enumerate(worlds.situations):
        length = _usable(episodes, n, bool(worlds.diverged[n]))
        condition = {"condition": conditions[n]} if conditions else {}
        if length >= SHORTEST:
            rollout = Rollout(
                robot=worlds.robot.spec.name,
                states=episodes.states[: length + 1, n].astype(np.float32),
                actions=episodes.actions[:length, n].astype(np.float32),
                times=episodes.times[: length + 1],
                marks=np.zeros(length, dtype=np.uint8),
                tags={**tags_of(situation), "session": f"{session}-{n}", **condition},
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


def _usable(episodes: Episodes, n: int, diverged: bool) -> int:
    """Count the transitions of robot n before a stop, or before a state that is not finite."""
    states = episodes.states[:, n]
    ends = [len(states) - 1]
    ends += np.flatnonzero(episodes.levels[:, n] == Level.LATCHED)[:1].tolist()
    ends += (np.flatnonzero(~np.isfinite(states).all(axis=1))[:1] - 1).tolist()
    if diverged:  # it stays where it was
        ends += np.flatnonzero((states[1:] == states[:-1]).all(axis=1))[:1].tolist()
    return min(ends)
