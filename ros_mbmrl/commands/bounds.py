"""`mbmrl bounds`: what theory guarantees for a trained model and policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError

if TYPE_CHECKING:
    from ros_mbmrl.arguments.bounds import Bounds
    from ros_mbmrl.evaluation.guarantees.bounds import Bound


def run(arguments: Bounds) -> dict[str, Any]:
    """Return inputs `{name, value, mean, how}` and bounds, see `guarantees.bounds.Bound`.

    Raises:
        UserError: neither a run nor a figure is asked for, or what the run does not have.
    """
    if arguments.run is None and arguments.figure is None:
        raise UserError("expected the folder of a run, or --figure")
    found: dict[str, Any] = {"inputs": [], "bounds": []}
    if arguments.run is not None:
        found = of_run(arguments)
    if arguments.figure is not None:
        from ros_mbmrl.evaluation.guarantees.figure_4 import draw

        draw(arguments.figure)
        print(f"figure: {arguments.figure}")
        found["figure"] = str(arguments.figure)
    return found


def of_run(arguments: Bounds) -> dict[str, Any]:
    """Estimate the inputs, print the tables, and return both."""
    import torch  # takes seconds

    from ros_mbmrl.evaluation.guarantees.bounds import as_rows, bounds_of, inputs_of
    from ros_mbmrl.evaluation.guarantees.estimate import estimate
    from ros_mbmrl.evaluation.guarantees.trained_run import load_run

    assert arguments.run is not None
    torch.set_num_threads(1)
    loaded = load_run(arguments.run, arguments.data)
    own = arguments.horizon, arguments.noise, arguments.discount, arguments.seed
    known = estimate(loaded, *own)
    inputs, bounds = inputs_of(known), bounds_of(known)
    show(inputs, bounds)
    return {"run": str(arguments.run), "inputs": inputs, "bounds": as_rows(bounds)}


def show(inputs: Sequence[dict[str, Any]], bounds: Sequence[Bound]) -> None:
    """Print the inputs, and the bounds with the reason where there is none."""
    from ros_mbmrl.evaluation.html import Table
    from ros_mbmrl.evaluation.tables import printed, wide_console

    console = wide_console()
    cells = [(r["name"], _number(r["value"]), _number(r["mean"]), r["how"]) for r in inputs]
    console.print(printed(Table(("input", "value", "mean", "estimated"), cells, "Inputs")))
    rows = [
        (b.name, b.source, b.says, _number(b.value), _number(b.of_means), _verdict(b))
        for b in bounds
    ]
    columns = ("bound", "source", "on", "value", "of mean errors", "says")
    console.print(printed(Table(columns, rows, "Bounds")))
    telling = sum(bound.vacuous is False for bound in bounds)
    console.print(f"{telling} of {len(bounds)} bounds say more than holds for any policy")


def _verdict(bound: Bound) -> str:
    """Return what a bound says of the policy, in words."""
    if bound.value is None:
        return bound.why
    if bound.vacuous:
        return "vacuous: true of any two returns"
    if bound.guaranteed is None:
        return "holds, as far as the inputs do"
    return f"the policy earns {bound.guaranteed:.4g} at least, as far as the inputs hold"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
