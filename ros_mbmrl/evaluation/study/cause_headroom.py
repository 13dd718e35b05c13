"""Headroom of adaptation: what being told the causes is worth, and the share of it that each gets.

The same learned model acts three times: told the true causes at every step, inferring them
(`causes`), and as if all were well. A condition has headroom where the first beats MB by more than
a tenth; only there can adaptation show what it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import FEWEST, Interval, Row, unique
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES, Sample, Values
from ros_mbmrl.evaluation.study.comparisons import RETURN, Evidence, chosen, values
from ros_mbmrl.evaluation.study.verdicts import number, with_interval
from ros_mbmrl.methods import about, look
from ros_mbmrl.methods.built_in import BASELINE, CAUSES, CAUSES_TOLD, CAUSES_WELL
from ros_mbmrl.methods.method import Role

HEADROOM = "headroom_of_causes"  # of a summary: what `cause_headroom` returns
LEAST = 0.1  # of MB's return


def cause_headroom(
    evidence: Evidence, methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Make a row for each condition: what being told is worth beside MB, and who gets how much.

    mb, told: mean returns. gain: of being told, with its 95 % interval. has_headroom: gain is more
    than LEAST of MB's return. shares: by contender, (its return - MB's) / gain, and that with its
    interval. share_beside_well: of `causes`, with the model that is always told that all is well in
    MB's place. Both are empty where there is no headroom. No row where either is missing.
    """
    result = []
    for condition in unique(evidence.rows, "condition"):
        key = (CAUSES_TOLD, BASELINE, (condition,), RETURN)
        gain = evidence.compare(key, rng, resamples)
        if gain is None:
            continue
        has = gain.difference > LEAST * abs(gain.opponent_mean)
        own = {m: values(chosen(evidence.rows, m, [condition]), RETURN) for m in methods}
        contenders = [m for m in methods if about(m).role is Role.CONTENDER] if has else []
        shares = {m: share(own[m], own[CAUSES_TOLD], own[BASELINE], rng) for m in contenders}
        beside = None
        if has and own.get(CAUSES) and own.get(CAUSES_WELL):
            beside = share(own[CAUSES], own[CAUSES_TOLD], own[CAUSES_WELL], rng)
        result.append(
            {
                "condition": condition,
                "mb": gain.opponent_mean,
                "told": gain.mean,
                "gain": gain.difference,
                "gain_interval": gain.interval,
                "has_headroom": has,
                "shares": {name: found for name, found in shares.items() if found},
                "share_beside_well": beside,
            }
        )
    return result


def share(
    own: Values, told: Values, base: Values, rng: Generator, resamples: int = RESAMPLES
) -> tuple[float, Interval | None] | None:
    """Return (own - base) / (told - base) in the mean, and its 95 % interval.

    Percentiles of a bootstrap over the training seeds and episodes that all three met; None
    without any, an interval only of FEWEST episodes or more. It hardly says anything where being
    told is worth little.
    """
    common = [key for key in own if key in told and key in base]
    if not common:
        return None
    ours = Sample.of({key: own[key] - base[key] for key in common})
    most = Sample.of({key: told[key] - base[key] for key in common})
    if most.mean == 0:
        return None
    found = ours.mean / most.mean
    if min(block.shape[1] for block in ours.blocks) < FEWEST:
        return found, None
    draws = [
        [np.einsum("bse,se->b", weights, block) for block in blocks]
        for weights, *blocks in zip(
            ours.weights(rng, resamples), ours.blocks, most.blocks, strict=True
        )
    ]
    gained, possible = np.mean(draws, axis=0)
    low, high = np.quantile(gained / np.where(possible == 0, np.nan, possible), [0.025, 0.975])
    return found, (float(low), float(high))


def mean_shares(found: Sequence[Row]) -> dict[str, float]:
    """Return each method's mean share over the conditions with headroom, if it met all of them."""
    rows = [row for row in found if row["has_headroom"]]
    names = list(dict.fromkeys(name for row in rows for name in row["shares"]))
    return {
        name: float(np.mean([row["shares"][name][0] for row in rows]))
        for name in names
        if all(name in row["shares"] for row in rows)
    }


def table(found: Sequence[Row]) -> Table:
    """Return the headroom: a line a condition, a column a method."""
    methods = list(dict.fromkeys(name for row in found for name in row["shares"]))
    beside = any(row["share_beside_well"] for row in found)
    cells = [
        (
            row["condition"],
            number(row["mb"]),
            number(row["told"]),
            with_interval(row["gain"], row["gain_interval"]),
            _said(row),
            *(_cell(row["shares"], name) for name in methods),
            *((_written(row["share_beside_well"]),) if beside else ()),
        )
        for row in found
    ]
    means = mean_shares(found)
    if means and len(found) > 1:
        last = (f"{means[name]:.0%}" if name in means else "" for name in methods)
        cells.append(
            ("mean of those with headroom", "", "", "", "", *last, *([""] if beside else []))
        )
    names = (look(name).name for name in methods)
    columns = ("condition", "MB", look(CAUSES_TOLD).name, "gain", "headroom", *names)
    more = (f"{look(CAUSES).name} beside all well",) if beside else ()
    caption = (
        "Headroom of adaptation: where being told the causes beats MB by more than "
        f"{LEAST:.0%}, unsure where that may be chance; share of the gain that each method gets "
        "(95 % intervals)"
    )
    return Table((*columns, *more), cells, caption)


def _said(row: Row) -> str:
    if not row["has_headroom"]:
        return "no"
    return "yes" if row["gain_interval"] and row["gain_interval"][0] > 0 else "unsure"


def _cell(shares: Mapping[str, Any], name: str) -> str:
    return _written(shares.get(name))


def _written(found: tuple[float, Interval | None] | None) -> str:
    if found is None:
        return ""
    value, interval = found
    ends = "" if interval is None else " ({:.0%} to {:.0%})".format(*interval)
    return f"{value:.0%}{ends}"
