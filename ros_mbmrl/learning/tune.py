"""Choice of a rule's test-time settings on validation faults: a baseline counts only when tuned.

Successive halving: many candidates open loop, a few in closed loop, and the windows of the best.
Open-loop rank does not predict closed-loop rank, so that the last word is the closed loop's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.methods import about
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.plugins import expected, imported

Values = tuple[float, ...]
STRIDE = 8  # between the windows judged: neighbours say nearly the same


@dataclass(frozen=True)
class Grid:
    """Values to choose a method's settings from: every combination of options, then the windows.

    adapt_windows: T1. min_transitions: of the guard. coarse: the values of options that go
    straight into closed loop where there is no data to choose from all of them.
    """

    options: Mapping[str, Values] = field(default_factory=dict)
    adapt_windows: tuple[int, ...] = (8, 16, 32)
    min_transitions: tuple[int, ...] = (4, 6, 8)
    coarse: Mapping[str, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all((self.adapt_windows, self.min_transitions, *self.options.values())):
            raise ValueError("expected at least one value of every setting")
        for count in self.min_transitions:
            GuardConfig(min_transitions=count)
        if min(self.adapt_windows) < min(self.min_transitions):
            raise ValueError("adapt_windows: expected none that never fills")
        for name, values in self.coarse.items():
            if not set(values) <= set(self.options.get(name, ())):
                raise ValueError(f"coarse: expected values of {name} that are in options")

    def all_options(self, coarse: bool = False) -> list[dict[str, float]]:
        """Return every combination."""
        chosen = {**self.options, **(self.coarse if coarse else {})}
        return [dict(zip(chosen, values, strict=True)) for values in product(*chosen.values())]


# The grids that methods name; any other has its windows alone (`grid_of`).
STEPS = Grid(
    {"steps": (1, 3), "step": (0.001, 0.003, 0.01, 0.03), "bias_step": (0.1, 0.3, 1.0, 3.0, 10.0)},
    coarse={"step": (0.01,), "bias_step": (0.3, 1.0, 3.0)},
)
SIGNALS = Grid({"signal": (0.03, 0.1, 0.3), "bias_signal": (0.3, 1.0)})
GAIN = Grid({"gain": (0.25, 0.5, 0.75, 1.0)}, adapt_windows=(4, 8, 16, 32))


def grid_of(method: str) -> Grid:
    """Return the grid that a method names: without options where the rule learned them all.

    Raises:
        UserError: the method's entry point, or what it names as its grid, is not as expected.
    """
    value = about(method).grid
    if not value:
        return Grid()
    grid = imported(value)
    expected(value, "a ros_mbmrl.learning.tune.Grid", isinstance(grid, Grid), grid)
    own: Grid = grid
    return own


@dataclass(frozen=True)
class Candidate:
    """Settings that a model could be run with."""

    options: Mapping[str, Any]
    adapt_window: int = 16
    min_transitions: int = 6

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return {
            "options": dict(self.options),
            "adapt_window": self.adapt_window,
            "min_transitions": self.min_transitions,
        }

    @property
    def name(self) -> str:
        """Return a short hash of the settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def text(self) -> str:
        """Return the settings in words, for a table."""
        options = [f"{name} {value}" for name, value in self.options.items()]
        return ", ".join((*options, f"window {self.adapt_window}, from {self.min_transitions}"))

    def in_window(self, window: int) -> Candidate:
        """Return it with another window, beginning not later than when that is full."""
        return replace(self, adapt_window=window, min_transitions=min(self.min_transitions, window))


def tune(
    method: str,
    model: DynamicsModel,
    parameters: Parameters,
    validation: Transitions,
    window: int,
    horizon: int,
    given: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the options with the lowest open-loop error after the update, and the whole record.

    given: options that stay as they are, where the grid has no others for them.
    """
    record = []
    for options in grid_of(method).all_options():
        candidate = Candidate({**(given or {}), **options}, window)
        error = open_loop_error(method, model, parameters, validation, horizon, candidate)
        record.append({**options, "error": error})
    best = min(record, key=lambda row: row["error"])
    return {**(given or {}), **{k: v for k, v in best.items() if k != "error"}}, record


def open_loop_error(
    method: str,
    model: DynamicsModel,
    parameters: Parameters,
    data: Transitions,
    horizon: int,
    candidate: Candidate,
    guard: GuardConfig | None = None,
) -> float:
    """Return the mean normalised error of the adapted model, up to `horizon` steps ahead."""
    rule = make_rule(method, candidate.options)
    config = replace(guard or GuardConfig(), min_transitions=candidate.min_transitions)
    guarded = Guard(rule, parameters, candidate.adapt_window, config)
    errors = open_loop_errors(model, guarded, data, horizon, stride=STRIDE).normalised
    return float(errors[1].nan_to_num(nan=100.0).mean())


def shortlist(
    candidates: Sequence[Candidate], errors: Sequence[float], grid: Grid, count: int
) -> list[Candidate]:
    """Return the `count` candidates of lowest error that are not neighbours, the best first.

    Neighbours hardly differ, and the closed loop may prefer what lies elsewhere; they only fill
    up what is left of the places.
    """
    order = [candidates[k] for k in sorted(range(len(candidates)), key=lambda k: errors[k])]
    chosen: list[Candidate] = []
    for candidate in order:
        if not any(_neighbours(candidate, other, grid) for other in chosen):
            chosen.append(candidate)
    rest = [candidate for candidate in order if candidate not in chosen]
    return (chosen + rest)[:count]


def _neighbours(one: Candidate, other: Candidate, grid: Grid) -> bool:
    """Tell whether they are a single step apart on the grid, in a single option."""
    apart = [
        abs(values.index(one.options[name]) - values.index(other.options[name]))
        for name, values in grid.options.items()
    ]
    return sum(apart) <= 1


# Mean closed-loop cross-track error [m] of each candidate, over so many seeds.
Scorer = Callable[[Sequence[Candidate], int], Sequence[float]]
Stage = dict[str, Any]


def search(
    candidates: Sequence[Candidate], grid: Grid, score: Scorer, seeds: int
) -> tuple[Candidate, list[Stage]]:
    """Return the candidate that keeps its path best, and a record of every one that was tried.

    All of them at one seed; of the best two the windows, then the transitions to begin at, at
    `seeds`. A tie goes to the one that came first.
    """
    stages: list[Stage] = []

    def stage(title: str, families: Sequence[Iterable[Candidate]], seeds: int) -> list[Candidate]:
        """Return the best of each family, and the best of those first."""
        lists = [list(family) for family in families]
        distinct = list({each.name: each for family in lists for each in family}.values())
        scores = dict(zip([c.name for c in distinct], score(distinct, seeds), strict=True))
        rows = [
            {"name": c.name, **c.settings, "cross_track_mean_m": scores[c.name]} for c in distinct
        ]
        stages.append({"stage": title, "seeds": seeds, "candidates": rows})
        winners = [min(family, key=lambda c: scores[c.name]) for family in lists]
        return sorted(winners, key=lambda c: scores[c.name])

    leaders = list({each.name: each for each in candidates}.values())
    if len(leaders) > 1:
        leaders = stage("candidates", [[each] for each in leaders], 1)[:2]
    windows = [(c, *(c.in_window(w) for w in grid.adapt_windows)) for c in leaders]
    leaders = stage("adapt_window", windows, seeds)
    starts = [
        (c, *(replace(c, min_transitions=n) for n in grid.min_transitions if n <= c.adapt_window))
        for c in leaders
    ]
    return stage("min_transitions", starts, seeds)[0], stages
