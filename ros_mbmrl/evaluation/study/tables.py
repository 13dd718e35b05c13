"""Tables of a study: the same cells for the page, the terminal and Markdown.

All are made from what `summary.json` holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import Interval, Row, unique
from ros_mbmrl.evaluation.study import cause_headroom, diagnosis, reaction
from ros_mbmrl.evaluation.study.comparisons import ERROR
from ros_mbmrl.evaluation.study.verdicts import number, p_value, share, with_interval
from ros_mbmrl.methods import look

MOST_ROUNDS = 9  # columns of a table


def markdown(table: Table) -> str:
    """Return the table as Markdown, with its caption below."""
    lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    body = "".join(f"| {' | '.join(line)} |\n" for line in cells)
    return body + (f"\n{table.caption}\n" if table.caption else "")


def all_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return every table that has data, the hypotheses first."""
    returned = summary["returns"]
    normalised = any(row["normalised"] is not None for row in returned)
    several = (
        hypotheses(summary["hypotheses"]),
        by_condition(returned, "normalised", normalised_note(returned)) if normalised else None,
        by_condition(returned, "return", "Mean return (95 % interval)"),
        reaction.table(summary.get(reaction.BY_WINDOW, ())),
        comparisons(summary["comparisons"]),
        headroom(summary["headroom"]),
        *of_causes(summary),
        updates(summary["updates"]),
        ranks(summary["ranks"]),
        details(returned),
        gathered(summary["gathered"]) if summary.get("gathered") else None,
    )
    return [table for table in several if table is not None and table.rows]


def of_causes(summary: Mapping[str, Any]) -> list[Table]:
    """Return the tables of diagnoses, and of what knowing the causes is worth, if there are any."""
    makers = {
        diagnosis.DIAGNOSIS: diagnosis.table,
        cause_headroom.HEADROOM: cause_headroom.table,
    }
    return [make(summary[name]) for name, make in makers.items() if summary.get(name)]


def hypotheses(rows: Sequence[Row]) -> Table:
    """Return the hypotheses and their outcomes."""
    cells = []
    for row in rows:
        sign = "<" if row["measure"] == ERROR else ">"
        stated = f"{look(row['better']).name} {sign} {look(row['worse']).name}"
        if row["better"] == row["worse"]:
            stated = f"{look(row['better']).name}: after < before"
        found = row["comparison"]
        apart = "; ".join(f"{name} {text}" for name, text in row["by_condition"].items())
        p = p_value(found["p_holm"]) if found and found["p_holm"] is not None else ""
        where = ", ".join(row["conditions"])
        cells.append((stated, row["measure"], where, row["outcome"], p, apart))
    columns = ("stated in advance", "measure", "conditions", "outcome", "Holm p", "by condition")
    return Table(columns, cells, "By condition: differences, not tested one by one")


def by_condition(rows: Sequence[Row], name: str, caption: str) -> Table:
    """Return the figure `name` with its interval: a line a method, a column a condition."""
    conditions = unique(rows, "condition")
    known = {(row["method"], row["condition"]): row for row in rows}
    cells = []
    for method in unique(rows, "method"):
        own = (known.get((method, condition)) for condition in conditions)
        texts = (with_interval(r[name], r[f"{name}_interval"]) if r else "" for r in own)
        cells.append((look(method).name, *texts))
    return Table(("method", *conditions), cells, caption)


def normalised_note(rows: Sequence[Row]) -> str:
    """Say in a caption which returns count as 1 and 0."""
    chance = [r["condition"] for r in rows if r["normalised_by"] not in (None, "oracle")]
    without = [r["condition"] for r in rows if r["normalised_by"] is None]
    text = "Mean return (95 % interval); 1 is the MB oracle's on that condition"
    if chance:
        names = ", ".join(dict.fromkeys(chance))
        text += f"; on {names}, where that is not positive, 0 is what random actions get"
    if without:
        text += f"; nothing to normalise by on {', '.join(dict.fromkeys(without))}"
    return text


