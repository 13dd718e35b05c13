"""Rollouts chosen by tags, and splits that keep groups whole."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.selection import select, split
from ros_mbmrl.errors import UserError


def _rollout(terrain: str = "carpet", session: str = "a") -> Rollout:
    return Rollout(
        robot="hexapod",
        states=np.zeros((2, 24), dtype=np.float32),
        actions=np.zeros((1, 2), dtype=np.float32),
        times=np.array([0.0, 0.1]),
        marks=np.zeros(1, dtype=np.uint8),
        tags=MappingProxyType({"terrain": terrain, "session": session}),
    )


def test_a_single_session_is_split_by_its_episodes() -> None:
    rollouts = [
        replace(_rollout(), tags={"session": "run", "episode": str(k), "terrain": "carpet"})
        for k in range(5)
    ]
    training, validation = split(rollouts)
    assert (len(training), len(validation)) == (4, 1)


def test_select_keeps_the_named_terrains() -> None:
    rollouts = [_rollout(terrain) for terrain in ("carpet", "turf", "gravel", "turf")]
    assert [r.tags["terrain"] for r in select(rollouts, terrain=["turf", "gravel"])] == [
        *("turf", "gravel", "turf")
    ]
    with pytest.raises(UserError, match="'ice': there is carpet, gravel, turf"):
        select(rollouts, terrain=["ice"])


@given(
    sessions=st.integers(2, 6),
    held_out=st.floats(0.05, 0.95),
    seed=st.integers(0, 100),
)
def test_split_keeps_sessions_whole_and_every_terrain_on_both_sides(
    sessions: int, held_out: float, seed: int
) -> None:
    rollouts = [
        _rollout(terrain, f"{terrain}_{session}")
        for terrain in ("carpet", "turf")
        for session in range(sessions)
        for _ in range(2)
    ]
    sides = split(rollouts, held_out=held_out, seed=seed)
    seen = [{r.tags["session"] for r in side} for side in sides]
    assert not seen[0] & seen[1]
    assert sum(len(side) for side in sides) == len(rollouts)
    assert all({r.tags["terrain"] for r in side} == {"carpet", "turf"} for side in sides)
    again = split(rollouts, held_out=held_out, seed=seed)
    assert [{r.tags["session"] for r in side} for side in again] == seen


def test_impossible_splits_are_refused() -> None:
    with pytest.raises(UserError, match="two groups.* or one recording in episodes .*--episode-s"):
        split([_rollout(), _rollout()])
    with pytest.raises(UserError, match="between 0 and 1"):
        split([_rollout()], held_out=1.0)
    with pytest.raises(UserError, match="cannot split by 'fault'"):
        split([_rollout()], by="fault")
