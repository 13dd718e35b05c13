"""Tuning: grids, the open-loop ranking, and a search whose scores are known by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tune import (
    GAIN,
    STEPS,
    Candidate,
    Grid,
    grid_of,
    open_loop_error,
    search,
    shortlist,
    tune,
)
from ros_mbmrl.networks.mlp import Parameters

GAINS = GAIN.options["gain"]


def test_the_lowest_error_wins(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, make_rollouts(4, seed=3))
    options, record = tune("residual", model, parameters, data, 8, 3)
    assert [row["gain"] for row in record] == list(GAINS)
    best = min(record, key=lambda row: row["error"])
    assert options == {"gain": best["gain"]}
    assert len({row["error"] for row in record}) == len(record)


def test_a_constant_residual_is_best_removed_whole(
    prior: tuple[DynamicsModel, Parameters], make_rollout: Callable[..., Rollout]
) -> None:
    model, parameters = prior
    constant = {name: 0 * value for name, value in parameters.items()}
    last = f"b{model.mlp.layers - 1}"
    constant[last] = constant[last] + 1.0
    still = make_rollout(np.random.default_rng(0), np.zeros(3), 40, "0")
    data = Transitions.of(model.robot, [still])
    options, record = tune("residual", model, constant, data, 8, 1)
    assert options == {"gain": 1.0}
    errors = [row["error"] for row in record]
    assert errors == sorted(errors, reverse=True)  # the more of it, the better


def test_options_that_are_not_tuned_stay(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, make_rollouts(2, seed=3))
    given = {"limit": 1.0, "gain": 0.9}
    options, _ = tune("residual", model, parameters, data, 8, 3, given)
    assert options["limit"] == 1.0
    assert options["gain"] in GAINS


def test_a_candidate_that_never_begins_predicts_as_the_prior_does(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, make_rollouts(2, seed=3))

    def error(method: str, start: int) -> float:
        return open_loop_error(method, model, parameters, data, 3, Candidate({}, 8, start))

    assert error("residual", 9) == error("mb", 4)
    assert error("residual", 4) != error("mb", 4)


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_of_the_grids_is_possible(method: str) -> None:
    grid = grid_of(method)
    for coarse in (False, True):
        for options in grid.all_options(coarse):
            rule = make_rule(method, options)
            assert {name: getattr(rule, name) for name in options} == options
    for count in grid.min_transitions:
        assert GuardConfig(min_transitions=count).min_transitions <= max(grid.adapt_windows)


def test_grids_hold_what_a_baseline_is_tuned_over() -> None:
    assert len(STEPS.all_options()) == 2 * 4 * 5
    assert len(STEPS.all_options(coarse=True)) == 6
    assert len(GAIN.all_options()) == 4
    assert grid_of("grbal").all_options() == [{}]


@pytest.mark.parametrize(
    "settings",
    [
        {"options": {"gain": ()}},
        {"adapt_windows": ()},
        {"min_transitions": (3, 6)},  # fewer than the guard's folds
        {"adapt_windows": (2, 3)},
        {"options": {"gain": (0.5,)}, "coarse": {"gain": (0.75,)}},
        {"coarse": {"gain": (0.75,)}},
    ],
)
def test_a_wrong_grid_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Grid(**settings)


def test_the_shortlist_leaves_out_neighbours_until_nothing_else_is_left() -> None:
    grid = Grid({"gain": (1, 2, 3, 4), "step": (1, 2)})
    entries = [((2, 1), 0.1), ((2, 2), 0.2), ((3, 1), 0.3), ((4, 1), 0.4), ((1, 2), 0.5)]
    candidates = [Candidate({"gain": g, "step": s}) for (g, s), _ in entries]
    errors = [error for _, error in entries]

    def names(count: int) -> list[tuple[Any, ...]]:
        chosen = shortlist(candidates, errors, grid, count)
        return [tuple(candidate.options.values()) for candidate in chosen]

    assert names(3) == [(2, 1), (4, 1), (1, 2)]
    assert names(9) == [(2, 1), (4, 1), (1, 2), (2, 2), (3, 1)]


class Bowl:
    """Scores by distance from gain 3, window 8, start 4; the first seed alone flatters gain 5."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], int]] = []

    def __call__(self, candidates: Sequence[Candidate], seeds: int) -> list[float]:
        self.calls.append(([c.name for c in candidates], seeds))
        return [self.score(c, seeds) for c in candidates]

    @staticmethod
    def score(candidate: Candidate, seeds: int) -> float:
        gain = float(candidate.options["gain"])
        flattered = 2.5 if seeds == 1 and gain == 5 else 0.0
        window, start = abs(candidate.adapt_window - 8) / 8, abs(candidate.min_transitions - 4)
        return abs(gain - 3) + window + start / 10 - flattered


