"""Names that formulas know."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.task_reading import formula_names
from ros_mbmrl.robots.quantities import Limit
from tests.robots.described.examples import CART, WALKER


def test_names_of_formulas() -> None:
    names = formula_names(["a"], [Limit("u", "N", -1, 1, 1)])
    assert names == ("a", "before_a", "command_u", "change_u")


def test_tasks_by_name() -> None:
    run = parse_description(WALKER, Path("f")).tasks["run"]
    assert (run.kind, run.speed, run.heading) == ("run", 0.5, 0.0)
    up = parse_description(CART, Path("f")).tasks["up"]
    assert (up.kind, up.cost) == ("cost", "1 - cos(pole) + 0.01 * square(place)")
