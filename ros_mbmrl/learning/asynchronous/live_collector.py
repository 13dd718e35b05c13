"""A running graph as a collector: its episodes go to the run's data, its stops pause the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.recorder import episode_values
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.live_episodes import (
    MODEL,
    NONE,
    POLICY,
    Gathered,
    LiveEpisodes,
    Phase,
)
from ros_mbmrl.learning.asynchronous.live_run import check_live_run
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.run_figures import run_figures
from ros_mbmrl.learning.asynchronous.servers import Servers, Trajectory
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path as RobotPath
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.robots.task import Task, rewards_each

LOST = 0.3  # [m] by which another place of the path is nearer than the one that was gone on from


class LiveCollector:
    """Pushes the episodes of a graph into a run (Algorithm 6; the graph pulls and acts itself).

    Args:
        folder: of the run.
        robot: that is driven.
        owner: `hardware_id` of the graph's diagnostics.
        seconds: length of an episode [s].
        trajectories: number at which the run ends; None: no end.
        name: of this collector among those of the run.
        task: that returns are of, of a robot that follows no path.
        terrain: where the robot is.
        seed: of the graph.
        clock: returns seconds.

    Raises:
        UserError: no run, or one of another robot.
        ValueError: a length that is too short.
    """

    def __init__(
        self,
        folder: Path,
        robot: Robot,
        owner: str,
        seconds: float,
        trajectories: int | None = None,
        name: str = "graph-0",
        task: str = "",
        terrain: str = "unknown",
        seed: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_live_run(folder, robot.spec.name)
        self._robot, self._task, self._name, self._seed = robot, task, name, seed
        self._servers = Servers(folder, trajectories)
        self._episodes = LiveEpisodes(robot, owner, seconds, terrain)
        self._following: PathFollowing | None = None
        self._pause, self._clock = Pause(folder), clock
        self._pause.end()  # of a graph that was killed while it was stopped
        self._began, self._counted = 0.0, clock()
        self._idle = self._busy = 0.0  # [s]
        self._pushed, self._figures = 0, dict[str, float]()

    @property
    def complete(self) -> bool:
        """Return whether the run has all of its trajectories."""
        return self._servers.data.complete

    @property
    def trajectories(self) -> int:
        """Return how many there are."""
        return len(self._servers.data)

    def follow(self, path: RobotPath) -> None:
        """Take in the path that returns are of, from its beginning on."""
        self._following = PathFollowing(self._robot, path)

    def take(self, topic: str, message: Any, now: int) -> None:
        """Take in a message of the graph, see `LiveEpisodes.take`."""
        self._episodes.take(topic, message, now)

    def stop(self, reason: str) -> tuple[Event, ...]:
        """Pause the run for a reason, or let it go on; return what that ends.

        Raises:
            RunError: the pause cannot be written.
        """
        if reason:
            self._pause.begin(reason)
        else:
            self._pause.end()
        return self._episodes.stop(bool(reason))

    def measured(self, stamp: int) -> tuple[Event, ...]:
        """Take in that the state stamped `stamp` [ns] is complete; push what ends with it.

        Returns:
            What began or ended.

        Raises:
            RunError: the trajectory cannot be written.
        """
        self._count_idle()
        events, gathered = self._episodes.measured(stamp)
        for event in events:
            if event.kind == "start":
                self._began = self._clock()
        if gathered is not None:
            self._push(gathered)
        return events

    def close(self) -> tuple[Event, ...]:
        """End what runs; the run is not paused any more, for nobody drives."""
        self._pause.end()
        return self._episodes.abandon()

    def described(self, event: Event) -> dict[str, str]:
        """Return what is told of an event: as of any episode, and the versions that act."""
        acting = {k: str(v) for k, v in self._episodes.acting.items() if v != NONE}
        return {**episode_values(event), **acting}

    def figures(self) -> dict[str, dict[str, object]]:
        """Return how the run goes, and tell it on as this collector's heartbeat."""
        acting, episodes = self._episodes.acting, self._episodes
        self._count_idle()
        known = {"model": acting.get(MODEL, NONE), "policy": acting.get(POLICY, NONE)}
        own = {
            "worker": self._name,
            "phase": "paused" if episodes.stopped else episodes.phase.value,
            "turns": self._pushed,
            "versions": {name: number for name, number in known.items() if number != NONE},
            "idle_s": round(self._idle, 3),
            "busy_s": round(self._busy, 3),
            "figures": self._figures,
            "told": self._clock(),
        }
        write_json(self._servers.heartbeat(self._name), own)
        return run_figures(self._servers)

    def _count_idle(self) -> None:
        """Add up the time in which no episode ran."""
        now = self._clock()
        passed, self._counted = now - self._counted, now
        if self._episodes.phase is Phase.RUNNING:
            self._busy += passed
        else:
            self._idle += passed

    def _push(self, gathered: Gathered) -> None:
        rollout, total = gathered.rollout, self._return_of(gathered.rollout)
        self._servers.data.push(
            Trajectory(
                rollout=rollout,
                episode_return=total,
                collector=self._name,
                model_version=gathered.models[-1] if gathered.models else None,
                policy_version=gathered.policies[-1] if gathered.policies else None,
                seed=self._seed,
                began=self._began,
                ended=self._clock(),
            )
        )
        self._pushed += 1
        self._figures = {"return": total, "length": len(rollout)}

    def _return_of(self, rollout: Rollout) -> float:
        """Return the sum of rewards; 0 without a task."""
        states = rollout.states.astype(float)
        task = self._task_at(states[0])
        if task is None:
            return 0.0
        tasks = [task] * len(rollout)
        rewards = rewards_each(tasks, states[:-1], rollout.actions.astype(float), states[1:])
        return float(rewards[~(rollout.marks > 0)].sum())

    def _task_at(self, state: Any) -> Task | None:
        if self._following is not None:
            return placed(self._following, self._robot.pose(state))
        try:
            return self._robot.make_task(self._task, state) if self._task else None
        except UserError:
            return None


def placed(task: PathFollowing, pose: tuple[float, float, float] | None) -> PathFollowing:
    """Return a task that goes on from where it was, or from the nearest place if that was left.

    Between two episodes a robot goes a little way along its path; around a discarded one, far.
    """
    if pose is not None:
        path, xy = task.path, pose[:2]
        _, away = path.project(xy, task.progress)
        nearest, least = path.project(xy, task.progress, window=path.length)
        if abs(away) > abs(least) + LOST:
            task.progress = nearest
    return task
