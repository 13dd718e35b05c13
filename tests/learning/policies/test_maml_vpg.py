"""MAML-VPG: a point learns with any estimator that gives the update its credit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.learning.policies.maml_vpg import MAMLVPGConfig, train_maml_vpg
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.sampling import Tasks

INNER = InnerConfig(episodes=4, horizon=20, rate=0.1)
CONFIG = MAMLVPGConfig(
    budget=64_000, tasks=10, inner=INNER, hidden=(32, 32), seed=1, outer_rate=0.02
)


def test_a_point_learns_to_go_where_its_first_episodes_tell(point_tasks: Tasks) -> None:
    curve = train_maml_vpg(point_tasks, CONFIG).curve
    before = np.mean([point.mean_return_before for point in curve[-3:]])
    after = np.mean([point.mean_return for point in curve[-3:]])
    assert before < -18
    assert after > before + 3


@pytest.mark.parametrize("estimator", ["dice", "e_maml"])
def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    estimator: str, point_tasks: Tasks, tmp_path: Path
) -> None:
    small = replace(CONFIG, tasks=2, estimator=estimator)
    config = replace(small, budget=4 * small.batch)
    whole = train_maml_vpg(point_tasks, config)
    train_maml_vpg(point_tasks, replace(config, budget=config.budget // 2), tmp_path)
    second = train_maml_vpg(point_tasks, config, tmp_path)
    assert second.curve == whole.curve and len(whole.curve) == 4
    assert all(torch.equal(second.parameters[n], v) for n, v in whole.parameters.items())


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="expected outer_rate above 0 and at least 1 inner step"):
        MAMLVPGConfig(outer_rate=0.0)
