"""M3PO: meta-model-based meta-policy optimization, Algorithm 2 of Hiraoka et al."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.files import NORMALIZER
from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.sequence_fit import Fitted, Rows, fit_sequences
from ros_mbmrl.learning.policies.branched import branch
from ros_mbmrl.learning.policies.m3po_config import M3POConfig
from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.policies.with_histories import HistoryLearner
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.history import Encoder
from ros_mbmrl.policies.meta_world import MetaWorld
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.simulation.environment import Environment, Flags

MOST = 20_000  # transitions that a normalisation is computed of
SMALLEST = 1e-6  # deviation below which a number is a constant


class M3POLearner(HistoryLearner[M3POConfig]):
    """Fit the meta-model once an epoch; after every control period imagine, and learn from that.

    Attributes:
        imagined: D_model, rows with history.
        world: the meta-model of the last fit; None before the first.
    """

    def __init__(self, tasks: Tasks, config: M3POConfig) -> None:
        super().__init__(tasks, config)
        width = self._states + self.layout.size
        self.imagined = Replay(config.imagined, width, self.layout.actions)
        self.world: MetaWorld | None = None
        self._ended, self._periods, self._loss = tasks.ended, 0, 0.0

    @property
    def epoch(self) -> int:
        """Return the number of whole epochs."""
        return self._periods // self._config.every

    def _kept(self, environment: Environment, commands: object, going: Flags) -> None:
        """See `OffPolicyLearner._kept`."""
        self._periods += 1

    def _learn(self, transitions: int, generator: Generator) -> dict[str, float]:
        """Make one step of an epoch, line 5 of which the loop has made."""
        if len(self.replay) < max(self._config.first, 2) or not transitions:
            return {}
        begins = self.world is None or self._periods % self._config.every == 0
        if begins:
            self._fit(generator)  # line 3
        if self._config.full and begins:
            self._imagine(self._config.imagined, self.sequences.beginnings, generator)
        elif not self._config.full:  # lines 6 to 9
            count = transitions * self._config.rollouts
            self._imagine(count, self.sequences.numbers, generator)
        return super()._learn(transitions, generator)

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """Make G gradient steps for each transition: lines 10 to 12."""
        scalars: dict[str, float] = {}
        for _ in range(steps):
            scalars = self.soft.update(self.hybrid(generator), generator)
        share = self._config.share(self.epoch)
        return {**scalars, "model_loss": self._loss, "beta": share}

    def hybrid(self, generator: Generator) -> Batch:
        """Draw a batch from D_hyb = beta D_model + (1 - beta) D_env (eq. 28)."""
        rows = self._config.soft.rows
        imagined = round(self._config.share(self.epoch) * rows) if len(self.imagined) else 0
        drawn = []
        if imagined:
            drawn.append(self.imagined.draw(imagined, generator))
        if imagined < rows:
            drawn.append(self.real(rows - imagined, generator))
        return Batch(*(torch.cat(part) for part in zip(*drawn, strict=True)))

    def _imagine(self, count: int, starts: Tensor, generator: Generator) -> None:
        """Add k-step roll-outs from the histories of some `starts` to D_model, if it has room."""
        config = self._config
        assert self.world is not None
        if config.share(self.epoch) == 0.0 or not len(starts):
            return
        rows = max(1, min(count, config.imagined // config.length))
        drawn = starts[torch.randint(len(starts), (rows,), generator=generator)]
        begin = self.sequences.at(drawn).observations
        self.imagined.add(branch(self.world, self._drawn, begin, config.length, generator))

    def _drawn(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return the actions (n, da) that the policy draws for rows with history."""
        noise = torch.randn(len(rows), self.layout.actions, generator=generator)
        return self.soft.policy.sample(self.soft.parameters, self._observed(rows), noise).actions

    def _fit(self, generator: Generator) -> None:
        """Fit the meta-model to all real data, from the parameters of the fit before."""
        model = self._new_model(generator)
        first = self.sequences.numbers[0]
        start = model.init(generator) if self.world is None else self.world.parameters

        def gather(indices: Tensor) -> Rows:
            batch, size = self.sequences.at(first + indices), self._states
            states, seen = batch.observations[:, :size], batch.observations[:, size:]
            wanted = model.targets(states, batch.rewards, batch.following[:, :size])
            return Rows(states, seen, batch.actions, wanted)

        count = len(self.sequences)
        found: Fitted = fit_sequences(model, start, count, gather, self._config.fit, generator)
        self._loss = found.loss
        self.world = MetaWorld(model, found.parameters, self._ended)

    def _new_model(self, generator: Generator) -> MetaModel:
        """Return a meta-model with the normalisation of (some of) the real data."""
        rows = min(len(self.sequences), MOST)
        chosen = torch.randperm(len(self.sequences), generator=generator)[:rows]
        batch, robot = self.sequences.at(self.sequences.numbers[chosen]), self._robot
        before, after = batch.observations[:, : self._states], batch.following[:, : self._states]
        inputs = torch.cat([robot.features(before), batch.actions], dim=1)
        changes = torch.cat([robot.difference(before, after), batch.rewards[:, None]], dim=1)
        told = (batch.rewards[:, None],) if self.layout.rewards else ()
        past = torch.cat([robot.observation(before), batch.actions, *told], dim=1)
        std = past.std(dim=0, correction=0)
        spread = torch.where(std > SMALLEST, std, torch.ones_like(std))
        return self._model(Normalizer.fit(inputs, changes), past.mean(dim=0), spread)

    def _model(self, normalizer: Normalizer, mean: Tensor, std: Tensor) -> MetaModel:
        config, spec = self._config, self._robot.spec
        units = config.units if config.meta else 0
        sizes = len(spec.features) + len(spec.action) + units, len(spec.changes) + 1
        shape = sizes[0], *config.model_hidden, sizes[1]
        network = Ensemble(shape, config.soft.activation, config.heads, "gaussian")
        encoder = Encoder(self.layout.width, units) if config.meta else None
        return MetaModel(self._robot, self.layout, network, encoder, normalizer, mean, std)

    def snapshot(self) -> dict[str, Tensor]:
        """See `Learner.snapshot`."""
        found = super().snapshot() | tensor_file.flatten("imagined", self.imagined.snapshot())
        found |= {"periods": torch.tensor(self._periods), "loss": torch.tensor(self._loss)}
        if self.world is not None:
            model = self.world.model
            scales = {name: getattr(model.normalizer, name) for name in NORMALIZER}
            scales |= {"past_mean": model.past_mean, "past_std": model.past_std}
            found |= tensor_file.flatten("scales", scales)
            found |= tensor_file.flatten("model", self.world.parameters)
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Learner.restore`."""
        super().restore(tensors)
        self.imagined.restore(tensor_file.unflatten("imagined", tensors))
        self._periods, self._loss = int(tensors["periods"]), float(tensors["loss"])
        if scales := tensor_file.unflatten("scales", tensors):
            past = scales.pop("past_mean"), scales.pop("past_std")
            mean, std, change_mean, change_std = (scales[name] for name in NORMALIZER)
            normalizer = Normalizer(mean, std, change_mean, change_std)
            own = tensor_file.unflatten("model", tensors)
            self.world = MetaWorld(self._model(normalizer, *past), own, self._ended)


PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "m3po": {},
        "m3po_h": {"anneal": (80.0, 130.0)},  # table 3, of the half-cheetah on a pier
        "m2po": {"meta": False, "model_hidden": (200, 200, 200, 200)},  # section A.9: as MBPO's
    }
)


def config_of(method: str, seed: int = 0) -> M3POConfig:
    """Return the settings of a method where nothing else is said."""
    return M3POConfig(method=method, seed=seed, **PRESETS[method])


def train_m3po(
    tasks: Tasks, config: M3POConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: the robot has a goal.
    """
    learner = M3POLearner(tasks, config)
    curve = train_policy(config.method, tasks, config, learner, out, progress)
    return TrainedPolicy(learner.soft.policy, learner.soft.parameters, curve)


def _trainer(method: str) -> PolicyMethod:
    return PolicyMethod(partial(config_of, method), train_m3po)


M3PO, M3PO_H, M2PO = _trainer("m3po"), _trainer("m3po_h"), _trainer("m2po")
