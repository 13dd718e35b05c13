"""Tables of a study of policies, all made from what `summary.json` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.policies import task_tables
from ros_mbmrl.evaluation.policies.summary import OPTIMISM
from ros_mbmrl.evaluation.statistics import Row
from ros_mbmrl.evaluation.study import tables as study_tables
from ros_mbmrl.evaluation.study.verdicts import number, with_interval
from ros_mbmrl.methods.method import Look

Looks = Mapping[str, Look]


def all_tables(summary: Mapping[str, Any], looks: Looks) -> list[Table]:
    """Return every table that has rows."""
    several = (
        finals(summary["finals"], looks),
        equal_data(summary["equal_data"], looks),
        study_tables.comparisons(named(summary["comparisons"], looks)),
        published(summary["published"], looks),
        planned(summary.get("planned", ()), looks),
        task_tables.rewards(summary.get("new_tasks", ()), looks),
        task_tables.times(summary.get("adaptation_times", ()), looks),
    )
    return [table for table in several if table.rows]


def finals(rows: Sequence[Row], looks: Looks) -> Table:
    """Return the returns at the ends of the curves, and how optimistic the models were."""
    cells = [
        (
            row["condition"],
            looks[row["method"]].name,
            str(row["transitions"]),
            with_interval(row["return"], row["return_interval"]),
            _number(row["return_before"]),
            _number(row["imagined"]),
            with_interval(row[OPTIMISM], row[f"{OPTIMISM}_interval"]),
            f"{row['n_train_seeds']} x {row['n_tests']}",
        )
        for row in rows
    ]
    columns = ("environment", "method", "real transitions", "return", "before adaptation")
    more = ("in the models", "over-optimism", "seeds x tests")
    caption = "End of each curve: real return without exploration (95 % interval)"
    return Table((*columns, *more), cells, caption)


def equal_data(rows: Sequence[Row], looks: Looks) -> Table:
    """Return the returns at equal real data: a line an entry, a column an environment."""
    limits = {row["condition"]: row["limit"] for row in rows}
    told = ", ".join(f"{name} {limit}" for name, limit in limits.items())
    caption = f"Return at equal real data (95 % interval); transitions at most: {told}"
    return study_tables.by_condition(named(rows, looks), "return", caption)


def named(rows: Sequence[Row], looks: Looks) -> list[dict[str, Any]]:
    """Return the rows with the names of entries for people, which the tables of studies print."""
    which = ("method", "opponent")
    return [row | {k: looks[row[k]].name for k in which if k in row} for row in map(dict, rows)]


def published(rows: Sequence[Row], looks: Looks) -> Table:
    """Return our returns beside published ones, whose source is named."""
    cells = [
        (
            row["condition"],
            looks[row["method"]].name,
            "" if row["transitions"] is None else str(row["transitions"]),
            _number(row["return"]),
            f"{row['published']:g} at {row['published_transitions']}",
            row["source"],
        )
        for row in rows
    ]
    columns = ("environment", "method", "real transitions", "return", "published", "source")
    caption = "Published returns; environments and tests may differ from ours in details"
    return Table(columns, cells, caption)


def planned(rows: Sequence[Row], looks: Looks) -> Table:
    """Return the returns with and without a plan at test time (thesis, table 1)."""
    cells = [
        (
            row["condition"],
            looks[row["method"]].name,
            number(row["return"]),
            number(row["return_planned"]),
            str(row["n_tests"]),
        )
        for row in rows
    ]
    columns = ("environment", "method", "return", "return with a plan", "tests a seed")
    return Table(columns, cells, "CEM from the policy's own plan, at the end of the curve")


def _number(value: float | None) -> str:
    return "" if value is None else number(value)
