"""Who is better than whom, on what, and whether that is more than chance.

Methods meet the same episodes, and models predict the same trajectories: differences are paired.
p-values are corrected for all comparisons of an experiment, those stated in advance by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import ALL, Interval, Row, unique
from ros_mbmrl.evaluation.study.bootstrap import (
    RESAMPLES,
    Episode,
    Sample,
    Values,
    holm,
    paired,
)
from ros_mbmrl.evaluation.study.description import Hypothesis
from ros_mbmrl.methods import about

RETURN, ERROR = "return", "error"
LEVEL = 0.05
BETTER, WORSE, NULL = "better", "worse", "no difference shown"
TINY = 1e-9  # of an error, whose logarithm is taken


@dataclass(frozen=True)
class Comparison:
    """A method beside an opponent, in the mean over conditions that count the same.

    mean and opponent_mean on the episodes that both met, and their difference with its 95 %
    interval, in the measure's unit; of errors, all three are of the natural logarithm. p:
    two-sided; p_holm: corrected for all of its family (`compare_all`), which the interval is not.
    """

    method: str
    opponent: str
    conditions: tuple[str, ...]
    measure: str
    n_train_seeds: int
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
        """On the method, by p_holm: better, worse, or no difference shown."""
        if self.p_holm is None or self.p_holm >= LEVEL:
            return NULL
        return BETTER if (self.difference > 0) == self.higher_is_better else WORSE

    @property
    def percent(self) -> tuple[float, Interval | None] | None:
        """The difference and its interval in % of the opponent's mean.

        None where that says nothing: a mean that is not positive, or small beside the difference.
        """
        values = [self.difference, *(self.interval or ())]
        if self.measure == ERROR:
            scaled = [100 * float(np.expm1(value)) for value in values]
        elif abs(self.difference) <= 10 * self.opponent_mean:
            scaled = [100 * value / self.opponent_mean for value in values]
        else:
            return None
        return scaled[0], (scaled[1], scaled[2]) if self.interval else None

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**vars(self), "verdict": self.verdict, "percent": self.percent}


Key = tuple[str, str, tuple[str, ...], str]  # method, opponent, conditions, measure


@dataclass(frozen=True)
class Evidence:
    """Data to compare: returns of episodes, and errors on common trajectories.

    rows: a method, training seed, condition and seed each. errors: records of windows. For both
    see `report.write_report`. higher_is_better: of the rows' figures; of errors never.
    """

    rows: Sequence[Row]
    errors: Sequence[Row] = ()
    higher_is_better: bool = True

    def compare(self, key: Key, rng: Generator, resamples: int = RESAMPLES) -> Comparison | None:
        """One comparison; None where one of the two is missing on one of the conditions."""
        method, opponent, conditions, measure = key
        own = self._values(method, conditions, measure)
        other = self._values(opponent, conditions, measure, prior=method == opponent)
        if not own or not other or not conditions:
            return None
        ours, theirs = paired(own, other)
        if {episode[0] for _, episode in ours} < set(conditions):
            return None
        sample = Sample.of({k: ours[k] - theirs[k] for k in ours})
        found, base = sample.estimate(rng, resamples), Sample.of(theirs).mean
        return Comparison(
            method,
            opponent,
            tuple(conditions),
            measure,
            len(sample.seeds),
            sample.n_episodes,
            base + found.value,
            base,
            found.value,
            found.interval,
            found.p,
            self.higher_is_better and measure != ERROR,
        )

    def _values(
        self, method: str, conditions: Sequence[str], measure: str, prior: bool = False
    ) -> Values:
        if measure != ERROR:
            return values(chosen(self.rows, method, conditions), measure)
        records = chosen(self.errors, method, conditions)
        return values(by_episode(records, "before" if prior else "after"), ERROR)


def compare_all(
    evidence: Evidence,
    methods: Sequence[str],
    versus: Sequence[str],
    hypotheses: Iterable[Hypothesis],
    rng: Generator,
    resamples: int = RESAMPLES,
) -> tuple[Comparison, ...]:
    """Compare what each hypothesis says, then each contender's returns with those of `versus`.

    What was stated in advance is one family of Holm's, what else is compared another: looking
    around must not cost the hypotheses their power. None is in both, nor twice.
    """
    conditions = unique(evidence.rows, "condition")
    stated: dict[Key, None] = dict.fromkeys(key_of(h, conditions) for h in hypotheses)
    others: dict[Key, None] = {}
    for condition in conditions:
        for opponent in versus:
            for method in (m for m in methods if about(m).judged and m != opponent):
                key = (method, opponent, (condition,), RETURN)
                backwards = (opponent, method, (condition,), RETURN)
                if not {key, backwards} & {*stated, *others}:
                    others[key] = None
    made: list[Comparison] = []
    for family in (stated, others):
        found = (evidence.compare(key, rng, resamples) for key in family)
        made += corrected([comparison for comparison in found if comparison is not None])
    return tuple(made)


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with p_holm, the family being all that have a p-value."""
    adjusted = iter(holm([c.p for c in comparisons if c.p is not None]))
    return tuple(c if c.p is None else replace(c, p_holm=next(adjusted)) for c in comparisons)


def key_of(hypothesis: Hypothesis, conditions: Sequence[str]) -> Key:
    """Return the key of a hypothesis's comparison; conditions: all that the data have."""
    named = hypothesis.conditions
    over = tuple(conditions if not named or ALL in named else named)
    return hypothesis.better, hypothesis.worse, over, hypothesis.measure


def chosen(rows: Iterable[Row], method: str, conditions: Sequence[str]) -> list[Row]:
    """The method's rows on these conditions."""
    return [r for r in rows if r["method"] == method and r["condition"] in conditions]


def values(rows: Iterable[Row], name: str) -> Values:
    """The figure `name` of one method's rows."""
    return {met_by(row): float(row[name]) for row in rows}


def met_by(row: Row) -> tuple[Any, Episode]:
    """The training seed of a row, and the episode that it met."""
    return row["train_seed"], (row["condition"], row.get("path", ""), row["seed"])


def by_episode(records: Iterable[Row], which: str) -> list[Row]:
    """A row for each training seed, condition and episode: `error`, the mean log of its windows'.

    Windows overlap, and several methods may have driven in one situation: it is the situations
    that are independent. Of logarithms, no single window decides. Its `seed` is the episode, or
    the rollout where a record knows no other.
    """
    rows: list[Row] = []
    for record in records:
        episodes = np.asarray(record.get("episode", record["rollout"]))
        logs = np.log(np.maximum(record[which], TINY))
        names = {name: record[name] for name in ("method", "train_seed", "condition")}
        for k in dict.fromkeys(episodes.tolist()):
            rows.append({**names, "seed": k, ERROR: float(logs[episodes == k].mean())})
    return rows
