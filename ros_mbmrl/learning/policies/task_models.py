"""Episodes that a policy imagines in the models of N tasks (Wang and van Hoof, eq. 12)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Conditioned
from ros_mbmrl.learning.policies.steps import Imagine
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.conditioned import ConditionedImagination
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.imagined import Ended, ImaginedEpisodes, Reward, imagine_episodes
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class TaskModels:
    """Models of tasks that a policy practises in.

    Args:
        robot: that is modelled.
        reward, ended: see `imagine_episodes`.
        starts: (n, ds), states that imagined episodes begin in.
        horizon: control periods of an imagined episode.
        noisy: whether actions are sampled; else they are the policy's mean actions, as the
            gradient through time wants them.
    """

    robot: Robot
    reward: Reward
    ended: Ended | None
    starts: Tensor
    horizon: int
    noisy: bool

    def imagine(
        self,
        policy: GaussianPolicy,
        conditioned: Conditioned,
        tasks: int,
        rows: int,
        generator: Generator,
        amortised: bool = False,
    ) -> Imagine:
        """Return what imagines `rows` episodes of a policy in each of N tasks.

        Args:
            policy: acts.
            conditioned: the models of the N tasks.
            tasks: their number N.
            rows: episodes of each, all in particles of their own.
            generator: of starts, particles and noise.
            amortised: whether the policy sees the z that its episode's particle drew from
                q(z | context), after the observation.
        """
        total = tasks * rows

        def imagine(parameters: Parameters) -> ImaginedEpisodes:
            own = (self.robot, conditioned, tasks, rows, generator)
            imagination = ConditionedImagination.of(*own)
            chosen = torch.randint(len(self.starts), (total,), generator=generator)
            noise = torch.zeros(total, self.horizon, len(self.robot.spec.action))
            if self.noisy:
                noise = torch.randn(noise.shape, generator=generator)
            return imagine_episodes(
                *(policy, parameters, imagination, self.reward, self.starts[chosen], noise),
                generator,
                ended=self.ended,
                context=imagination.latent if amortised else None,
            )

        return imagine
