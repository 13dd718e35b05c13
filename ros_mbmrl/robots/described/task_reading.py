"""Reading of a robot's tasks: goals, costs as formulas, and runs along a course."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.robots.described.description import FLOATING, TaskDescription
from ros_mbmrl.robots.described.expression import Expression
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.quantities import Limit

FORMS = ("goal", "cost", "run")
SAMPLES = 32
ARRAY_FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **{n: getattr(np, n) for n in ("abs", "cos", "exp", "log", "sin", "sqrt", "square")},
        **{n: getattr(np, n) for n in ("tan", "tanh")},
        "min": min,
        "max": max,
    }
)


def read_tasks(
    marked: Marked | None, kind: str, states: Sequence[str], limits: Sequence[Limit]
) -> dict[str, TaskDescription]:
    """Read the section `tasks`. Raises UserError."""
    tasks: dict[str, TaskDescription] = {}
    for name, each in ({} if marked is None else marked.items()).items():
        found = each.among((*FORMS, "scale"))
        form = [key for key in FORMS if key in found]
        if len(form) != 1:
            raise each.error(f"expected one of {', '.join(FORMS)}")
        task = TaskDescription(form[0], place=each)
        if form == ["goal"]:
            task = _goal(task, found, states)
        elif form == ["cost"]:
            task = _cost(task, found["cost"], states, limits)
        else:
            task = _run(task, found["run"], kind)
        tasks[name] = task
    return tasks


def formula_names(states: Sequence[str], limits: Sequence[Limit]) -> tuple[str, ...]:
    """Return the names that a cost's formula may have."""
    commands = [limit.name for limit in limits]
    return (
        *states,
        *(f"before_{name}" for name in states),
        *(f"{part}_{name}" for part in ("command", "change") for name in commands),
    )


def _goal(
    task: TaskDescription, found: dict[str, Marked], states: Sequence[str]
) -> TaskDescription:
    goal = {name: each.number() for name, each in found["goal"].among(states).items()}
    if not goal:
        raise found["goal"].error("expected a state and its wanted value, got none")
    scale = dict.fromkeys(goal, 0.1)
    if "scale" in found and found["scale"].nested:
        scale |= {n: each.positive() for n, each in found["scale"].among(tuple(goal)).items()}
    elif "scale" in found:
        scale = dict.fromkeys(goal, found["scale"].positive())
    return replace(task, goal=goal, scale=scale)


def _cost(
    task: TaskDescription, marked: Marked, states: Sequence[str], limits: Sequence[Limit]
) -> TaskDescription:
    try:
        formula = Expression(marked.text(), formula_names(states, limits))
    except ValueError as error:
        raise marked.error(str(error)) from None
    _refuse_infinite(formula, marked)
    return replace(task, cost=formula.text, place=marked)


def _refuse_infinite(formula: Expression, marked: Marked) -> None:
    """Refuse a formula that has no finite value at 0, or near it, as one that divides by 0."""
    rng = np.random.default_rng(0)
    near = rng.normal(0.0, 0.1, (SAMPLES, len(formula.names)))
    for row in (np.zeros(len(formula.names)), *near):
        values = dict(zip(sorted(formula.names), row, strict=True))
        with np.errstate(all="ignore"):
            try:
                value = float(formula(values, ARRAY_FUNCTIONS))
            except (ArithmeticError, TypeError, ValueError) as error:
                raise marked.error(f"the formula has no value ({error})") from None
        if not math.isfinite(value):
            told = ", ".join(f"{name} {number:.3g}" for name, number in values.items())
            raise marked.error(f"expected a finite cost, got {value} at {told}")


def _run(task: TaskDescription, marked: Marked, kind: str) -> TaskDescription:
    if kind != FLOATING:
        raise marked.error("only a floating base runs along a course")
    found = marked.among(("heading", "speed"), needed=("speed",))
    heading = found["heading"].number() if "heading" in found else 0.0
    return replace(task, heading=heading, speed=found["speed"].positive())
