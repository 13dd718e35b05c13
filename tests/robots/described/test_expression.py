"""Formulas that users write: their values, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch

from ros_mbmrl.robots.described.expression import FUNCTIONS, Expression, tensor_functions


def test_a_formula_has_the_value_that_python_gives() -> None:
    x, y = torch.tensor([0.5, -1.0]), torch.tensor([2.0, 3.0])
    formula = Expression(
        "square(x) + max(0, y - 2.5) / 2 - (x < 0) * exp(-y) ** 2", ("x", "y", "z")
    )
    assert formula.names == {"x", "y"}
    found = formula({"x": x, "y": y}, tensor_functions())
    expected = [0.25, 1.0 + 0.25 - math.exp(-3.0) ** 2]
    assert found.tolist() == pytest.approx(expected)


def test_it_can_be_differentiated() -> None:
    x = torch.tensor(0.3, requires_grad=True)
    Expression("1 - cos(x)", ("x",))({"x": x}, tensor_functions()).backward()
    assert float(x.grad) == pytest.approx(math.sin(0.3))


def test_every_function_is_there_for_tensors() -> None:
    assert set(tensor_functions()) == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a formula of 1 to 500 characters"),
        ("1 + " * 200 + "1", "expected a formula of 1 to 500 characters"),
        ("x +", "is no formula"),
        ("y", "unknown name 'y': expected one of x"),
        ("open(x)", "unknown function 'open'"),
        ("x.__class__", "expected numbers, names, operators"),
        ("__import__('os').system('x')", "expected"),
        ("[x for x in (1, 2)]", "expected numbers, names"),
        ("'a' * 9", "expected a number, got 'a'"),
        ("x << 3", "expected the operators"),
        ("lambda: 1", "expected"),
        ("True", "expected a number, got True"),
        ("cos(x=1)", "expected a call such as cos"),
    ],
)
def test_no_formula(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Expression(text, ("x",))
