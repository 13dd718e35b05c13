"""Contenders of the figures on MB-MPO, as settings that a study trains: thesis, 5.5.3 and B.2.

Figure 11 is `plasticity.plasticity_of` for a policy trained on `point_centre`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contender:
    """A line of a figure.

    label: its name in the figure. method: that learns. settings: for `PolicyMethod.configured`.
    """

    label: str
    method: str
    settings: Mapping[str, Any]


def with_and_without_adaptation(rates: Sequence[float] = (0.2, 0.0)) -> tuple[Contender, ...]:
    """Return the contenders of figures 9 and 40a: inner steps of several rates, 0 for none."""
    return tuple(Contender(f"alpha = {rate:g}", "mb_mpo", {"rate": rate}) for rate in rates)


def on_biased_models(
    largest: Sequence[float] = (0.1, 0.5, 1.0), methods: Sequence[str] = ("mb_mpo", "me_trpo")
) -> tuple[Contender, ...]:
    """Return the contenders of figure 10: methods on models whose biases reach up to b_max.

    largest: values of b_max, in each state's own unit.
    """
    return tuple(
        Contender(f"{method}, b_max = {bias:g}", method, {"model_bias": bias, "horizon": 100})
        for bias in largest
        for method in methods
    )
