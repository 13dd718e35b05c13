"""Who is better than whom, on what, and whether that is more than chance.

Every method meets the same episodes, and every model predicts the same trajectories: differences
are paired. p-values are corrected for all comparisons of an experiment together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import ALL, Grid, Interval, unique
from ros_mbmrl.evaluation.study import bootstrap
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES, holm

RETURN, ERROR = "return", "error"
BASELINE, ORACLE, TRUE, CHANCE = "mb", "mb_oracle", "true_model", "random"
# What is no contender: what knows more than it could, or nothing.
REFERENCES = (ORACLE, TRUE, "nominal", CHANCE)
LEVEL = 0.05
BETTER, WORSE, NULL = "better", "worse", "no difference shown"
TINY = 1e-9  # of an error, whose logarithm is taken

Row = Mapping[str, Any]


class Hypothesis(Protocol):
    """Stated before the experiment: `better` is better than `worse` on the mean of `conditions`.

    conditions: names, or "all". measure: "return", "error" (of the adapted models, on common
    trajectories; against itself: of the prior), or another column of the rows.
    """

    @property
    def better(self) -> str: ...  # noqa: D102
    @property
    def worse(self) -> str: ...  # noqa: D102
    @property
    def conditions(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def measure(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Comparison:
    """A method beside an opponent, in the mean over conditions that count the same.

    mean, opponent_mean, and their difference with its 95 % interval, in the measure's unit; of
    errors, these are of the natural logarithm. p: two-sided; p_holm: corrected for all
    comparisons of the experiment. The interval is not. verdict: on the method, by p_holm.
    """

    method: str
    opponent: str
    conditions: tuple[str, ...]
    measure: str
    n_train_seeds: tuple[int, int]
    n_episodes: int
    mean: float
    opponent_mean: float
    difference: float
    interval: Interval | None
    p: float | None
    higher_is_better: bool = True
    p_holm: float | None = None

    @property
    def verdict(self) -> str:
        """Better, worse, or no difference shown."""
        if self.p_holm is None or self.p_holm >= LEVEL:
            return NULL
        return BETTER if (self.difference > 0) == self.higher_is_better else WORSE

    @property
    def percent(self) -> tuple[float, Interval | None] | None:
        """The difference and its interval in % of the opponent's mean.

        None where that mean says nothing: not positive, or a tenth of the difference.
        """
        values = [self.difference, *(self.interval or ())]
        if self.measure == ERROR:
            scaled = [100 * float(np.expm1(v)) for v in values]
        elif self.opponent_mean > 0 and abs(self.difference) <= 10 * self.opponent_mean:
            scaled = [100 * v / self.opponent_mean for v in values]
        else:
            return None
        return scaled[0], (scaled[1], scaled[2]) if self.interval else None

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**vars(self), "verdict": self.verdict, "percent": self.percent}


Key = tuple[str, str, tuple[str, ...], str]


@dataclass(frozen=True)
class Episodes:
    """What there is to compare: returns of episodes, and errors on common trajectories.

    rows: a method, training seed, condition and seed each. errors: records of windows. See
    `report.write_report`. higher_is_better: of the rows' measures; of errors never.
    """

    rows: Sequence[Row]
    errors: Sequence[Row] = ()
    higher_is_better: bool = True

    def grid(self, method: str, conditions: Sequence[str], measure: str, prior: bool) -> Grid:
        """The method's figures on these conditions; of errors, the prior's or the adapted one's."""
        if measure != ERROR:
            return Grid.of(chosen(self.rows, method, conditions), measure)
        records = chosen(self.errors, method, conditions)
        return Grid.of(by_rollout(records, "before" if prior else "after"), ERROR)

    def compare(self, key: Key, rng: Generator, resamples: int = RESAMPLES) -> Comparison | None:
        """One comparison; None where one of the two did not take part everywhere."""
        method, opponent, conditions, measure = key
        rows = self.errors if measure == ERROR else self.rows
        for name in (method, opponent):
            met = {row["condition"] for row in chosen(rows, name, conditions)}
            if not conditions or met < set(conditions):
                return None
        own = self.grid(method, conditions, measure, False)
        other = self.grid(opponent, conditions, measure, method == opponent)
        found = bootstrap.difference(own, other, rng, resamples)
        base = bootstrap.mean(other)
        return Comparison(
            method,
            opponent,
            tuple(conditions),
            measure,
            (len(own.seeds), len(other.seeds)),
            len(own.episodes),
            base + found.value,
            base,
            found.value,
            found.interval,
            found.p,
            self.higher_is_better and measure != ERROR,
        )


