"""Policy: pi(a | o), a pure function of parameters, memory and what is known of the task."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor
from torch.distributions import Distribution

from ros_mbmrl.networks.mlp import Parameters


class Choice(NamedTuple):
    """Distribution of the actions (..., da), and the memory to choose the next ones with.

    Actions are in units of the robot's range: -1 is the lowest command, 1 the highest.
    """

    actions: Distribution
    memory: Tensor | None


class Policy(Protocol):
    """A policy of one task, or of N tasks that each have parameters of their own."""

    def first_memory(self, count: int) -> Tensor | None:
        """Return the memory (count, size) at the beginning of episodes; None of one without."""

    def distribution(
        self,
        parameters: Parameters,
        observation: Tensor,
        memory: Tensor | None = None,
        context: Tensor | None = None,
    ) -> Choice:
        """Return the distribution of the actions in observations (..., B, do).

        Args:
            parameters: of one task, or of N, (N, ...) each; observations are then (N, B, do).
            memory: what the last choice returned, or `first_memory`.
            context: (..., B, dz), what is known of the task beside the observations.
        """
