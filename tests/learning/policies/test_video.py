"""A policy's video: as many pictures as states, of a robot that moves; or one line why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("mujoco")

from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.video import write_video
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks


def pushing(tasks: Tasks) -> LoadedPolicy:
    """A policy whose commands are half of each motor's range at all times."""
    sizes = tasks.observations, len(tasks.robot.spec.action)
    policy = GaussianPolicy(MLP(sizes), torch.zeros(sizes[0]), torch.ones(sizes[0]))
    parameters = {"w0": torch.zeros(sizes), "b0": torch.full(sizes[1:], 0.5)}
    return LoadedPolicy(policy, parameters | {"log_std": torch.zeros(sizes[1])}, {})


@pytest.mark.parametrize("name", ["half_cheetah", "ant", "arm_7dof"])
def test_an_episode_is_as_many_pictures_as_states(name: str, tmp_path: Path) -> None:
    tasks, path = simulated_tasks(name, across=False), tmp_path / "video.gif"
    try:
        write_video(path, tasks, pushing(tasks), 8, seed=0)
    except RunError as error:
        pytest.skip(str(error))
    with Image.open(path) as video:
        assert video.n_frames == 9 and video.size == (320, 240)  # type: ignore[attr-defined]
        pictures = []
        for k in range(9):
            video.seek(k)
            pictures.append(np.asarray(video.convert("RGB"), dtype=float))
    assert pictures[0].std() > 5
    assert np.abs(pictures[8] - pictures[0]).max() > 50  # something has moved


def test_without_rendering_the_reason_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", "nothing")
    tasks = simulated_tasks("half_cheetah", across=False)
    with pytest.raises(RunError, match="no off-screen rendering with MUJOCO_GL=nothing"):
        write_video(tmp_path / "video.gif", tasks, pushing(tasks), 3, seed=0)
    assert not (tmp_path / "video.gif").exists()


def test_a_point_has_no_picture(tmp_path: Path) -> None:
    tasks = simulated_tasks("point_corners")
    with pytest.raises(RunError, match="point_corners has no picture"):
        write_video(tmp_path / "video.gif", tasks, pushing(tasks), 3, seed=0)
