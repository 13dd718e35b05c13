"""Runs cut into pieces, as far as each lasted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from ros_mbmrl.learning.policies.episode_record import LEAST, PIECE, EpisodeRecord, shared_out
from ros_mbmrl.learning.rounds import Data


class Ticking:
    """Two robots whose state is their time."""

    def __init__(self) -> None:
        self.robot: Any = SimpleNamespace(spec=SimpleNamespace(name="ticking"))
        self.times = np.zeros(2)

    def states(self) -> Any:
        return self.times[:, None].copy()


def recorded(record: EpisodeRecord, world: Any, steps: int, second: int) -> None:
    """Record so many steps, of which the second robot lasts `second`."""
    for step in range(steps):
        world.times = world.times + 1.0
        record.add(world, world.times[:, None], np.array([True, step < second]))


def test_pieces_are_as_long_as_the_robots_lasted() -> None:
    world: Any = Ticking()
    record = EpisodeRecord(world)
    recorded(record, world, 2 * PIECE + 7, PIECE - 20)
    first, rest, other = record.cut()
    assert [len(each) for each in (first, rest, other)] == [PIECE, PIECE + 7, PIECE - 20]
    assert rest.states[0, 0] == PIECE and rest.actions[0, 0] == PIECE + 1
    assert rest.times[-1] == 2 * PIECE + 7
    # What follows begins where the last piece ended; a robot that is over adds no more.
    recorded(record, world, 5, 0)
    (last,) = record.cut()
    assert last.states[:, 0].tolist() == [2.0 * PIECE + 7 + k for k in range(6)]
    assert record.cut() == []


def test_a_share_is_held_out_the_same_way_each_time() -> None:
    world: Any = Ticking()
    record = EpisodeRecord(world)
    recorded(record, world, 100 * PIECE, 100 * PIECE)
    pieces = record.cut()
    data = shared_out(Data(), pieces, 0.2, seed=0)
    assert len(data.training) + len(data.held) == 200
    assert 25 < len(data.held) < 55
    assert data.training[0] is pieces[0] and data.held[0] is pieces[1]
    again = shared_out(shared_out(Data(), pieces[:60], 0.2, 0), pieces[60:], 0.2, 0)
    assert [id(each) for each in again.held] == [id(each) for each in data.held]


def test_runs_that_are_too_short_for_a_piece_go_on() -> None:
    """Else a cut in every control period would lose all of them."""
    world: Any = Ticking()
    record = EpisodeRecord(world)
    for _ in range(LEAST - 1):
        recorded(record, world, 1, 1)
        assert record.cut(short=False) == []
    recorded(record, world, 1, 1)
    assert [len(each) for each in record.cut(short=False)] == [LEAST, LEAST]
    recorded(record, world, 3, 3)
    assert [len(each) for each in record.cut()] == [3, 3]
