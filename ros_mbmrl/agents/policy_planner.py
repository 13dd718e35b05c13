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
from ros_mbmrl.robots.spec import Robot, RobotSpec
from ros_mbmrl.simulation.environment import observe


class PolicyPlanner:
    """Takes a policy's mean action, within range and rate; sees the reference as its goal."""

    def __init__(self, robot: Robot, loaded: LoadedPolicy) -> None:
        self._robot, self._loaded = robot, loaded
        self._limits = Limits.of(robot.spec)

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
        seen = torch.from_numpy(observe(self._robot, state[None].numpy(), reference[None].numpy()))
        mean = self._loaded.policy.means(self._loaded.parameters, seen).numpy()
        wanted = torch.as_tensor(to_commands(self._robot.spec, mean), dtype=torch.float32)
        actions = self._limits.enforce_(wanted, warm_start.previous)
        return Plan(actions[0].clone(), actions, math.nan, math.nan, 0, 0)


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
