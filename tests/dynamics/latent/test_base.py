"""Contexts that nothing can be inferred from are refused; Gaussians and their divergence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ros_mbmrl.dynamics.latent.base import Code, Context, Rows, check_context, divergence, rows_of
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.point import PointRobot

Family = Callable[[int, int, int], Context]


def test_a_task_without_a_transition_is_refused(robot: PointRobot, family: Family) -> None:
    context = family(3, 4, 0)
    check_context(robot, context)
    context.weight[1] = 0.0
    with pytest.raises(UserError, match="empty context: task 1 has no transition, expected at"):
        check_context(robot, context)
    with pytest.raises(UserError, match="empty context: task 0 has no transition"):
        check_context(robot, family(2, 0, 0))


def test_a_context_of_another_robot_is_refused(robot: PointRobot, family: Family) -> None:
    context = family(3, 4, 0)._replace(states=torch.zeros(3, 4, 5))
    with pytest.raises(UserError, match=r"states of another robot: expected \(tasks, transitions"):
        check_context(robot, context)


def test_rows_are_normalised_and_may_hold_anything_where_they_do_not_count(
    robot: PointRobot, normalizer: Normalizer, family: Family
) -> None:
    context = family(2, 3, 0)
    context.following[0, 1] = torch.nan
    context.weight[0, 1] = 0.0
    rows = rows_of(robot, normalizer, context)
    assert rows.x.isfinite().all() and rows.y.isfinite().all()
    torch.testing.assert_close(rows.y[1], (context.following - context.states)[1])
    assert rows.share[0, :, 0].tolist() == [0.5, 0.0, 0.5]


def test_no_row_has_a_share_where_none_counts() -> None:
    none = Rows(torch.zeros(1, 2, 1), torch.zeros(1, 2, 1), torch.zeros(1, 2, 1))
    assert not none.share.any()


def test_the_divergence_is_that_of_torch() -> None:
    g = torch.Generator().manual_seed(0)
    q, p = (Code(torch.randn(5, 3, generator=g), 0.1 + torch.rand(5, 3, generator=g)) for _ in "qp")
    normals = [torch.distributions.Normal(*each) for each in (q, p)]
    expected = torch.distributions.kl_divergence(*normals).sum(dim=-1)
    torch.testing.assert_close(divergence(q, p), expected)
    torch.testing.assert_close(divergence(q, q), torch.zeros(5))


def test_z_is_the_mean_and_so_many_deviations() -> None:
    code = Code(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.1]))
    assert code.at(torch.tensor([2.0, -1.0])).tolist() == pytest.approx([2.0, 1.9])
