"""Episodes of a drive: what is told of them, and what is kept."""

from __future__ import annotations

import pytest

from ros_mbmrl.collection.episodes import Episodes, Event, Tally


def driven(episodes: Episodes, terrain: str, began: float, ended: float) -> tuple[Event, ...]:
    """One whole episode; the events of its end."""
    episodes.start(terrain, "random", began)
    episodes.advance(ended)
    return episodes.stop()


def test_an_episode_lasts_from_its_first_state_to_its_newest() -> None:
    episodes = Episodes()
    started = episodes.start("turf", "keyboard", 2.0)
    assert started == (Event("start", 1, "turf", ("keyboard",), 2.0),)
    for time, source in ((2.1, "random"), (2.2, "keyboard"), (2.3, "random")):
        episodes.advance(time)
        episodes.driven_by(source)
    assert episodes.running is not None and episodes.running.seconds == pytest.approx(0.3)
    assert episodes.tallies == {}  # not before its end
    assert episodes.stop() == (Event("stop", 1, "turf", ("keyboard", "random"), 2.3),)
    assert episodes.running is None
    assert episodes.tallies["turf"] == Tally(1, pytest.approx(0.3))  # type: ignore[arg-type]


def test_terrains_are_counted_apart() -> None:
    episodes = Episodes()
    for terrain, began in (("turf", 0.0), ("carpet", 10.0), ("turf", 20.0)):
        driven(episodes, terrain, began, began + 4.0)
    assert dict(episodes.tallies) == {"turf": Tally(2, 8.0), "carpet": Tally(1, 4.0)}


def test_a_running_episode_that_is_discarded_leaves_the_last_one_alone() -> None:
    episodes = Episodes()
    driven(episodes, "turf", 0.0, 4.0)
    episodes.start("carpet", "random", 5.0)
    (event,) = episodes.discard()
    assert (event.kind, event.index, event.time) == ("discard", 2, 5.0)
    assert dict(episodes.tallies) == {"turf": Tally(1, 4.0)}
    assert episodes.discarded == 1


def test_the_last_one_can_be_discarded_once_and_none_before_it() -> None:
    episodes = Episodes()
    driven(episodes, "turf", 0.0, 4.0)
    driven(episodes, "turf", 5.0, 7.0)
    (event,) = episodes.discard()
    assert (event.kind, event.index) == ("discard", 2)
    assert episodes.discard() == ()
    assert episodes.tallies["turf"] == Tally(1, 4.0)
    assert driven(episodes, "turf", 8.0, 9.0)[0].index == 3  # no number is given twice


def test_while_none_runs_nothing_happens() -> None:
    episodes = Episodes()
    episodes.advance(1.0)
    episodes.driven_by("random")
    assert episodes.stop() == episodes.discard() == ()
    assert (episodes.running, episodes.discarded, dict(episodes.tallies)) == (None, 0, {})
