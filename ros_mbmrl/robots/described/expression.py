"""Expressions over named quantities, as users write costs: evaluated by simpleeval alone."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from simpleeval import InvalidExpression, SimpleEval

OPERATORS: Mapping[type, Callable[..., Any]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: operator.pow,
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
        ast.Gt: operator.gt,
        ast.Lt: operator.lt,
        ast.GtE: operator.ge,
        ast.LtE: operator.le,
    }
)
FUNCTIONS = ("abs", "cos", "exp", "log", "max", "min", "sin", "sqrt", "square", "tan", "tanh")
_PARTS = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.Compare),
    *(ast.Load, ast.operator, ast.unaryop, ast.cmpop, ast.Expr),
)
LONGEST = 500  # characters


class Expression:
    """A formula over named numbers; the same for floats, arrays and tensors.

    Args:
        text: as the user wrote it: numbers, names, + - * / **, comparisons, and `FUNCTIONS`.
        known: names that may stand in it.

    Attributes:
        names: those that stand in it.

    Raises:
        ValueError: it is no such formula, or has an unknown name; the text says which.
    """

    def __init__(self, text: str, known: Collection[str]) -> None:
        if not text.strip() or len(text) > LONGEST:
            raise ValueError(f"expected a formula of 1 to {LONGEST} characters")
        try:
            self._parsed = SimpleEval.parse(text)
        except (InvalidExpression, SyntaxError, ValueError, RecursionError) as error:
            raise ValueError(f"'{text}' is no formula ({str(error).splitlines()[0]})") from None
        self.text = text
        self.names = frozenset(self._checked(known))

    def __call__(self, values: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
        """Return the value.

        Args:
            values: of the names.
            functions: by their names in `FUNCTIONS`, for the kind of the values.
        """
        evaluator = SimpleEval(dict(OPERATORS), dict(functions), dict(values))
        return evaluator.eval(self.text, previously_parsed=self._parsed)

    def _checked(self, known: Collection[str]) -> set[str]:
        """Return the names in it, after a look at each of its parts."""
        called, named = set[str](), set[str]()
        for part in ast.walk(self._parsed):
            if not isinstance(part, _PARTS):
                raise ValueError(f"'{self.text}': expected numbers, names, operators, functions")
            if isinstance(part, ast.Constant) and (
                isinstance(part.value, bool) or not isinstance(part.value, int | float)
            ):
                raise ValueError(f"'{self.text}': expected a number, got {part.value!r}")
            if isinstance(part, ast.operator | ast.unaryop | ast.cmpop):
                if type(part) not in OPERATORS:
                    raise ValueError(f"'{self.text}': expected the operators + - * / ** < > <= >=")
            elif isinstance(part, ast.Call):
                if not isinstance(part.func, ast.Name) or part.keywords:
                    raise ValueError(f"'{self.text}': expected a call such as cos(x)")
                called.add(part.func.id)
            elif isinstance(part, ast.Name):
                named.add(part.id)
        for name in called - set(FUNCTIONS):
            raise ValueError(f"unknown function '{name}': expected one of {', '.join(FUNCTIONS)}")
        unknown = sorted(named - called - set(known))
        if unknown:
            raise ValueError(f"unknown name '{unknown[0]}': expected one of {', '.join(known)}")
        return named - called


def tensor_functions() -> dict[str, Any]:
    """Return `FUNCTIONS` for tensors; `min` and `max` take several, some of them floats."""
    import torch

    def of_two(two: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        def folded(first: Any, *others: Any) -> Any:
            for other in others:
                pair = torch.as_tensor(first), torch.as_tensor(other)
                kind = torch.promote_types(pair[0].dtype, pair[1].dtype)
                first = two(pair[0].to(kind), pair[1].to(kind))
            return first

        return folded

    def on_tensor(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: function(torch.as_tensor(value))

    named = ("abs", "cos", "exp", "log", "sin", "sqrt", "square", "tan", "tanh")
    found: dict[str, Any] = {name: on_tensor(getattr(torch, name)) for name in named}
    return {**found, "min": of_two(torch.minimum), "max": of_two(torch.maximum)}
