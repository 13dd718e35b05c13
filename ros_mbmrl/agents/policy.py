"""PolicyAgent: a trained policy in the loop of `control_batch`, adapted to each robot first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from ros_mbmrl.control_batch import Acted
from ros_mbmrl.policies.adapt import adapt, repeated, with_goals
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.sampling import observe, to_commands
from ros_mbmrl.robots.spec import Array

if TYPE_CHECKING:
    from ros_mbmrl.simulation.situations import Situation
    from ros_mbmrl.simulation.worlds import Worlds


class PolicyAgent:
    """Takes a policy's mean action: the noise was for exploring.

    make: of a policy that adapts, makes the worlds in which it does, before the run: its inner
    steps on episodes in the same situations, from starts of their own.
    """

    def __init__(
        self,
        loaded: LoadedPolicy,
        make: Callable[[Sequence[Situation], Sequence[int]], Worlds] | None = None,
    ) -> None:
        if loaded.inner is not None and make is None:
            raise ValueError("expected a way to make worlds: this policy adapts in some first")
        self._loaded, self._make = loaded, make
        self._parameters = loaded.parameters

    def begin(self, worlds: Worlds, seeds: Sequence[int]) -> None:
        """See `Agent.begin`."""
        self._worlds, self._goals = worlds, worlds.goals
        loaded, inner = self._loaded, self._loaded.inner
        if inner is None or self._make is None:
            return
        situations = list(worlds.situations)
        if self._goals.shape[1]:
            situations = with_goals(situations, self._goals)
        make = repeated(self._make, situations, inner.episodes)
        own = (loaded.policy, loaded.parameters, inner)
        self._parameters = adapt(*own, make, seeds, loaded.baselines).parameters

    @torch.no_grad()
    def act(self, states: Array) -> Acted:
        """See `Agent.act`."""
        robot = self._worlds.robot
        seen = observe(robot, states, self._goals)[:, None]
        actions = self._loaded.policy.means(self._parameters, seen)[:, 0]
        return Acted.plainly(to_commands(robot.spec, actions.numpy().astype(float)))

    def acted(self, actions: Array) -> None:
        """See `Agent.acted`: what was sent changes nothing."""
