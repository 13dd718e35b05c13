"""Model learning: thesis, Algorithm 7. One epoch on the local buffer, until it is stopped early.

    1: D = {}
    2: for i = 1, ... do
    3:   pull samples
    4:   D <- D with the samples; the oldest leave a full buffer
    5:   train the dynamics model for one epoch on D
    6:   push dynamics model parameters phi

Any model learner of `learning/models` makes the updates of an epoch, phase by phase; the last phase
goes on for as long as the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.early_stopping import EarlyStopping
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.worker import Figures
from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.ensemble import EnsembleLearner
from ros_mbmrl.learning.models.meta import CPU, Trained, finished, phases_of, store_of, with_own
from ros_mbmrl.learning.rounds import Data, fit_from
from ros_mbmrl.learning.run import LEARNED, Learner, Phase, Tensors
from ros_mbmrl.learning.segments import SegmentSampler, TooFewTransitions, Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.robots.spec import Robot

NAME = "model"
STATE = "learner.safetensors"  # what the next epoch needs, in a version's folder
DRAWS = 2**31 + 1  # in place of a collector's number, in the seed of an epoch
MOMENTS = "adam/"  # in the names of an optimiser's moments


class ModelWorker:
    """Fits a model to the trajectories of the data server; see `Worker`.

    Args:
        servers: of the run.
        robot: of the model.
        config: of the fit; its numbers of steps say which phases there are.
        settings: of the buffer and of early stopping.
        seed: of the run. An epoch's draws depend on it and on the model's version.
        device: that is computed on.
    """

    def __init__(
        self,
        servers: Servers,
        robot: Robot,
        config: TrainConfig,
        settings: AsynchronousConfig,
        seed: int,
        device: torch.device = CPU,
    ) -> None:
        self.name, self.lasts = NAME, 0.0
        self.versions: dict[str, int] = {"data": 0}
        self._servers, self._robot, self._config, self._settings = servers, robot, config, settings
        self._seed, self._device, self._generator = seed, device, Generator()
        self._rule = make_rule(config.method, config.options).training_rule
        self._buffer: list[tuple[int, Rollout]] = []  # with the trajectory's number
        self._stopping = EarlyStopping(settings.ema_weight)
        self._phase, self._scores = 0, dict[str, float]()
        self._fit: _Fit | None = None
        self._restore()

    def pull(self) -> bool:
        """See `Worker.pull`: lines 3 and 4."""
        found = self._servers.data.since(self.versions["data"])
        if found:
            self._add([trajectory.rollout for trajectory in found])
            self._stopping = self._stopping.reset()
            self._renew()
        return self._fit is not None and not self._stopping.stopped

    def step(self) -> None:
        """See `Worker.step`: line 5, and the validation that may stop it."""
        fit = self._fit
        assert fit is not None
        version = self.versions.get("model", -1) + 1
        rng = np.random.default_rng((self._seed, DRAWS, version))
        self._generator.manual_seed(int(rng.integers(2**62)))
        for _ in range(fit.updates):
            fit.learner.update(fit.store, self._generator)
        loss = fit.judged()["after"]
        self._scores = {"validation_loss": loss}
        self._stopping = self._stopping.after(loss)
        if self._stopping.stopped and self._phase + 1 < len(fit.phases):
            self._phase += 1  # the phase after it begins with what it found
            self._stopping = self._stopping.reset()
            self._renew()

    def push(self) -> Figures:
        """See `Worker.push`: line 6."""
        facts = {"trajectories": self.versions["data"], **self._scores}
        self.versions["model"] = self._servers.models.push(self._save, facts)
        behind = len(self._servers.data) - self.versions["data"]
        stopped = float(self._stopping.stopped)
        version = self.versions["model"]
        return {**self._scores, "stopped": stopped, "behind": behind, "version": version}

    def _add(self, rollouts: Sequence[Rollout]) -> None:
        """Add trajectories to the buffer; whole ones leave it, first in, first out."""
        for rollout in rollouts:
            self._buffer.append((self.versions["data"], rollout))
            self.versions["data"] += 1
        total = sum(len(rollout) for _, rollout in self._buffer)
        while total > self._settings.buffer and len(self._buffer) > self._settings.every:
            total -= len(self._buffer.pop(0)[1])

    def _renew(self) -> None:
        """Begin to fit to the buffer as it is, from the model so far and with its moments."""
        held = tuple(rollout for n, rollout in self._buffer if self._settings.held(n))
        training = tuple(rollout for n, rollout in self._buffer if not self._settings.held(n))
        if not (held and training):
            return
        before, fit = None, self._fit
        if fit is not None:
            own = tensor_file.unflatten(LEARNED, fit.learner.snapshot())
            known = {name: value.to(CPU) for name, value in own.items()}
            before = LoadedModel(fit.model.to(CPU), known, {"method": self._config.method})
        try:
            new = self._begun(Data(training, held), before)
            new.judged()
        except TooFewTransitions:
            return  # a robot may lose steps everywhere: more has to come
        if fit is not None and fit.phase == self._phase:
            kept = {name: v for name, v in fit.learner.snapshot().items() if MOMENTS in name}
            new.learner.restore({**new.learner.snapshot(), **kept})
        self._fit = new

    def _begun(self, data: Data, before: LoadedModel | None) -> _Fit:
        model, training, held, warm = fit_from(self._robot, self._config, data, before)
        model, drawing = model.to(self._device), Generator().manual_seed(self._config.seed)
        rows, held = training.to(self._device), held.to(self._device)
        phases = phases_of(model, self._rule, self._config, held, drawing)
        start = model.mlp.init(drawing) if warm is None else warm
        learner = phases[self._phase].begin(start)
        store = store_of(model, self._config, rows)
        updates = updates_of_epoch(self._config, learner, len(rows))
        return _Fit(model, held, phases, self._phase, learner, store, updates)

    def _save(self, folder: Path) -> None:
        """Write the model's folder, and what the next epoch needs."""
        fit = self._fit
        assert fit is not None
        found = fit.finished(self._rule, self._config)
        card = facts_of(self._config, found.scores, GuardConfig.min_transitions)
        save_model(folder, found.model, found.parameters, card)
        state = {
            "numbers": [number for number, _ in self._buffer],
            "count": self.versions["data"],
            "phase": self._phase,
            "average": self._stopping.average,
            "stopped": self._stopping.stopped,
        }
        tensors = {name: v.to(CPU) for name, v in fit.learner.snapshot().items()}
        tensor_file.save(folder / STATE, tensors, state)

    def _restore(self) -> None:
        """Go on where the newest version was pushed, if there is one."""
        found = self._servers.models.pull(lambda folder: tensor_file.load(folder / STATE))
        if found is None:
            return
        version, (tensors, state) = found
        self._buffer = [(n, self._servers.data.read(n).rollout) for n in state["numbers"]]
        self._phase = state["phase"]
        self.versions = {"data": state["count"], "model": version}
        weight = self._settings.ema_weight
        self._stopping = EarlyStopping(weight, state["average"], state["stopped"])
        self._renew()
        assert self._fit is not None
        self._fit.learner.restore(tensors)