def comparisons(rows: Sequence[Row]) -> Table:
    """Return all tested comparisons, with p-values before and after the correction."""
    cells = []
    for row in rows:
        percent = row["percent"]
        before_logs = row["measure"] == ERROR
        cells.append(
            (
                look(row["method"]).name,
                look(row["opponent"]).name,
                ", ".join(row["conditions"]),
                row["measure"],
                "" if before_logs else with_interval(row["difference"], row["interval"]),
                in_percent(percent),
                f"{row['n_train_seeds']} x {row['n_episodes']}",
                "" if row["p"] is None else p_value(row["p"]),
                "" if row["p_holm"] is None else p_value(row["p_holm"]),
                row["verdict"],
            )
        )
    tested = sum(row["p"] is not None for row in rows)
    columns = ("method", "against", "conditions", "measure", "difference", "difference [%]")
    more = ("training seeds x episodes", "p", "Holm p", "the method is")
    caption = f"Paired differences (95 % intervals); {tested} tests, Holm's correction over those "
    caption += "stated in advance, and over the others"
    return Table((*columns, *more), cells, caption)


def headroom(rows: Sequence[Row]) -> Table:
    """Return the gain of a perfect model and the share that each method reached."""
    methods = list(dict.fromkeys(method for row in rows for method in row["reached"]))
    cells = [
        (
            row["condition"],
            number(row["baseline"]),
            number(row["true_model"]),
            with_interval(row["gain"], row["gain_interval"]),
            in_percent(row["percent"]),
            *(f"{row['reached'][m]:.0%}" if m in row["reached"] else "" for m in methods),
        )
        for row in rows
    ]
    columns = ("condition", "MB", "true model", "gain", "gain [%]")
    caption = "Return with the true model in the same planner; of its gain over MB, what each got"
    return Table((*columns, *(look(m).name for m in methods)), cells, caption)


def updates(rows: Sequence[Row]) -> Table:
    """Return errors before and after the update, on common trajectories."""
    cells = [
        (
            row["condition"],
            look(row["method"]).name,
            f"{row['median_before']:.3g} > {row['median_after']:.3g}",
            f"{row['mean_before']:.3g} > {row['mean_after']:.3g}",
            f"{row['improved']:.1%}",
            with_interval(row["typical_ratio"], row["typical_ratio_interval"]),
            str(row["n"]),
        )
        for row in rows
    ]
    columns = ("condition", "method", "median", "mean", "windows improved", "typical ratio", "n")
    caption = (
        "K-step error before > after the update, on the same trajectories for all; "
        "typical ratio: of geometric means, after to before"
    )
    return Table(columns, cells, caption)


def ranks(rows: Mapping[str, float]) -> Table:
    """Return mean ranks, best first."""
    ordered = sorted(rows.items(), key=lambda item: item[1])
    cells = [(look(method).name, f"{rank:.2f}") for method, rank in ordered]
    return Table(("method", "mean rank"), cells, "Rank by return, in the mean over the conditions")


def details(rows: Sequence[Row]) -> Table:
    """Return the other figures of each method and condition."""
    cells = [
        (
            row["condition"],
            look(row["method"]).name,
            str(row["n_train_seeds"]),
            str(row["n_episodes"]),
            "" if row["return_after"] is None else number(row["return_after"]),
            "" if row["accepted_fraction"] is None else f"{row['accepted_fraction']:.0%}",
            str(row["safety_stops"]),
        )
        for row in rows
    ]
    columns = ("condition", "method", "training seeds", "episodes", "return after the change")
    caption = "Episodes: different ones; stops: episodes that safety ended"
    return Table((*columns, "updates accepted", "stops"), cells, caption)


def tuning(rows: Sequence[Row]) -> Table:
    """Return the settings tried on validation conditions; rows mark the `chosen` one."""
    known = ("method", "return", "error", "chosen")
    cells = []
    for row in rows:
        tried = ", ".join(f"{name} {row[name]}" for name in row if name not in known)
        mark = "chosen" if row.get("chosen") else ""
        cells.append((look(row["method"]).name, tried, number(row["return"]), mark))
    return Table(("method", "settings", "return", ""), cells, "Tried on validation conditions")


def gathered(rows: Sequence[Row]) -> Table:
    """Return the mean return of the runs that each round gathered, a line a training seed."""
    transitions = sorted({row["transitions"] for row in rows})
    shown = transitions[:: -(-len(transitions) // MOST_ROUNDS)]
    shown += [] if transitions[-1] in shown else transitions[-1:]
    known = {(row["train_seed"], row["transitions"]): row["return"] for row in rows}
    cells = [
        (str(seed), *(number(known[seed, n]) if (seed, n) in known else "" for n in shown))
        for seed in unique(rows, "train_seed")
    ]
    caption = "Mean return of the runs that MB's data were gathered by, after so many transitions"
    return Table(("training seed", *map(str, shown)), cells, caption)


def in_percent(figures: tuple[float, Interval | None] | None) -> str:
    """Write a percentage with its interval."""
    return with_interval(*figures, share) if figures else ""
