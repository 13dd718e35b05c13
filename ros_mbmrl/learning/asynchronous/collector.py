"""Data collection: thesis, Algorithm 6. One trajectory with the newest policy, or with a planner.

1: for i = 1, ... do
2:   pull policy parameters theta
3:   collect one trajectory with pi_theta in the real environment
4:   push data
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np
from torch import Generator

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.policy import ExploringAgent
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.servers import Servers, Trajectory
from ros_mbmrl.learning.asynchronous.worker import Clock, Figures
from ros_mbmrl.learning.policies.in_models import ModelLearner
from ros_mbmrl.learning.policies.real_data import gather_by
from ros_mbmrl.learning.sizes import PLANNERS
from ros_mbmrl.policies.files import LoadedPolicy, load_policy
from ros_mbmrl.policies.gaussian import as_gaussian
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.spec import Robot

ATTEMPTS = 100  # a robot that falls at once gives no trajectory


class Actor(Protocol):
    """An agent in the trajectories, of the newest version.

    Attributes:
        model_version, policy_version: who acts; None: none.
    """

    model_version: int | None
    policy_version: int | None

    def pull(self) -> bool:
        """Get the newest version; return whether it can act."""

    def agent(self, generator: Generator) -> Agent:
        """Return the agent of the next trajectory."""


class PolicyActor:
    """The newest policy, exploring as its method does.

    Args:
        learner: of the method; only its exploration is used.
        servers: of the run.
        tasks: of the robot.
        steps: control steps of a trajectory.
    """

    def __init__(
        self, learner: ModelLearner[Any], servers: Servers, tasks: Tasks, steps: int
    ) -> None:
        self._learner, self._policies, self._steps = learner, servers.policies, steps
        self._load = partial(load_policy, robot=tasks.robot)
        self._loaded: LoadedPolicy | None = None
        self.model_version: int | None = None
        self.policy_version: int | None = None

    def pull(self) -> bool:
        """See `Actor.pull`: line 2."""
        found = self._policies.pull(self._load, self.policy_version)
        if found is not None:
            self.policy_version, self._loaded = found
            self.model_version = self._policies.facts(found[0]).get("model_version")
        return self._loaded is not None

    def agent(self, generator: Generator) -> Agent:
        """See `Actor.agent`."""
        assert self._loaded is not None
        if self._learner.first_by_chance and self.model_version is None:
            return RandomAgent(self._steps)
        own = self._loaded.parameters
        explored = self._learner.explored(own, self._previous(), 1, generator)
        return ExploringAgent(as_gaussian(self._loaded.policy), explored, self._steps)

    def _previous(self) -> dict[str, Any]:
        """Return the parameters of the oldest policy that is kept, if it can still be read."""
        assert self._loaded is not None
        try:
            oldest = self._policies.versions()[0]
            return self._load(self._policies.path(oldest)).parameters
        except (OSError, UserError):
            return self._loaded.parameters


class PlannerActor:
    """The newest model and the robot's planner; by chance before the first model.

    Args:
        servers: of the run.
        robot: whose planner it is.
        steps: control steps of a trajectory.
    """

    def __init__(self, servers: Servers, robot: Robot, steps: int) -> None:
        self._models, self._robot, self._steps = servers.models, robot, steps
        self._load = partial(load_model, robot=robot)
        self._loaded: LoadedModel | None = None
        self.model_version: int | None = None
        self.policy_version: int | None = None

    def pull(self) -> bool:
        """See `Actor.pull`: the model and the planner are the policy."""
        found = self._models.pull(self._load, self.model_version)
        if found is not None:
            self.model_version, self._loaded = found
        return True

    def agent(self, generator: Generator) -> Agent:
        """See `Actor.agent`."""
        if self._loaded is None:
            return RandomAgent(self._steps)
        planner = self._robot.planner
        return ModelAgent(self._loaded, planning=PLANNERS[planner], controller=planner)


class Collector:
    """Collects trajectories of a simulated robot; see `Worker`.

    Args:
        number: of this collector, from 0 on.
        servers: of the run.
        tasks: of the robot.
        actor: who acts.
        steps: control steps of a trajectory.
        seed: of the run. Draws depend on it, on the collector, and on how many it has collected.
        pace: speed of the robot's time, 0 for none; see `AsynchronousConfig`.
        clock: of the run.
    """

    def __init__(
        self,
        number: int,
        servers: Servers,
        tasks: Tasks,
        actor: Actor,
        steps: int,
        seed: int,
        pace: float,
        clock: Clock,
    ) -> None:
        self.name, self.lasts = f"collector-{number}", 0.0
        self.versions: dict[str, int] = {}
        self._number, self._seed, self._pace, self._clock = number, seed, pace, clock
        self._servers, self._tasks, self._actor, self._steps = servers, tasks, actor, steps
        pushed = (servers.data.facts(n)["collector"] for n in range(len(servers.data)))
        self._pushed = sum(each == self.name for each in pushed)
        self._made: Trajectory | None = None

    def pull(self) -> bool:
        """See `Worker.pull`: line 2."""
        if self._servers.data.complete or not self._actor.pull():
            return False
        known = {"model": self._actor.model_version, "policy": self._actor.policy_version}
        self.versions = {name: version for name, version in known.items() if version is not None}
        return True

    def step(self) -> None:
        """See `Worker.step`: line 3.

        Raises:
            RunError: the robot was stopped at once, again and again.
        """
        began = self._clock.now()
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng((self._seed, self._number, self._pushed, attempt))
            seed = int(rng.integers(2**62))
            agent = self._actor.agent(Generator().manual_seed(seed))
            session = f"{self.name}-{self._pushed}"
            found = gather_by(agent, 1, self._tasks, self._steps, rng, session)
            if found.rollouts:
                break
        else:
            raise RunError(f"{self.name}: {ATTEMPTS} times the robot was stopped at once")
        (rollout,) = found.rollouts
        period = self._tasks.robot.spec.period
        self.lasts = len(rollout) * period / self._pace if self._pace else 0.0
        versions = self._actor.model_version, self._actor.policy_version
        times = began, began + self.lasts
        total = float(found.returns[0])
        self._made = Trajectory(rollout, total, self.name, *versions, seed, *times)

    def push(self) -> Figures:
        """See `Worker.push`: line 4."""
        assert self._made is not None
        made, self._made = self._made, None
        if self._servers.data.push(made) is not None:
            self._pushed += 1
        behind = 0
        if made.policy_version is not None:
            behind = (self._servers.policies.latest() or 0) - made.policy_version
        return {"return": made.episode_return, "length": len(made.rollout), "behind": behind}
