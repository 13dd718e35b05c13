"""The actor-critic of MEMB (Tan et al., section 3): V and twin Q on real data, the model in pi."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.imagined_world import ImaginedWorld


@dataclass(frozen=True)
class EmbeddedConfig:
    """Settings beside those of soft actor-critic.

    Args:
        value_rate: learning rate of V and Q.
        rollout: k, imagined steps whose states the policy's gradient is a mean over; with 1 they
            are those of real data.
        expansion: H of the critics' targets (section 3.2); with 1 they are of real data alone.
        known_ends: whether the policy is told in which imagined states an episode terminates; the
            paper knows of no ends.
    """

    value_rate: float = 1e-3
    rollout: int = 1
    expansion: int = 1
    known_ends: bool = False

    def __post_init__(self) -> None:
        if not self.value_rate > 0:
            raise ValueError(f"value_rate: expected more than 0, got {self.value_rate}")
        for name in ("rollout", "expansion"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")


class Expanded(NamedTuple):
    """H steps of B rows, those of a step together.

    states (H B, ds) and actions (H B, da). targets (H B,): of Q there. going (H B,): 0 in rows that
    were over before the step, which do not count.
    """

    states: Tensor
    actions: Tensor
    targets: Tensor
    going: Tensor


class EmbeddedActorCritic(SoftActorCritic):
    """Policy, V with a slow target, twin Q; batches hold states, from which a model looks ahead.

    Args:
        observations, actions, soft, generator, observe: see `SoftActorCritic`.
        own: settings of MEMB.

    Attributes:
        world: the model; None before there is one, and nothing can be learned until then.
    """

    world: ImaginedWorld | None = None

    def __init__(
        self,
        observations: int,
        actions: int,
        soft: SoftConfig,
        own: EmbeddedConfig,
        generator: Generator,
        observe: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(observations, actions, soft, generator, observe)
        self._own, self._value = own, MLP((observations, *soft.hidden, 1), soft.activation)
        value = self._value.init(generator)
        for each in value.values():
            each.requires_grad_()
        self._learned["value"] = value
        for name in ("critics", "value"):
            live = self._learned[name].values()
            self._adams[name] = torch.optim.Adam(live, lr=own.value_rate)
        self._targets = {n: each.detach().clone() for n, each in value.items()}

    def soft_value(self, observations: Tensor, generator: Generator) -> Tensor:
        """Return the target V (B,) of observations; nothing is drawn."""
        with torch.no_grad():
            return self._valued(self._targets, observations)

    def _valued(self, parameters: Parameters, observations: Tensor) -> Tensor:
        return self._value.forward(parameters, observations)[..., 0]

    def _critic_loss(self, batch: Batch, generator: Generator) -> Tensor:
        """Return J(phi) of both critics: eq. 6, or with the value expansion of section 3.2."""
        if self._own.expansion == 1:
            return super()._critic_loss(batch, generator)
        told = self._expanded(batch, generator)
        own = self._learned["critics"], self.seen(told.states), told.actions
        errors = (self.critics.both(*own) - told.targets).square() * told.going
        return 0.5 * errors.sum() / told.going.sum().clamp_min(1.0)

    @torch.no_grad()
    def _expanded(self, batch: Batch, generator: Generator) -> Expanded:
        """Return the steps of H from real transitions, the first of which are those.

        The target of step t is sum_{k=t}^{H-1} gamma^{k-t} r_k + gamma^{H-t} V(s_H). The paper
        prints it without the entropy of the actions after t, which its own Q has (eq. 25 to 27).
        """
        assert self.world is not None
        states, actions, rewards, after, over = batch
        bonus, ended = torch.zeros(len(rewards)), torch.zeros(len(rewards))
        told = [(states, actions, rewards, bonus, ended, over)]
        for _ in range(self._own.expansion - 1):
            ended, states = torch.maximum(ended, over), after
            seen = self.seen(states)
            drawn = self.policy.sample(self.parameters, seen, self._noise(seen, generator))
            step = self.world.step(states, drawn.actions, generator)
            bonus, after, over = -self.temperature * drawn.log_prob, step.states, step.terminated
            told.append((states, drawn.actions, step.rewards, bonus, ended, over))
        value, found = self.soft_value(self.seen(after), generator), list[Tensor]()
        for _, _, paid, extra, _, last in reversed(told):
            target = paid + self.config.discount * (1 - last) * value
            found.append(target)
            value = target + extra
        going = torch.cat([1 - each[4] for each in told])
        visited, acted = (torch.cat([each[k] for each in told]) for k in (0, 1))
        return Expanded(visited, acted, torch.cat(found[::-1]), going)

    def _learn_value(self, rows: Tensor, generator: Generator) -> None:
        """Make a step on J(psi), eq. 5: V follows the smaller Q of a drawn action, and entropy."""
        seen = self.seen(rows)
        with torch.no_grad():
            drawn = self.policy.sample(self.parameters, seen, self._noise(seen, generator))
            least = self.critics.least(self._learned["critics"], seen, drawn.actions)
            target = least - self.temperature * drawn.log_prob
        found = self._valued(self._learned["value"], seen)
        self._step("value", 0.5 * (found - target).square().mean())

    def _policy_loss(self, observations: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return minus V(s) of eq. 8, whose gradient is eq. 9, and log pi (B,) at first.

        V(s) = E[r(s, a) - alpha log pi(a | s) + gamma V'(f(s, a))], a mean over the states of k
        imagined steps, which the gradient does not run through.
        """
        assert self.world is not None
        value = {name: each.detach() for name, each in self._learned["value"].items()}
        states, objectives, likely = observations, list[Tensor](), list[Tensor]()
        for _ in range(self._own.rollout):
            seen = self.seen(states)
            noise = self._noise(seen, generator)
            drawn = self.policy.sample(self._learned["policy"], seen, noise)
            step = self.world.step(states, drawn.actions, generator)
            going = 1 - step.terminated if self._own.known_ends else 1.0
            later = self.config.discount * going * self._valued(value, self.seen(step.states))
            objectives.append((step.rewards - self.temperature * drawn.log_prob + later).mean())
            likely.append(drawn.log_prob)
            states = step.states.detach()
        return -torch.stack(objectives).mean(), likely[0]

    @torch.no_grad()
    def _follow(self) -> None:
        for name, target in self._targets.items():
            target.lerp_(self._learned["value"][name], self.config.target_rate)
