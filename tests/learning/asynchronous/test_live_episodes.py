"""Episodes cut from a graph's messages: length, versions, gaps, stops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.learning.asynchronous.live_episodes import (
    LEAD,
    TRAIL,
    Gathered,
    LiveEpisodes,
    Phase,
)
from ros_mbmrl.robots import make_robot

STEPS = 10  # of an episode
WHOLE = 2 + LEAD + STEPS + TRAIL  # states until the first episode is there


@pytest.fixture
def episodes() -> LiveEpisodes:
    return LiveEpisodes(make_robot("hexapod"), "hexapod", seconds=0.1 * STEPS, terrain="carpet")


def gathered(results: list[Any]) -> list[Gathered]:
    return [each for _, each in results if each is not None]


def events(results: list[Any]) -> list[tuple[str, int]]:
    return [(event.kind, event.index) for told, _ in results for event in told]


def test_an_episode_holds_what_was_measured_and_what_acted(
    graph: Any, episodes: LiveEpisodes
) -> None:
    results = graph.drive(episodes, WHOLE + 1, model=3)
    assert events(results) == [("start", 1), ("stop", 1)]
    (episode,) = gathered(results)
    rollout, first = episode.rollout, 2 + LEAD
    assert len(rollout) == STEPS
    assert not rollout.marks.any()
    np.testing.assert_allclose(rollout.times, 1.0 + 0.1 * np.arange(first, first + STEPS + 1))
    wanted = [graph.action(k) for k in range(first, first + STEPS)]
    np.testing.assert_array_equal(rollout.actions, np.array(wanted, dtype=np.float32))
    np.testing.assert_allclose(np.diff(rollout.states[:, 0]), 0.01, atol=1e-6)
    assert (episode.models, episode.policies) == ((3,), ())
    assert rollout.tags["model_versions"] == "3"
    assert rollout.tags["terrain"] == "carpet"


def test_episodes_follow_one_another(graph: Any, episodes: LiveEpisodes) -> None:
    results = graph.drive(episodes, 3 * WHOLE + 3)
    indices = [each.index for each in gathered(results)]
    assert indices == [1, 2, 3]
    assert [len(each.rollout) for each in gathered(results)] == [STEPS] * 3


def test_all_versions_that_acted_are_told_and_no_others(graph: Any, episodes: LiveEpisodes) -> None:
    first = 2 + LEAD
    results = graph.drive(episodes, WHOLE + 1, versions=lambda k: min(max(k - first, 0) // 4, 2))
    (episode,) = gathered(results)
    assert episode.models == (0, 1, 2)
    after = graph.drive(episodes, WHOLE + 1, first=WHOLE + 1, model=9)
    assert gathered(after)[0].models == (9,)


def test_chance_has_no_version(graph: Any, episodes: LiveEpisodes) -> None:
    results = graph.drive(episodes, WHOLE + 1)
    assert gathered(results)[0].models == ()
    told = [event.sources for each, _ in results for event in each]
    assert told == [("random",), ("random",)]


def test_a_lost_step_is_a_marked_gap_and_not_a_lost_episode(
    graph: Any, episodes: LiveEpisodes
) -> None:
    lost = 2 + LEAD + 4
    (episode,) = gathered(graph.drive(episodes, WHOLE + 2, lost=(lost,)))
    marks = episode.rollout.marks
    # The transition over the gap, and the next one, whose first state was estimated across it.
    assert [k for k in range(len(marks)) if marks[k] & Mark.GAP] == [3, 4]
    assert episode.rollout.times[-1] == pytest.approx(1.0 + 0.1 * (2 + LEAD + STEPS))


def test_a_stop_discards_the_episode_and_none_begins_until_a_reset(
    graph: Any, episodes: LiveEpisodes
) -> None:
    graph.drive(episodes, 2 + LEAD + 4)
    assert episodes.phase is Phase.RUNNING
    (event,) = episodes.stop(True)
    assert (event.kind, event.index) == ("discard", 1)
    assert not gathered(graph.drive(episodes, 3 * WHOLE, first=20))
    assert episodes.count == 1
    assert episodes.stop(False) == ()
    (episode,) = gathered(graph.drive(episodes, WHOLE + 2, first=200))
    assert (episode.index, len(episode.rollout)) == (2, STEPS)
    assert episode.rollout.times[0] > 20


def test_a_stop_after_the_end_of_an_episode_does_not_take_it_away(
    graph: Any, episodes: LiveEpisodes
) -> None:
    graph.drive(episodes, 2 + LEAD + STEPS + 1)
    assert episodes.phase is Phase.TRAILING
    assert episodes.stop(True) == ()
    assert len(gathered(graph.drive(episodes, TRAIL, first=2 + LEAD + STEPS + 1))) == 1


def test_a_clock_that_begins_anew_discards_the_episode(graph: Any, episodes: LiveEpisodes) -> None:
    graph.drive(episodes, 2 + LEAD + 4, first=100)
    results = graph.drive(episodes, 2 * WHOLE)
    assert events(results)[0] == ("discard", 1)
    assert gathered(results)[0].index == 2


def test_nothing_begins_before_a_controller_acts(graph: Any, episodes: LiveEpisodes) -> None:
    for k in range(50):
        stamp = 1_000_000_000 + k * 100_000_000
        graph.state(episodes.take, k, stamp)
        assert episodes.measured(stamp) == ((), None)
    assert episodes.phase is Phase.WAITING


def test_an_episode_without_a_transition_is_refused() -> None:
    with pytest.raises(ValueError, match=r"episode_seconds: expected 0\.2 s or more, got 0\.1"):
        LiveEpisodes(make_robot("hexapod"), "hexapod", seconds=0.1)