GRID = Grid({"gain": (1, 2, 3, 5)})


def test_the_search_finds_the_bottom_by_hand() -> None:
    candidates = [Candidate({"gain": gain}) for gain in (1, 2, 3, 5)]
    bowl = Bowl()
    best, stages = search(candidates, GRID, bowl, seeds=2)
    assert best == Candidate({"gain": 3}, 8, 4)
    assert [(s["stage"], s["seeds"], len(s["candidates"])) for s in stages] == [
        ("candidates", 1, 4),
        ("adapt_window", 2, 6),
        ("min_transitions", 2, 6),
    ]
    first = {row["options"]["gain"]: row["cross_track_mean_m"] for row in stages[0]["candidates"]}
    assert first == pytest.approx({1: 3.2, 2: 2.2, 3: 1.2, 5: 0.7})  # 1 window off, start 0.2 off
    # Coordinate-wise: of each of the best two the windows, then the starts at the best window.
    tried = [(r["options"]["gain"], r["adapt_window"]) for r in stages[1]["candidates"]]
    assert tried == [(5, 16), (5, 8), (5, 32), (3, 16), (3, 8), (3, 32)]
    assert {row["adapt_window"] for row in stages[2]["candidates"]} == {8}
    assert min(row["cross_track_mean_m"] for row in stages[2]["candidates"]) == 0.0


def test_every_score_that_decides_is_in_the_record() -> None:
    bowl = Bowl()
    _, stages = search([Candidate({"gain": g}) for g in (1, 2)], GRID, bowl, seeds=3)
    recorded = [([row["name"] for row in s["candidates"]], s["seeds"]) for s in stages]
    assert recorded == bowl.calls
    for stage in stages:
        for row in stage["candidates"]:
            candidate = Candidate(row["options"], row["adapt_window"], row["min_transitions"])
            assert candidate.name == row["name"]
            assert row["cross_track_mean_m"] == Bowl.score(candidate, stage["seeds"])


def test_one_candidate_goes_straight_to_its_windows() -> None:
    start = Candidate({"gain": 2}, 32, 8)
    best, stages = search([start, start], GRID, Bowl(), seeds=1)
    assert [stage["stage"] for stage in stages] == ["adapt_window", "min_transitions"]
    assert best == Candidate({"gain": 2}, 8, 4)


def test_a_tie_leaves_the_settings_as_they_are() -> None:
    start = Candidate({}, 32, 5)  # neither is the grid's first, and 5 is not in it
    best, _ = search([start], Grid(), lambda candidates, _: [0.01] * len(candidates), seeds=1)
    assert best == start


def test_no_candidate_begins_after_its_window_is_full() -> None:
    grid = GAIN
    seen: list[Candidate] = []

    def score(candidates: Sequence[Candidate], _: int) -> list[float]:
        seen.extend(candidates)
        return [candidate.adapt_window for candidate in candidates]

    best, _ = search([Candidate({"gain": 0.5})], grid, score, seeds=1)
    assert (best.adapt_window, best.min_transitions) == (4, 4)
    assert all(each.min_transitions <= each.adapt_window for each in seen)


def test_names_tell_candidates_apart() -> None:
    base = Candidate({"steps": 1, "step": 0.01})
    others = [
        replace(base, options={"steps": 3, "step": 0.01}),
        base.in_window(8),
        replace(base, min_transitions=4),
    ]
    assert base.name == Candidate({"step": 0.01, "steps": 1}).name
    assert len({base.name, *(other.name for other in others)}) == 4
