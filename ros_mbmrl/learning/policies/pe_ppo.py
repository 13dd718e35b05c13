"""PE-PPO: PPO that infers the task as a context z, without any model.

The model-free baseline of Wang and van Hoof, "Model-based Meta Reinforcement Learning using Graph
Structured Surrogate Models" (section 5, appendix D.3): the encoder takes transitions in no order,
and its objective is PEARL's (Rakelly et al. 2019). So the value function trains the encoder, with
the divergence of q(z | context) from N(0, 1), and policy and value function see z. The policy is
that of PPO (Schulman et al. 2017, eq. 7), on the z that it acted with.

DR-PPO, the other baseline, is `ppo`: one policy across all tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.ascent import Ascent
from ros_mbmrl.learning.policies.contextual_steps import (
    Batch,
    Episode,
    Steps,
    carried,
    likelihood,
)
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.policies.with_histories import layout_of
from ros_mbmrl.learning.run import LEARNED, Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.groups import Group
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.posterior import Gaussian, PosteriorEncoder
from ros_mbmrl.policies.advantages import standardised
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Discounts, Tasks, to_commands
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy
from ros_mbmrl.simulation.environment import Environment

VALUE = Group("value")  # parameters of the value function among those that are learned


@dataclass(frozen=True)
class PEPPOConfig:
    """Settings of PE-PPO.

    budget: transitions in all; an episode that ends early counts whole. tasks: drawn an iteration,
    each for `episodes` episodes one after the other, of which the later ones know the last
    `history` transitions of those before. units: numbers of z. encoder: hidden layers of the
    network that gives a transition's factor. divergence: weight of the posterior's divergence from
    the prior. value: weight of the value function's squared error. clip: largest change of the
    likelihood ratio. epochs: passes over a batch. minibatch: rows in a step. log_std: of the first
    actions, before they are squashed.
    """

    budget: int = 60_000
    tasks: int = 10
    episodes: int = 2
    horizon: int = 200
    history: int = 50
    units: int = 16
    encoder: tuple[int, ...] = (32, 32)
    hidden: tuple[int, ...] = (64, 64)
    divergence: float = 0.01
    value: float = 0.5
    clip: float = 0.2
    epochs: int = 10
    minibatch: int = 128
    learning_rate: float = 3e-4
    discounts: Discounts = field(default_factory=Discounts)
    log_std: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("budget", "tasks", "episodes", "horizon", "history", "units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if min(self.epochs, self.minibatch) < 1 or not self.learning_rate > 0:
            raise ValueError("expected epochs, minibatch, learning_rate > 0")
        if not (0 < self.clip < 1 and self.divergence >= 0 and self.value > 0):
            raise ValueError("expected clip from 0 to 1, divergence of 0 or more and value > 0")

    @property
    def batch(self) -> int:
        """Return the transitions of an iteration."""
        return self.tasks * self.episodes * self.horizon


class PEPPOLearner:
    """Make one iteration at a time; see `learning.run.Learner`.

    Raises:
        UserError: the robot has a goal.
    """

    def __init__(self, tasks: Tasks, config: PEPPOConfig) -> None:
        self.rate = 1.0  # not used: nothing depends on where the run ends
        self._config, self._iteration = config, 0
        self.layout = layout_of(tasks, config.history)
        own = self.layout.width, self.layout.observations
        self.encoder = PosteriorEncoder(*own, config.units, config.encoder)
        inputs = self.layout.observations + config.units
        self._moments = Moments.none(self.layout.observations)  # of all observations so far
        self._returns = Moments.none(1)  # of all returns to come so far
        mlp = MLP((inputs, *config.hidden, 2 * self.layout.actions), "tanh")
        self.inner = SquashedPolicy(mlp, torch.zeros(inputs), torch.ones(inputs))
        self._value = MLP((inputs, *config.hidden, 1), "tanh")
        generator = Generator().manual_seed(config.seed)
        self._learned = self.inner.init(generator) | self.encoder.init(generator)
        self._learned |= VALUE.named(self._value.init(generator))
        self._learned[f"b{mlp.layers - 1}"][self.layout.actions :] = config.log_std
        self._ascent = Ascent(config.learning_rate)

    @property
    def policy(self) -> HistoryPolicy:
        """Return the policy of observations with histories: it acts on the posterior's mean."""
        inner = self.inner
        shape = inner.mlp, inner.mean, inner.std, inner.clip
        return HistoryPolicy(*shape, layout=self.layout, encoder=self.encoder)

    @property
    def parameters(self) -> Parameters:
        """Return the parameters of policy and encoder."""
        every = self._learned.items()
        return {name: value for name, value in every if not name.startswith(VALUE.prefix)}

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        rng = np.random.default_rng((self._config.seed, self._iteration))
        own = Generator().manual_seed(int(rng.integers(2**62)))
        episodes = self._gather(store, rng, own)
        batch = self._judged(episodes)
        scalars = self._improve(batch, own)
        returns = [float(each.steps.rewards.sum(0).mean()) for each in episodes]
        self._moments = self._moments.merged(batch.steps.rows[:, : self.layout.observations])
        ones = torch.ones(self._config.units)
        mean = torch.cat([self._moments.mean.float(), 0 * ones])
        self.inner = replace(self.inner, mean=mean, std=torch.cat([self._moments.std, ones]))
        self._iteration += 1
        return {"before": returns[0], "after": returns[-1], **scalars}

    @torch.no_grad()
    def _gather(
        self, store: Tasks, rng: np.random.Generator, generator: Generator
    ) -> list[Episode]:
        """Run the episodes of some tasks."""
        count = self._config.tasks
        situations, seeds = store.drawn(rng, count)
        environment, found = store.make(situations, seeds), list[Episode]()
        held = self.layout.begun(torch.from_numpy(environment.observe()))
        for k in range(self._config.episodes):
            if k:
                seeds = [int(seed) for seed in rng.integers(2**31, size=count)]
                environment.reset(np.ones(count, dtype=bool), situations, seeds)
                held = carried(self.layout, held, torch.from_numpy(environment.observe()))
            episode, held = self._episode(environment, held, generator)
            found.append(episode)
        return found

    def _episode(
        self, environment: Environment, held: Tensor, generator: Generator
    ) -> tuple[Episode, Tensor]:
        """Run an episode in each row; return it, and the rows with history at its end."""
        count, spec = len(environment), environment.robot.spec
        # Posterior sampling: one draw an episode; z moves as the posterior does.
        noise = torch.randn(count, self._config.units, generator=generator)
        live, told = torch.ones(count, dtype=torch.bool), list[Steps]()
        for _ in range(self._config.horizon):
            coded = self._coded(self._posterior(self._learned, held), held, noise)
            mean, log_std = self.inner.moments(self._learned, coded)
            drawn = torch.randn(mean.shape, generator=generator)
            raw = mean + log_std.exp() * drawn
            actions, value = torch.tanh(raw), self._raised(self._valued(self._learned, coded))
            moved = environment.step(to_commands(spec, actions.numpy().astype(float)))
            paid = torch.as_tensor(moved.reward, dtype=torch.float32) * live
            likely = likelihood(raw, mean, log_std)
            told.append(Steps(held, noise, coded, raw, likely, value, paid, live))
            after = self.layout.moved(held, actions, paid, torch.from_numpy(moved.observation))
            held = torch.where(live[:, None], after, held)
            live = live & ~torch.from_numpy(moved.terminated)
        coded = self._coded(self._posterior(self._learned, held), held, noise)
        last = self._valued(self._learned, coded)
        steps = Steps(*(torch.stack(part) for part in zip(*told, strict=True)))
        return Episode(steps, self._raised(last) * live), held

    def _judged(self, episodes: list[Episode]) -> Batch:
        """Return the control periods that count, with their advantages and returns."""
        gained = torch.stack([each.advantages(self._config.discounts) for each in episodes])
        parts = zip(*(each.steps for each in episodes), strict=True)
        steps = Steps(*(torch.stack(part) for part in parts))
        live = steps.live
        returns = (gained + steps.values)[live]
        self._returns = self._returns.merged(returns[:, None])
        normalised = (returns - self._returns.mean.float()) / self._returns.std
        advantages = standardised(gained[None], live[None])[0][live]
        return Batch(Steps(*(each[live] for each in steps)), advantages, normalised)

    def _improve(self, batch: Batch, generator: Generator) -> dict[str, float]:
        """Climb the objective in epochs over minibatches; return the last one's terms."""
        config, part = self._config, batch

        def gain(learned: Parameters) -> Tensor:
            terms = self.terms(learned, part)
            losses = config.value * terms["value_error"] + config.divergence * terms["divergence"]
            return terms["surrogate"] - losses

        for _ in range(config.epochs):
            order = torch.randperm(len(batch.returns), generator=generator)
            for rows in torch.split(order, config.minibatch):
                part = batch.rows(rows)
                self._learned = self._ascent.climb(self._learned, gain)
        with torch.no_grad():
            return {name: float(each) for name, each in self.terms(self._learned, part).items()}

    def terms(self, learned: Parameters, batch: Batch) -> dict[str, Tensor]:
        """Return the means over a batch of PPO's surrogate, the error of V, and the divergence."""
        steps, config = batch.steps, self._config
        moments = self.inner.moments(learned, steps.coded)
        ratio = (likelihood(steps.raw, *moments) - steps.likely).exp()
        kept = ratio.clamp(1 - config.clip, 1 + config.clip)
        surrogate = torch.minimum(ratio * batch.advantages, kept * batch.advantages)
        posterior = self._posterior(learned, steps.rows)
        coded = self._coded(posterior, steps.rows, steps.noise)
        error = (self._valued(learned, coded) - batch.returns).square()
        return {
            "surrogate": surrogate.mean(),
            "value_error": error.mean(),
            "divergence": posterior.divergence().mean(),
        }

    def _posterior(self, learned: Parameters, rows: Tensor) -> Gaussian:
        """Return q(z | context) of rows with history."""
        return self.encoder.posterior(learned, self.layout.parts(rows))

    def _coded(self, posterior: Gaussian, rows: Tensor, noise: Tensor) -> Tensor:
        """Return observations and z of rows with history (n, do + units)."""
        context = posterior.mean + posterior.variance.sqrt() * noise
        return torch.cat([rows[:, : self.layout.observations], context], dim=1)

    def _valued(self, learned: Parameters, coded: Tensor) -> Tensor:
        """Return V (n,) in units of normalised returns."""
        return self._value.forward(VALUE.part(learned), self.inner.normalised(coded))[:, 0]

    def _raised(self, values: Tensor) -> Tensor:
        """Return V in units of rewards."""
        return values * self._returns.std + self._returns.mean.float()

    def snapshot(self) -> dict[str, Tensor]:
        """Return parameters, normalisations, the optimiser's moments, and the numbers so far."""
        kept = tensor_file.flatten(LEARNED, self._learned)
        counts = [self._iteration]
        for name, each in (("moments", self._moments), ("returns", self._returns)):
            kept |= {f"{name}/mean": each.mean, f"{name}/variance": each.variance}
            counts.append(each.count)
        normaliser = {"policy/mean": self.inner.mean, "policy/std": self.inner.std}
        return kept | normaliser | self._ascent.snapshot() | {"counts": torch.tensor(counts)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration, seen, paid = tensors["counts"].tolist()
        self._moments = Moments(tensors["moments/mean"], tensors["moments/variance"], seen)
        self._returns = Moments(tensors["returns/mean"], tensors["returns/variance"], paid)
        mean, std = tensors["policy/mean"], tensors["policy/std"]
        self.inner = replace(self.inner, mean=mean, std=std)
        # In their order, and where memory is aligned: sums are then the same to the last bit.
        found = tensor_file.unflatten(LEARNED, tensors)
        self._learned = {name: found[name].clone() for name in self._learned}
        self._ascent.restore(tensors)


def train_pe_ppo(
    tasks: Tasks, config: PEPPOConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: the robot has a goal.
    """
    learner = PEPPOLearner(tasks, config)
    curve = train_policy("pe_ppo", tasks, config, learner, out, progress)
    return TrainedPolicy(learner.policy, learner.parameters, curve)


METHOD = PolicyMethod(PEPPOConfig, train_pe_ppo)
