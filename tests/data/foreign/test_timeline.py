"""Which clock counts, and where a run is cut because one of them jumped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.samples import NANO, Samples
from ros_mbmrl.data.foreign.timeline import timeline
from ros_mbmrl.errors import UserError

BEGIN = 1_700_000_000


def topic(name: str, received: Any, stamps: Any = None, first: int = 0, every: int = 1) -> Samples:
    """Samples at times [s] from BEGIN on; values: their number."""
    received = np.asarray(received)
    base = BEGIN * NANO
    return Samples(
        topic=name,
        columns=(),
        order=first + every * np.arange(len(received)),
        received=base + np.round(received * NANO).astype(np.int64),
        stamps=None if stamps is None else base + np.round(stamps * NANO).astype(np.int64),
        values=np.arange(len(received), dtype=float)[:, None],
    )


def seconds(times: Any) -> Any:
    return (times - BEGIN * NANO) / NANO


def test_stamps_count_and_topics_without_any_keep_their_receive_times() -> None:
    times = 0.1 * np.arange(50)
    found = timeline([topic("/a", times + 0.02, times), topic("/b", times + 0.05)])
    ((a, b),) = found.segments
    np.testing.assert_allclose(seconds(a.times), times, atol=1e-9)
    np.testing.assert_allclose(seconds(b.times), times + 0.05, atol=1e-9)
    assert (found.clock, found.jumps, found.notes) == ("stamps", (), ())
    received = timeline([topic("/a", times + 0.02, times)], "received")
    np.testing.assert_allclose(seconds(received.segments[0][0].times), times + 0.02, atol=1e-9)
    assert received.clock == "received"


def test_receive_times_count_if_stamps_are_of_two_clocks() -> None:
    times = 0.1 * np.arange(50)
    found = timeline([topic("/a", times, times), topic("/b", times, times - 1000)])
    assert found.clock == "received"
    assert found.notes == (
        "2 clocks: stamps lie before receive times by /a 0.000 s; /b 1000.000 s: receive times "
        "count instead",
    )
    assert timeline([topic("/a", times, times), topic("/b", times, times - 9)], "stamps").clock


def test_topics_without_stamps_move_onto_the_clock_of_stamps() -> None:
    """A simulation at half the pace of time, and commands without stamps at the same instants."""
    times = 0.2 * np.arange(50)
    stamped = topic("/a", times, times / 2 - 1000, every=2)
    found = timeline([stamped, topic("/b", times + 0.01, first=1, every=2)])
    ((a, b),) = found.segments
    assert found.clock == "stamps" and not found.jumps
    np.testing.assert_allclose(b.times - a.times, 0.01 * NANO, atol=0.21 * NANO)
    assert "two clocks: stamps lie before" not in found.notes[0]
    assert found.notes[0].startswith("two clocks: stamps lie ")


@pytest.mark.parametrize("which", ["stamps", "received"])
def test_a_jump_cuts_all_topics_at_one_place(which: str) -> None:
    times = 0.05 * np.arange(400)
    jumped = np.where(times < 10.0, times, times + 2.0)
    pair = (times, jumped) if which == "stamps" else (jumped, times)
    a = topic("/a", *pair, every=2)
    b = topic("/b", pair[0] + 0.01, pair[1] + 0.01, first=1, every=2)
    found = timeline([a, b])
    ((at, size),) = found.jumps
    assert at == pytest.approx(BEGIN + 10.0, abs=0.11)
    assert abs(size) == pytest.approx(2.0)
    before, after = found.segments
    assert len(before[0].times) + len(after[0].times) == 400
    assert len(before[0].times) == pytest.approx(200, abs=1)
    assert len(before[1].times) == pytest.approx(200, abs=1)


def test_a_time_that_begins_anew_is_cut() -> None:
    times = np.concatenate([0.1 * np.arange(100), 0.1 * np.arange(100)])
    received = 0.1 * np.arange(200)
    found = timeline([topic("/a", received, times)])
    assert [len(each[0].times) for each in found.segments] == [100, 100]
    assert len(found.jumps) == 1
    assert found.jumps[0][1] == pytest.approx(-9.9, abs=0.2)


def test_messages_out_of_turn_are_sorted_not_cut() -> None:
    times = 0.1 * np.arange(60)
    stamps = times.copy()
    stamps[[20, 21]] = stamps[[21, 20]]
    ((a,),) = timeline([topic("/a", times, stamps)]).segments
    assert (np.diff(a.times) > 0).all()
    assert a.samples.values[20:22, 0].tolist() == [21, 20]


def test_clocks_that_are_not_there_are_refused() -> None:
    with pytest.raises(UserError, match="unknown clock 'wall': expected one of auto, received, st"):
        timeline([topic("/a", np.arange(3))], "wall")
    with pytest.raises(UserError, match="clock: expected 'received', no topic that is needed has"):
        timeline([topic("/a", np.arange(3))], "stamps")
