"""Returns of a policy that plans at test time, on the same tests as without (thesis, table 1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.agents.policy_cem import SHORT, PolicyCEM
from ros_mbmrl.evaluation.policies.judge import TEST
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.planning.cem import CEMConfig
from ros_mbmrl.policies.adapt import start_of
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy


def plans(trained: TrainedPolicy) -> bool:
    """Tell whether a policy has what planning needs: a model, critics, squashed actions."""
    squashed = isinstance(trained.policy, SquashedPolicy)
    return squashed and trained.model is not None and trained.critics is not None


def planner_of(tasks: Tasks, trained: TrainedPolicy, config: CEMConfig = SHORT) -> PolicyCEM:
    """Return the planner on top of a policy that `plans`."""
    assert isinstance(trained.policy, SquashedPolicy) and trained.critics is not None
    own = (trained.policy, trained.parameters, *trained.critics, config)
    return PolicyCEM(tasks.robot, *own)


def planned_returns(
    tasks: Tasks,
    trained: TrainedPolicy,
    steps: int,
    tests: int,
    seed: int,
    count: int,
    config: CEMConfig = SHORT,
) -> tuple[float, ...]:
    """Run the first `count` of the tests that `judge` runs, each robot planned for in each step.

    Args:
        tasks, tests, seed: of `judge`.
        trained: a policy that `plans`.
        steps: of an episode.
        count: of tests that are run.
        config: of CEM.
    """
    assert trained.model is not None
    situations, seeds = tasks.drawn(np.random.default_rng(seed), tests)
    starts = [start_of(seed, TEST, 0) for seed in seeds[:count]]
    environment = tasks.make(situations[:count], starts)
    planner, (model, parameters) = planner_of(tasks, trained, config), trained.model
    predict, each = model.predictor(parameters), environment.tasks()
    generators = [Generator().manual_seed(s) for s in seeds[:count]]
    sent = np.tile(tasks.robot.spec.rest, (len(environment), 1))
    total, ended = np.zeros(len(environment)), np.zeros(len(environment), dtype=bool)
    for _ in range(steps):
        for n, state in enumerate(environment.states()):
            if not ended[n]:
                reference = each[n].reference(state)
                now, last = (torch.as_tensor(x, dtype=torch.float32) for x in (state, sent[n]))
                rest = (now, reference, WarmStart(None, last), generators[n])
                sent[n] = planner.plan(predict, each[n].cost, *rest).action.numpy()
        moved = environment.step(sent)
        total += np.where(ended, 0.0, moved.reward)
        ended = ended | moved.terminated | moved.truncated
        if ended.all():
            break
    return tuple(total.tolist())
