"""The sentences, word by word: none says more than its figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from ros_mbmrl.evaluation.study.comparisons import Comparison, Evidence, key_of
from ros_mbmrl.evaluation.study.verdicts import (
    amount,
    judge_all,
    number,
    outcome,
    p_value,
    sentence,
)


@dataclass(frozen=True)
class Stated:
    better: str
    worse: str
    conditions: tuple[str, ...] = ()
    measure: str = "return"


FOUND = Comparison(
    *("grbal", "mb", ("unseen",), "return", 5, 50, 112.0, 100.0, 12.0, (3.0, 20.4), 0.001),
    p_holm=0.012,
)
KEY = ("grbal", "mb", ("unseen",), "return")


def test_better_worse_and_nothing_shown() -> None:
    assert sentence(KEY, FOUND) == (
        "GrBAL's return on `unseen` is higher than MB's by 12 % (95 % 3.0 to 20, Holm p .012)."
    )
    assert outcome(FOUND) == "supported"
    worse = replace(FOUND, difference=-12.0, interval=(-20.4, -3.0))
    assert sentence(KEY, worse) == (
        "GrBAL's return on `unseen` is lower than MB's by 12 % (95 % 3.0 to 20, Holm p .012)."
    )
    assert outcome(worse) == "contradicted"
    nothing = replace(FOUND, difference=1.0, interval=(-3.0, 5.0), p_holm=0.6)
    assert sentence(KEY, nothing) == (
        "No difference shown between GrBAL's and MB's return on `unseen`: "
        "+1.0 % (95 % -3.0 to 5.0), Holm p .6."
    )
    assert outcome(nothing) == "no difference shown"


def test_returns_that_are_not_positive_have_no_percent() -> None:
    arm = replace(FOUND, opponent_mean=-5.0, difference=1.5, interval=(0.5, 2.5))
    assert "by 1.50 (95 % 0.50 to 2.50," in sentence(KEY, arm)


def test_errors_and_the_update_itself() -> None:
    error = replace(
        FOUND,
        measure="error",
        higher_is_better=False,
        difference=math.log(0.8),
        interval=(math.log(0.7), math.log(0.9)),
    )
    assert sentence(("grbal", "mb", ("unseen", "fast"), "error"), error) == (
        "GrBAL's K-step error in the mean of `unseen` and `fast` is lower than MB's by 20 % "
        "(95 % 10 to 30, Holm p .012)."
    )
    assert outcome(error) == "supported"
    itself = replace(error, opponent="grbal")
    assert sentence(("grbal", "grbal", ("unseen",), "error"), itself) == (
        "GrBAL's K-step error after the update on `unseen` is lower than before it by 20 % "
        "(95 % 10 to 30, Holm p .012)."
    )


def test_what_was_not_tested_is_said_to_be_so() -> None:
    assert sentence(KEY, None) == (
        "Not tested: GrBAL's return on `unseen` against MB's; not both took part."
    )
    few = replace(FOUND, interval=None, p=None, p_holm=None)
    assert sentence(KEY, few).endswith("; too few episodes.")
    assert outcome(None) == outcome(few) == "not tested"
    assert amount(few) == "+12 %"


def test_a_row_for_every_hypothesis() -> None:
    rows = [{"condition": "unseen"}, {"condition": "fast"}]
    stated = Stated("rebal", "mb")
    assert key_of(stated, ("unseen", "fast")) == ("rebal", "mb", ("unseen", "fast"), "return")
    assert key_of(Stated("rebal", "mb", ("all",)), ("a",))[2] == ("a",)
    (row,) = judge_all([stated], [], Evidence([{**r, "method": "mb"} for r in rows]), None)  # type: ignore[arg-type]
    assert (row["outcome"], row["comparison"], row["by_condition"]) == ("not tested", None, {})


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "< .001"), (0.012, ".012"), (0.05, ".05"), (0.0496, ".0496"), (1, "1")]
)
def test_p_values_are_never_rounded_over_the_level(p: float, text: str) -> None:
    assert p_value(p) == text


def test_numbers_have_three_figures() -> None:
    assert [number(v) for v in (1234.5, 12.34, 1.234, -0.001, -99.7)] == [
        *("1234", "12.3", "1.23", "0.00", "-100"),
    ]
