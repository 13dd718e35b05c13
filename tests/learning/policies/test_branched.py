"""Branched roll-outs in a world that is known by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.branched import BranchConfig, branch
from ros_mbmrl.policies.imagined_world import ImaginedWorld, Step


@dataclass(frozen=True)
class Counting(ImaginedWorld):
    """States go up by the action; beyond 3 they terminate. The reward is the state reached."""

    def step(
        self, states: Tensor, actions: Tensor, generator: Generator, members: Tensor | None = None
    ) -> Step:
        moved = states + actions
        return Step(moved, moved[:, 0], (moved[:, 0] > 3).float())


WORLD = Counting(None, None)  # type: ignore[arg-type]
STARTS = torch.tensor([[0.0], [1.5], [3.0]])


def up(states: Tensor, generator: Generator) -> Tensor:
    return torch.ones(len(states), 1)


def test_a_row_goes_on_until_it_terminates() -> None:
    found = branch(WORLD, up, STARTS, 3, Generator())
    # First step: all three. Second: the row from 3 is over. Third: so is the row from 1.5.
    assert found.observations[:, 0].tolist() == [0.0, 1.5, 3.0, 1.0, 2.5, 2.0]
    assert found.following[:, 0].tolist() == [1.0, 2.5, 4.0, 2.0, 3.5, 3.0]
    assert found.rewards.tolist() == found.following[:, 0].tolist()
    assert found.terminated.tolist() == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    assert found.actions.shape == (6, 1)


def test_it_stops_when_all_rows_are_over() -> None:
    assert len(branch(WORLD, up, STARTS[2:], 5, Generator()).rewards) == 1


def test_bad_lengths() -> None:
    for name in ("length", "rows", "kept"):
        with pytest.raises(ValueError, match=f"branches.{name}: expected at least 1, got 0"):
            BranchConfig(**{name: 0})
    with pytest.raises(ValueError, match="length: expected at least 1, got 0"):
        branch(WORLD, up, STARTS, 0, Generator())
    assert BranchConfig(length=2, rows=10, kept=3).size == 60
