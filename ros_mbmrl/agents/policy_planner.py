"""A policy as a planner: one that does not search."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.card import ADAPTED
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.planning.base import Cost, Deadline, Plan, Predict, WarmStart
from ros_mbmrl.planning.sampling import Limits, SamplingConfig
from ros_mbmrl.policies.files import LoadedPolicy, load_policy
from ros_mbmrl.policies.sampling import to_commands
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec
from ros_mbmrl.simulation.environment import observe


class PolicyPlanner:
    """Takes a policy's mean action, within range and rate; sees the reference as its goal.

    It remembers one run, for a policy that sees its history: a plan without a start begins anew.
    """

    def __init__(self, robot: Robot, loaded: LoadedPolicy) -> None:
        self._robot, self._loaded = robot, loaded
        self._limits = Limits.of(robot.spec)
        self._memory = loaded.memory(robot.spec, [Generator()])
        self._before = torch.zeros(len(robot.spec.state)), torch.zeros(0)  # state, and reference
        # What it sees beside the robot's observation is a goal.
        self._goal = loaded.inputs - len(robot.observed)

    def plan(
        self,
        predict: Predict,
        cost: Cost,
        state: Tensor,
        reference: Tensor,
        warm_start: WarmStart,
        generator: Generator,
        deadline: Deadline | None = None,
    ) -> Plan:
        """See `Planner.plan`. Nothing is imagined, so there are no costs."""
        seen = self._seen(cost, state, reference, warm_start, generator)
        mean = self._loaded.policy.means(self._loaded.parameters, seen).numpy()
        wanted = torch.as_tensor(to_commands(self._robot.spec, mean), dtype=torch.float32)
        actions = self._limits.enforce_(wanted, warm_start.previous)
        return Plan(actions[0].clone(), actions, math.nan, math.nan, 0, 0)

    def _seen(
        self,
        cost: Cost,
        state: Tensor,
        reference: Tensor,
        warm_start: WarmStart,
        generator: Generator,
    ) -> Tensor:
        """Return what the policy is given (1, size) in a state, which ends the period before."""
        if warm_start.actions is None:
            self._memory = self._loaded.memory(self._robot.spec, [generator])
        else:
            self._memory.acted(warm_start.previous[None].numpy().astype(float))

        def rewards(commands: Array) -> Array:
            before, then = self._before
            sent = torch.as_tensor(commands, dtype=torch.float32)
            costs = cost(torch.stack([before, state])[None], sent[:, None], then)
            return -costs.numpy().astype(float)

        goals = reference[None, : self._goal].numpy()
        now = torch.from_numpy(observe(self._robot, state[None].numpy(), goals))
        found = self._memory.seen(now, rewards, state[None].numpy())
        self._before = state, reference
        return found


def make_policy(spec: RobotSpec, folder: str = "", **searching: Any) -> PolicyPlanner:
    """The policy in `folder`. searching: what planners that search are told, and this one is not.

    Raises UserError for no folder, another robot's policy, and one that practises first.
    """
    for name in searching:
        choose("planner parameter", name, [field.name for field in fields(SamplingConfig)])
    if not folder:
        raise UserError("controller 'policy': expected a policy's folder as planner.policy.folder")
    robot = make_robot(spec.name)
    loaded = load_policy(Path(folder), robot)
    if loaded.inner is not None:
        raise UserError(
            f"{folder}: this policy practises before it acts: expected one that does not adapt, "
            f"or its folder '{ADAPTED}' as `mbmrl train` writes it"
        )
    return PolicyPlanner(robot, loaded)
