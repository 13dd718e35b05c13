"""Changes of a network, one for each task."""

from __future__ import annotations

import torch

from ros_mbmrl.networks.updates import InputUpdate, LayerUpdate


def test_parts_of_fewer_tasks_hold_for_every_so_many_th() -> None:
    left, right = torch.arange(2.0).reshape(2, 1, 1), torch.arange(6.0).reshape(6, 1, 1)
    update = LayerUpdate(left, right)
    some = update.tasks(slice(1, 4))
    assert some.left is not None and some.right is not None
    assert some.left.flatten().tolist() == [1, 0, 1]
    assert some.right.flatten().tolist() == [1, 2, 3]
    twice = update.tasks(slice(2, 4)).repeated(2)
    assert twice.left is not None and twice.left.flatten().tolist() == [0, 0, 1, 1]
    wanted = update.where(torch.tensor([True] * 3 + [False] * 3)).left
    assert wanted is not None and wanted.flatten().tolist() == [0, 1, 0, 0, 0, 0]
    both = update.plus(LayerUpdate(right, right))
    assert both.left is not None and both.left[:, 0, 0].tolist() == [0, 1, 0, 1, 0, 1]


def test_inputs_are_scaled_and_shifted_task_by_task() -> None:
    update = InputUpdate(torch.tensor([[2.0], [3.0]]), torch.tensor([[1.0], [-1.0]]))
    x = torch.tensor([[[1.0], [10.0]]])  # of one task: holds for both
    assert update(x).flatten(1).tolist() == [[3, 21], [2, 29]]
    assert update.tasks(slice(1, 2))(x).flatten().tolist() == [2, 29]
    assert update.repeated(2)(x).flatten(1).tolist() == [[3, 21], [3, 21], [2, 29], [2, 29]]
    refused = update.where(torch.tensor([False, True]))
    assert refused(x).flatten(1).tolist() == [[1, 10], [2, 29]]
