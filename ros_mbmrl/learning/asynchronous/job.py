"""Description of an asynchronous run, and the workers that it has.

A job is plain data: any process, here or on another machine, makes its worker of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous import model_worker, policy_worker
from ros_mbmrl.learning.asynchronous.collector import Actor, Collector, PlannerActor, PolicyActor
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.model_worker import ModelWorker
from ros_mbmrl.learning.asynchronous.policy_worker import PolicyWorker
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.worker import Clock, Worker
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.sizes import SMALL
from ros_mbmrl.methods import METHODS, learns_policy, make_method
from ros_mbmrl.plugins import imported
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.runtime.kept import keep, plain

MODEL, POLICY = model_worker.NAME, policy_worker.NAME


@dataclass(frozen=True)
class Job:
    """A run of the asynchronous framework.

    Args:
        run: its folder.
        method: that improves a policy, or that learns a model for the robot's planner.
        robot: name of a simulated robot, or of an environment.
        settings: of the method: its configuration, of a model its `TrainConfig`.
        asynchronous: of servers and workers.
        situations: names of distributions, as `simulated_tasks` takes them.
        collectors: number of robots that collect at once.
        device: that the model is fitted on.
        card: what the policies' cards tell beside method and seed.
    """

    run: Path
    method: str
    robot: str
    settings: Any
    asynchronous: AsynchronousConfig = AsynchronousConfig()
    situations: tuple[str, ...] = ()
    collectors: int = 1
    device: str = "cpu"
    card: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for a buffer that is too small; UserError for an unknown method."""
        if self.collectors < 1:
            raise ValueError(f"collectors: expected at least 1, got {self.collectors}")
        if self.plans:
            if not isinstance(self.settings, TrainConfig):
                raise ValueError("settings: expected a TrainConfig of a model that plans")
        elif self.policy_method.learner is None:
            raise UserError(
                f"method '{self.method}' has no asynchronous form: expected a model and its "
                f"planner (mb, grbal, ...), or one of {', '.join(improvers())}"
            )
        self.asynchronous.check_buffer(self.model_settings, self.steps)

    @property
    def plans(self) -> bool:
        """Return whether model and planner are the policy."""
        return not learns_policy(self.method)

    @property
    def policy_method(self) -> PolicyMethod:
        """Return the method that improves the policy."""
        found: PolicyMethod = imported(make_method(self.method).learner)
        return found

    @property
    def model_settings(self) -> TrainConfig:
        """Return the settings of the model's fit."""
        settings: TrainConfig = self.settings if self.plans else self.settings.model
        return settings

    @property
    def steps(self) -> int:
        """Return the control steps of a trajectory."""
        own = SMALL.steps if self.plans else self.settings.horizon
        return self.asynchronous.steps or int(own)

    @property
    def trajectories(self) -> int:
        """Return the number of trajectories at which the run ends."""
        budget = 100 if self.plans else self.settings.budget // self.steps
        return self.asynchronous.trajectories or max(2, budget)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the workers; a policy worker only where a policy is learned."""
        collectors = tuple(f"collector-{k}" for k in range(self.collectors))
        return (*collectors, MODEL) if self.plans else (*collectors, MODEL, POLICY)

    def servers(self) -> Servers:
        """Return the servers."""
        return Servers(self.run, self.trajectories, self.asynchronous.keep)

    def tasks(self) -> Tasks:
        """Return the source of episodes."""
        across = True if self.plans else self.policy_method.across
        return simulated_tasks(self.robot, self.situations, across)

    def keep(self) -> None:
        """Write what decides the run into its folder, or compare it with what is there.

        A longer run than the one there goes on. Raises UserError for another run.
        """
        settings = plain(self.settings)
        settings.pop("budget", None)
        asynchronous = asdict(self.asynchronous)
        for name in ("trajectories", "poll", "keep"):
            del asynchronous[name]
        facts = {
            "method": self.method,
            "robot": self.robot,
            "situations": self.situations,
            "collectors": self.collectors,
            "settings": settings,
            "asynchronous": asynchronous,
        }
        keep(self.run, facts, "run")

    def worker(self, name: str, clock: Clock) -> Worker:
        """Make a worker, which goes on where the servers are.

        Raises:
            UserError: what the servers hold cannot be read, or the tasks have rewards that no
                model tells.
        """
        tasks, servers, seed = self.tasks(), self.servers(), int(self.settings.seed)
        if name == MODEL:
            own = self.model_settings, self.asynchronous, seed
            return ModelWorker(servers, tasks.robot, *own, choose_device(self.device))
        if name == POLICY:
            card = {"method": self.method, "seed": seed, **self.card}
            return PolicyWorker(servers, tasks, self._learner(tasks), seed, card)
        number = int(name.rpartition("-")[2])
        actor = self._actor(tasks, servers)
        pace = self.asynchronous.pace
        return Collector(number, servers, tasks, actor, self.steps, seed, pace, clock)

    def _actor(self, tasks: Tasks, servers: Servers) -> Actor:
        if self.plans:
            return PlannerActor(servers, tasks.robot, self.steps)
        return PolicyActor(self._learner(tasks), servers, tasks, self.steps)

    def _learner(self, tasks: Tasks) -> Any:
        make = self.policy_method.learner
        assert make is not None
        return make(tasks, self.settings)


def improvers() -> tuple[str, ...]:
    """Return the names of the policy methods that have an asynchronous form."""
    policies = (name for name in METHODS if learns_policy(name))
    found = ((name, imported(METHODS[name].learner)) for name in policies if METHODS[name].learner)
    return tuple(
        name
        for name, method in found
        if isinstance(method, PolicyMethod) and method.learner is not None
    )
