"""Policy improvement: thesis, Algorithm 8. One update in the newest model.

    1: randomly initialise theta
    2: for i = 1, ... do
    3:   pull model parameters phi
    4:   collect imagined samples using pi_theta
    5:   train policy for one gradient step
    6:   push policy parameters theta

Imagined episodes begin where real ones did, and observations are normalised over the real ones, so
that new data are pulled, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Generator

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.worker import Figures
from ros_mbmrl.learning.policies.in_models import ModelLearner
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Tasks

NAME = "policy"
DRAWS = 2**31 + 2  # in place of a collector's number, in the seed of an update


class PolicyWorker:
    """Improves a policy; see `Worker`.

    Args:
        servers: of the run.
        tasks: of the robot.
        learner: of the method.
        seed: of the run. An update's draws depend on it and on the policy's version.
        card: what the policies' cards tell.
    """

    def __init__(
        self,
        servers: Servers,
        tasks: Tasks,
        learner: ModelLearner[Any],
        seed: int,
        card: Mapping[str, Any],
    ) -> None:
        self.name, self.lasts = NAME, 0.0
        self.versions: dict[str, int] = {"data": 0}
        self._servers, self._robot, self._card = servers, tasks.robot, card
        self._learner, self._seed, self._generator = learner, seed, Generator()
        self._load = partial(load_model, robot=tasks.robot)
        self._imagined: float | None = None
        found = servers.policies.pull(partial(load_policy, robot=tasks.robot))
        if found is not None:  # line 1 is over
            self.versions["policy"], loaded = found
            learner.begin_from(loaded.parameters)

    def pull(self) -> bool:
        """See `Worker.pull`: line 3."""
        if "policy" not in self.versions:
            return True
        for trajectory in self._servers.data.since(self.versions["data"]):
            self._learner.take([trajectory.rollout])
            self.versions["data"] += 1
        found = self._servers.models.pull(self._load, self.versions.get("model"))
        if found is not None:
            self.versions["model"], model = found
            self._learner.enter(model)
        return "model" in self.versions

    def step(self) -> None:
        """See `Worker.step`: lines 4 and 5; the first one is line 1."""
        if "policy" not in self.versions:
            return
        rng = np.random.default_rng((self._seed, DRAWS, self.versions["policy"]))
        self._imagined = self._learner.update_once(self._generator, int(rng.integers(2**62)))

    def push(self) -> Figures:
        """See `Worker.push`: line 6."""
        facts = {"model_version": self.versions.get("model"), "trajectories": self.versions["data"]}
        self.versions["policy"] = self._servers.policies.push(self._save, facts)
        behind = (self._servers.models.latest() or 0) - self.versions.get("model", 0)
        imagined = {} if self._imagined is None else {"imagined": self._imagined}
        return {**imagined, "behind": behind, "version": self.versions["policy"]}

    def _save(self, folder: Path) -> None:
        """Write the policy's folder."""
        save_policy(folder, self._robot, self._learner.trained(()), self._card)
