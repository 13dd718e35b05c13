"""Running moments against those of all rows at once."""

from __future__ import annotations

import torch

from ros_mbmrl.policies.moments import Moments


def test_batch_by_batch_is_all_at_once() -> None:
    rows = 3.0 + 2.0 * torch.randn(60, 4, generator=torch.Generator().manual_seed(0)).double()
    moments = Moments.none(4)
    for batch in rows.split([1, 20, 39]):
        moments = moments.merged(batch)
    assert moments.count == 60
    torch.testing.assert_close(moments.mean, rows.mean(0))
    torch.testing.assert_close(moments.variance, rows.var(0, correction=0))
    torch.testing.assert_close(moments.std, rows.std(0, correction=0).float())


def test_two_batches_by_hand() -> None:
    one = Moments.none(1).merged(torch.tensor([[1.0], [3.0]]))
    assert (one.mean.item(), one.variance.item(), one.count) == (2.0, 1.0, 2)
    both = one.merged(torch.tensor([[5.0], [7.0]]))
    assert (both.mean.item(), both.variance.item(), both.count) == (4.0, 5.0, 4)


def test_what_does_not_vary_has_a_deviation_of_one() -> None:
    same = Moments.none(2).merged(torch.tensor([[2.0, 1.0], [2.0, 5.0]]))
    assert same.std.tolist() == [1.0, 2.0]
    assert same.std.dtype is torch.float32
