"""A trained policy: its learning curve, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Generator

from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint, ImaginedPoint, TrainedPolicy

REAL = CurvePoint(transitions=100, mean_return=-3.0, mean_return_before=-4.0)
IMAGINED = ImaginedPoint(200, -2.0, -2.5, imagined_return=1.0, updates=4, improved=0.75)


def test_a_curve_of_both_kinds_is_read_as_one() -> None:
    curve: tuple[CurvePoint, ...] = (REAL, IMAGINED)
    assert [point.transitions for point in curve] == [100, 200]
    assert [point.mean_return - point.mean_return_before for point in curve] == [1.0, 0.5]
    assert IMAGINED.imagined_return - IMAGINED.mean_return == 3.0  # over-optimism of the models


def test_the_curve_is_in_the_card(point_tasks: Tasks, tmp_path: Path) -> None:
    policy = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))
    trained = TrainedPolicy(policy, policy.init(Generator().manual_seed(0)), (REAL, IMAGINED))
    save_policy(tmp_path, point_tasks.robot, trained, {"method": "trpo"})
    curve = load_policy(tmp_path, point_tasks.robot).card["curve"]
    assert [CurvePoint(**curve[0]), ImaginedPoint(**curve[1])] == [REAL, IMAGINED]
