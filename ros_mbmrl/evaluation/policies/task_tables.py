"""Tables of new tasks: model error and reward (tables 1 and 2), time to adapt (table 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.policies.published import PUBLISHED_SECONDS, PUBLISHED_TASKS
from ros_mbmrl.evaluation.statistics import Row
from ros_mbmrl.methods.method import Look

Looks = Mapping[str, Look]
NO_TIME = "none"  # table 6 prints an empty set


def rewards(rows: Sequence[Row], looks: Looks) -> Table:
    """Return tables 1 and 2: `summary.new_task_figures`, with what is printed there."""
    cells = []
    for row in rows:
        known = PUBLISHED_TASKS.get((row["condition"], row["method"]))
        cells.append(
            (
                row["condition"],
                looks[row["method"]].name,
                spread(row["error_random"], row["error_random_std"]),
                spread(row["error_own"], row["error_own_std"]),
                spread(known.error, known.error_std) if known else "",
                spread(row["reward"], row["reward_std"]),
                spread(known.reward, known.reward_std) if known else "",
                f"{row['n_train_seeds']} x {row['n_tests']}",
            )
        )
    columns = ("environment", "method", "error, random", "error, own", "published error")
    more = ("reward", "published reward", "seeds x tasks")
    caption = (
        "New tasks: mean squared error of predicted changes (SI), on held-out rows of random "
        "commands and of the method's own episodes, and reward of a control period (published: of "
        "an episode on half-cheetah and slim humanoid); in brackets: deviation across tasks"
    )
    return Table((*columns, *more), cells, caption)


def times(rows: Sequence[Row], looks: Looks) -> Table:
    """Return table 6: rows of `adaptation_time.measure`."""
    cells = [
        (
            row["condition"],
            looks[name].name,
            spread(told["look"], told["look_std"]),
            spread(told["adapt"], told["adapt_std"]),
            _seconds(row["condition"], name),
            spread(told["act"], told["act_std"]),
        )
        for row in rows
        for name, told in row["times"].items()
    ]
    columns = ("environment", "method", "look [ms]", "adapt [ms]", "published [ms]", "act [ms]")
    caption = (
        "Processor time of one new task, all methods in turn in one run: the model's look at the "
        "context (L2A: its gradient step), that and all that the policy needs, and a command; in "
        "brackets: deviation across tasks"
    )
    return Table(columns, cells, caption)


def _seconds(condition: str, name: str) -> str:
    if name == "gssm":
        return NO_TIME
    known = PUBLISHED_SECONDS.get((condition, name))
    return "" if known is None else f"{1000 * known[0]:g} ({1000 * known[1] ** 0.5:.2g})"


def spread(value: float | None, std: float | None) -> str:
    """Return a value and its deviation as the paper prints them; empty for none."""
    if value is None or std is None:
        return ""
    return f"{value:.4g} ({std:.2g})"
