"""E-MAML: MAML-RL's trust region with the gradient of formulation II."""

from __future__ import annotations

import numpy as np
import torch

from ros_mbmrl.learning.policies.e_maml import EMAMLConfig, train_e_maml
from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, train_maml_rl
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.sampling import Tasks

INNER = InnerConfig(episodes=4, horizon=20, rate=0.1)


def test_a_point_learns_to_go_where_its_first_episodes_tell(point_tasks: Tasks) -> None:
    config = EMAMLConfig(budget=32_000, tasks=20, inner=INNER, hidden=(32, 32), seed=1)
    curve = train_e_maml(point_tasks, config).curve
    before = np.mean([point.mean_return_before for point in curve[-3:]])
    after = np.mean([point.mean_return for point in curve[-3:]])
    assert after > before + 1


def test_it_is_maml_rl_but_for_the_estimator(point_tasks: Tasks) -> None:
    sizes = {"budget": 2 * 2 * 2 * 4 * 20, "tasks": 2, "inner": INNER, "hidden": (8,)}
    second = train_e_maml(point_tasks, EMAMLConfig(**sizes))  # type: ignore[arg-type]
    same = train_maml_rl(point_tasks, MAMLConfig(**sizes, estimator="e_maml"))  # type: ignore[arg-type]
    first = train_maml_rl(point_tasks, MAMLConfig(**sizes))  # type: ignore[arg-type]
    assert all(torch.equal(same.parameters[n], v) for n, v in second.parameters.items())
    assert not all(torch.equal(first.parameters[n], v) for n, v in second.parameters.items())