def compare_all(
    episodes: Episodes,
    methods: Sequence[str],
    versus: Sequence[str],
    hypotheses: Iterable[Hypothesis],
    rng: Generator,
    resamples: int = RESAMPLES,
) -> tuple[Comparison, ...]:
    """The hypotheses' comparisons, then each contender's with each of `versus`, by condition.

    The first are in the mean over a hypothesis's conditions and on each of them. All p-values
    together are Holm's family; none is in it twice, and references only if a hypothesis names them.
    """
    conditions = unique(episodes.rows, "condition")
    keys: dict[Key, None] = {}
    for h in hypotheses:
        for several in dict.fromkeys((over(h, conditions), *((c,) for c in over(h, conditions)))):
            keys[h.better, h.worse, several, h.measure] = None
    for condition in conditions:
        for opponent in versus:
            for method in (m for m in methods if m not in REFERENCES):
                key = (method, opponent, (condition,), RETURN)
                if method != opponent and (opponent, method, *key[2:]) not in keys:
                    keys[key] = None
    found = (episodes.compare(key, rng, resamples) for key in keys)
    return corrected([c for c in found if c is not None])


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with p_holm over all that have a p-value."""
    adjusted = iter(holm([c.p for c in comparisons if c.p is not None]))
    return tuple(c if c.p is None else replace(c, p_holm=next(adjusted)) for c in comparisons)


def over(hypothesis: Hypothesis, conditions: Sequence[str]) -> tuple[str, ...]:
    """The conditions that a hypothesis is about."""
    named = hypothesis.conditions
    return tuple(conditions if ALL in named else named)


def chosen(rows: Iterable[Row], method: str, conditions: Sequence[str]) -> list[Row]:
    """The method's rows on these conditions."""
    return [r for r in rows if r["method"] == method and r["condition"] in conditions]


def by_rollout(records: Iterable[Row], which: str) -> list[Row]:
    """A row for each training seed, condition and rollout: `error`, the mean log of its windows'.

    Windows overlap: it is the rollouts that are independent. Of logarithms, no single window
    decides. Its `seed` is the rollout.
    """
    rows: list[Row] = []
    for record in records:
        logs, rollout = np.log(np.maximum(record[which], TINY)), np.asarray(record["rollout"])
        names = {name: record[name] for name in ("method", "train_seed", "condition")}
        for k in unique([{"k": k} for k in record["rollout"]], "k"):
            rows.append({**names, "seed": k, ERROR: float(logs[rollout == k].mean())})
    return rows


@dataclass(frozen=True)
class Scale:
    """The return that counts as 0 and the one that counts as 1, and which they are."""

    zero: float
    one: float
    by: str

    def __call__(self, value: float) -> float:
        """The return on this scale."""
        return (value - self.zero) / (self.one - self.zero)


def oracle_scale(rows: Sequence[Row], condition: str) -> Scale | None:
    """1 is the oracle's mean return on the condition; 0 is a return of 0.

    Where the oracle's return is not positive, 0 is what random actions get. None without an
    oracle, or with one that is no better than that.
    """
    oracle, chance = (
        bootstrap.mean(Grid.of(own, RETURN)) if own else None
        for own in (chosen(rows, name, [condition]) for name in (ORACLE, CHANCE))
    )
    if oracle is None:
        return None
    if oracle > 0:
        return Scale(0.0, oracle, "oracle")
    if chance is None or chance >= oracle:
        return None
    return Scale(chance, oracle, "oracle above random")


def returns(
    rows: Sequence[Row], methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """A row for each condition and method: the mean return with its interval, and normalised.

    normalised, normalised_interval, normalised_by: see `oracle_scale`; the oracle's mean is taken
    as it is, its own interval is in its own row. safety_stops: episodes that safety ended.
    """
    result = []
    for condition in unique(rows, "condition"):
        scale = oracle_scale(rows, condition)
        for method in methods:
            own = chosen(rows, method, [condition])
            if own:
                result.append(_summary(own, scale, rng, resamples))
    return result


def _summary(
    own: Sequence[Row], scale: Scale | None, rng: Generator, resamples: int
) -> dict[str, Any]:
    grid = Grid.of(own, RETURN)
    found = bootstrap.estimate(grid, rng, resamples)
    interval = found.interval
    return {
        "method": own[0]["method"],
        "condition": own[0]["condition"],
        "n_train_seeds": len(grid.seeds),
        "n_episodes": len(grid.episodes),
        "return": found.value,
        "return_interval": interval,
        "normalised": scale and scale(found.value),
        "normalised_interval": scale and interval and tuple(map(scale, interval)),
        "normalised_by": scale and scale.by,
        "return_after": _mean(own, "return_after"),
        "accepted_fraction": _mean(own, "accepted_fraction"),
        "safety_stops": sum(row["safety_stops"] > 0 for row in own),
    }


def _mean(rows: Sequence[Row], name: str) -> float | None:
    values = [row[name] for row in rows if row.get(name) is not None]
    return float(np.mean(values)) if values else None