class _Fit:
    """A fit to one state of the buffer."""

    def __init__(
        self,
        model: DynamicsModel,
        held: Transitions,
        phases: tuple[Phase[SegmentSampler], ...],
        phase: int,
        learner: Learner[SegmentSampler],
        store: SegmentSampler,
        updates: int,
    ) -> None:
        self.model, self.held, self.phases, self.phase = model, held, phases, phase
        self.learner, self.store, self.updates = learner, store, updates

    @property
    def parameters(self) -> Tensors:
        """Return what is learned, on the device."""
        return tensor_file.unflatten(LEARNED, self.learner.snapshot())

    def judged(self) -> dict[str, float]:
        """Return the validation errors `before` and `after` adaptation."""
        judge = self.phases[self.phase].judge
        assert judge is not None
        return dict(judge(self.parameters))

    def finished(self, rule: UpdateRule, config: TrainConfig) -> Trained:
        """Return the model as others use it."""
        judge = self.phases[self.phase].judge
        assert judge is not None
        # Before the phase that learns them, the rule's own parameters are fresh ones.
        drawing = Generator().manual_seed(config.seed)
        own = with_own(rule, self.model.mlp, self.parameters, drawing)
        return finished(self.model, rule, config, self.held, own, judge)


def updates_of_epoch(config: TrainConfig, learner: Learner[SegmentSampler], rows: int) -> int:
    """Return the updates that see as many transitions as there are.

    Args:
        config: of the fit.
        learner: that makes the updates.
        rows: transitions to train on.
    """
    window = max(config.adapt_windows) + config.predict_window
    batch = config.rows if isinstance(learner, EnsembleLearner) else config.batch * window
    return -(-rows // batch)
