"""PEARL (Rakelly et al. 2019): SAC that infers the task as a context z, without any model.

Here the context of a transition is what happened before it in its episode, the last L transitions,
since tasks change within an episode (Hiraoka et al., sections 4 and 7.1). PEARL itself draws it
from other episodes of the same task.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import (
    SoftActorCritic,
    SoftConfig,
    adam_of,
    usual_networks,
)
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.policies.with_histories import HistoryConfig, HistoryLearner
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.posterior import Gaussian, PosteriorEncoder
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy

ENCODER = "encoder"  # part of what is learned


@dataclass(frozen=True)
class PearlConfig(HistoryConfig):
    """Settings of PEARL.

    encoder: hidden layers of the network that gives a transition's factor. divergence: weight of
    the posterior's divergence from the prior in the critics' loss.
    """

    history: int = 32
    encoder: tuple[int, ...] = (64, 64)
    divergence: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.divergence >= 0:
            raise ValueError(f"divergence: expected a weight of 0 or more, got {self.divergence}")


class PearlActorCritic(SoftActorCritic):
    """Policy and critics of observations and z; the critics' loss trains the encoder, too.

    Args:
        layout: of observations with histories, which batches hold after so many numbers of a state.
        states: see above.
        encoder: of z.
        config: settings of the actor-critic.
        weight: of the divergence.
        generator: of the first parameters.
    """

    def __init__(
        self,
        layout: Histories,
        states: int,
        encoder: PosteriorEncoder,
        config: SoftConfig,
        weight: float,
        generator: Generator,
    ) -> None:
        observations = layout.observations + encoder.units
        networks = usual_networks(observations, layout.actions, config)
        super().__init__(observations, layout.actions, config, generator, None, networks)
        self._layout, self._states, self._encoder, self._weight = layout, states, encoder, weight
        self._learned[ENCODER] = encoder.init(generator)
        self._adams[ENCODER] = adam_of(self._learned[ENCODER], config)

    @property
    def parameters(self) -> Parameters:
        """Return the parameters of policy and encoder, without gradient."""
        own = {name: value.detach() for name, value in self._learned[ENCODER].items()}
        return super().parameters | own

    def update(self, batch: Batch, generator: Generator) -> dict[str, float]:
        """See `SoftActorCritic.update`; batches hold rows with history."""
        posterior = self.posterior(self._learned[ENCODER], batch.observations)
        context, divergence = posterior.drawn(generator), posterior.divergence().mean()
        coded = batch._replace(
            observations=self._coded(batch.observations, context),
            following=self._coded(batch.following, context.detach()),
        )
        critics = self._critic_loss(coded, generator)
        self._step("critics", critics + self._weight * divergence, ENCODER)
        entropy = self._improve(coded.observations.detach(), generator)
        told = {"critic_loss": float(critics.detach()), "divergence": float(divergence.detach())}
        return {**told, "entropy": entropy}

    def posterior(self, parameters: Parameters, rows: Tensor) -> Gaussian:
        """Return q(z | history) of rows with history."""
        return self._encoder.posterior(parameters, self._layout.parts(rows[:, self._states :]))

    def inferred(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return observations and a z drawn from the posterior (n, do + units), to act on."""
        return self._coded(rows, self.posterior(self.parameters, rows).drawn(generator))

    def _coded(self, rows: Tensor, context: Tensor) -> Tensor:
        now = rows[:, self._states : self._states + self._layout.observations]
        return torch.cat([now, context], dim=1)


class PearlLearner(HistoryLearner[PearlConfig]):
    """Learn from real transitions alone; see `OffPolicyLearner`."""

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """See `OffPolicyLearner._actor_critic`."""
        config = self._config
        own = self.layout, self._states, self._encoder
        return PearlActorCritic(*own, config.soft, config.divergence, generator)

    @property
    def _encoder(self) -> PosteriorEncoder:
        own = self.layout.width, self.layout.observations
        return PosteriorEncoder(*own, self._config.units, self._config.encoder)

    def _chosen(self, seen: Tensor, generator: Generator) -> Tensor:
        """See `OffPolicyLearner._chosen`: posterior sampling."""
        assert isinstance(self.soft, PearlActorCritic)
        rows = torch.cat([seen, self._held], dim=1)
        inferred = self.soft.inferred(rows, generator)
        noise = torch.randn(len(seen), self.layout.actions, generator=generator)
        return self.soft.policy.sample(self.soft.parameters, inferred, noise).actions

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """See `OffPolicyLearner._improve`."""
        scalars: dict[str, float] = {}
        for _ in range(steps):
            scalars = self.soft.update(self.real(self._config.soft.rows, generator), generator)
        return scalars

    @property
    def policy(self) -> HistoryPolicy:
        """Return the policy of observations with histories: it acts on the posterior's mean."""
        inner = self.soft.policy
        shape = inner.mlp, inner.mean, inner.std, inner.clip
        return HistoryPolicy(*shape, layout=self.layout, encoder=self._encoder)


def train_pearl(
    tasks: Tasks, config: PearlConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: the robot has a goal.
    """
    learner = PearlLearner(tasks, config)
    curve = train_policy("pearl", tasks, config, learner, out, progress)
    return TrainedPolicy(learner.policy, learner.soft.parameters, curve)


METHOD = PolicyMethod(PearlConfig, train_pearl)
