"""Practice of a policy before a run: its inner steps, in an environment of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ros_mbmrl.agents.base import Context
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.adapt import adapt, repeated, with_goals
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.gaussian import as_gaussian
from ros_mbmrl.simulation.environment import Environment
from ros_mbmrl.simulation.situations import Situation


def practise(
    loaded: LoadedPolicy,
    make: Callable[[Sequence[Situation], Sequence[int]], Environment],
    situations: Sequence[Situation],
    context: Context,
) -> Parameters:
    """Adapt the policy to each robot on episodes in its situation, from starts of their own.

    Args:
        loaded: a policy that adapts.
        make: makes environments of situations and seeds.
        situations: (N,), those that the robots are about to meet.
        context: of the run.

    Returns:
        Parameters of each robot, (N, ...).
    """
    inner = loaded.inner
    if inner is None:
        raise ValueError("expected a policy that adapts")
    if context.goals.shape[1]:
        situations = with_goals(situations, context.goals)
    begin = repeated(make, situations, inner.episodes)
    own = (as_gaussian(loaded.policy), loaded.parameters, inner)
    return adapt(*own, begin, context.seeds, loaded.baselines).parameters
