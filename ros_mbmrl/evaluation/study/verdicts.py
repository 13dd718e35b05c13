"""Outcome of each hypothesis, in one sentence that claims no more than the figures show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import Interval, unique
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES
from ros_mbmrl.evaluation.study.comparisons import (
    BETTER,
    ERROR,
    LEVEL,
    NULL,
    RETURN,
    Comparison,
    Evidence,
    Key,
    key_of,
)
from ros_mbmrl.evaluation.study.description import Hypothesis
from ros_mbmrl.methods import look

SUPPORTED, CONTRADICTED, UNDECIDED, UNTESTED = "supported", "contradicted", NULL, "not tested"


def judge_all(
    hypotheses: Iterable[Hypothesis],
    comparisons: Sequence[Comparison],
    evidence: Evidence,
    rng: Generator,
    resamples: int = RESAMPLES,
) -> list[dict[str, Any]]:
    """Make a row for each hypothesis: statement, outcome, sentence, comparison, by_condition.

    comparisons: of `compare_all`. by_condition: differences with intervals on each of several
    conditions; not tested, so without p-values.
    """
    known = {(c.method, c.opponent, c.conditions, c.measure): c for c in comparisons}
    rows = []
    for hypothesis in hypotheses:
        key = key_of(hypothesis, unique(evidence.rows, "condition"))
        found = known.get(key)
        conditions = key[2] if len(key[2]) > 1 and found else ()
        single = ((*key[:2], (condition,), key[3]) for condition in conditions)
        several = [evidence.compare(one, rng, resamples) for one in single]
        rows.append(
            {
                "better": hypothesis.better,
                "worse": hypothesis.worse,
                "conditions": key[2],
                "measure": hypothesis.measure,
                "outcome": outcome(found),
                "sentence": sentence(key, found),
                "comparison": found and found.row(),
                "by_condition": {c.conditions[0]: amount(c) for c in several if c},
            }
        )
    return rows


def outcome(found: Comparison | None) -> str:
    """Return the outcome of the hypothesis that the comparison's method is the better one."""
    if found is None or found.p_holm is None:
        return UNTESTED
    if found.verdict == NULL:
        return UNDECIDED
    return SUPPORTED if found.verdict == BETTER else CONTRADICTED


def sentence(key: Key, found: Comparison | None) -> str:
    """Write the outcome as a sentence. key: the intended comparison, made or not."""
    method, opponent, conditions, measure = key
    named = listed([f"`{condition}`" for condition in conditions])
    where = f"in the mean of {named}" if len(conditions) > 1 else f"on {named}"
    figure = {RETURN: "return", ERROR: "K-step error"}.get(measure, measure)
    one, other = look(method).name, look(opponent).name
    own, base = f"{one}'s {figure}", f"{other}'s"
    if method == opponent:
        own, base = f"{one}'s {figure} after the update", "before it"
    if found is None or found.p_holm is None:
        reason = "too few episodes" if found else "not both took part"
        return f"Not tested: {own} {where} against {base}; {reason}."
    p = f"Holm p {p_value(found.p_holm)}"
    if found.verdict == NULL:
        between = f"{own} and {base}" if method == opponent else f"{one}'s and {other}'s {figure}"
        return f"No difference shown between {between} {where}: {amount(found, '95 % ')}, {p}."
    way = "higher" if found.difference > 0 else "lower"
    by, between = in_words(found, positive=True)
    return f"{own} {where} is {way} than {base} by {by} (95 % {between}, {p})."


def amount(found: Comparison, level: str = "") -> str:
    """Write the difference with its sign and interval, as +12 % (3 to 20)."""
    by, between = in_words(found)
    sign = "+" if found.difference > 0 else ""
    return f"{sign}{by}" + (f" ({level}{between})" if between else "")


def in_words(found: Comparison, positive: bool = False) -> tuple[str, str]:
    """Write the difference, in % where that is meaningful, and its interval, "" without one.

    positive: both with their signs turned where the difference is negative.
    """
    if found.percent is None:
        value, interval, unit, write = found.difference, found.interval, "", number
    else:
        (value, interval), unit, write = found.percent, " %", share
    if positive and value < 0:
        value, interval = -value, interval and (-interval[1], -interval[0])
    return f"{write(value)}{unit}", " to ".join(map(write, interval)) if interval else ""


def number(value: float) -> str:
    """Write a number with two significant digits or a few more."""
    size = abs(value)
    text = f"{value:.{0 if size >= 99.5 else 1 if size >= 9.95 else 2}f}"
    return text if float(text) else text.lstrip("-")


def share(value: float) -> str:
    """Write a percentage without the % sign."""
    text = f"{value:.{0 if abs(value) >= 9.95 else 1}f}"
    return text if float(text) else text.lstrip("-")


def with_interval(
    value: float | None, interval: Interval | None, write: Callable[[float], str] = number
) -> str:
    """Write a value with its interval, as 1.23 (1.10 to 1.36); empty for None."""
    if value is None:
        return ""
    return write(value) + (f" ({write(interval[0])} to {write(interval[1])})" if interval else "")


def p_value(p: float) -> str:
    """Write a p-value without the leading zero: .012, < .001, 1."""
    if p < 0.001:
        return "< .001"
    text = f"{p:.2g}"
    return (f"{p:.3g}" if float(text) == LEVEL else text).removeprefix("0")


def listed(words: Sequence[str]) -> str:
    """Join words as in "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
