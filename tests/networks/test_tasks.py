"""Parts of fewer tasks are repeated for all."""

from __future__ import annotations

import torch

from ros_mbmrl.networks.tasks import spread


def test_every_m_th_task_has_the_same_part() -> None:
    part = torch.arange(2.0).reshape(2, 1, 1)
    assert spread(part, 6)[:, 0, 0].tolist() == [0.0, 1.0] * 3
    assert spread(part, 2) is part
    assert spread(part[:1], 3)[:, 0, 0].tolist() == [0.0] * 3
