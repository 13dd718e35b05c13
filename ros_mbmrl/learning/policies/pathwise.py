"""The actor-critic of MAAC (thesis, section 7.3): a model in its gradient and in its targets."""

from __future__ import annotations

from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import SoftActorCritic
from ros_mbmrl.learning.policies.value_expansion import SoftAct, expanded, unroll, weighed
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.imagined_world import ImaginedWorld


class PathwiseActorCritic(SoftActorCritic):
    """Soft actor-critic whose batches hold states, from which a model looks ahead.

    Attributes:
        world: the model; None before there is one: then it is soft actor-critic.
        steps: H of the policy's objective; 0: the critics' gradient alone.
        expansion: H of the critics' targets, see `value_expansion`; 0: plain targets.
        samples: roll-outs from each state in the policy's objective.
    """

    world: ImaginedWorld | None = None
    steps: int = 0
    expansion: int = 0
    samples: int = 1

    def following_value(self, batch: Batch, generator: Generator) -> Tensor:
        """See `SoftActorCritic.following_value`."""
        if self.world is None or not self.expansion:
            return super().following_value(batch, generator)
        own = (batch.following, self.expansion, self.config.discount, generator)
        acting = self._acting(self.parameters)
        return weighed(expanded(self.world, acting, self._target_answers, *own))

    def _policy_loss(self, observations: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return minus J_pi with the entropy bonus (section 7.3.3), and log pi (B,) at first.

        J_pi = E[sum_t gamma^t (r_t - alpha log pi_t) + gamma^H (Q(s_H, a_H) - alpha log pi_H)],
        which is the objective of soft actor-critic for H = 0.
        """
        states = observations.repeat_interleave(self.samples, dim=0)
        if self.world is None or not self.steps:
            return super()._policy_loss(states, generator)
        own = (states, self.steps, self.config.discount, generator)
        found = unroll(self.world, self._acting(self._learned["policy"]), *own)
        seen = self.seen(found.states[-1])
        last = self.critics.least(self.critic_parameters, seen, found.actions[-1]) + found.bonus[-1]
        objective = found.earned[-1] + found.weight[-1] * last
        return -objective.mean(), -found.bonus[0].detach() / self.temperature

    def _acting(self, parameters: Parameters) -> SoftAct:
        def act(states: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
            seen = self.seen(states)
            drawn = self.policy.sample(parameters, seen, self._noise(seen, generator))
            return drawn.actions, -self.temperature * drawn.log_prob

        return act

    def _target_answers(self, states: Tensor, actions: Tensor) -> Tensor:
        return self.critics.both(self._targets, self.seen(states), actions)
