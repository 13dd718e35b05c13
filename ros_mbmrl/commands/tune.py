"""`mbmrl tune`: a rule's test-time settings, chosen in closed loop on validation faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ros_mbmrl.dynamics.card import read_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.experiments import Experiment, cells, make_experiment

if TYPE_CHECKING:
    from ros_mbmrl.arguments.tune import Tune


def run(arguments: Tune) -> dict[str, Any]:
    """Search, and write the model folder with the settings of the lowest cross-track error."""
    experiment = make_experiment(arguments.experiment)
    check(arguments, experiment)
    # It imports torch, which takes seconds: only now that there is something to tune.
    from ros_mbmrl.commands.tuning import tune

    return tune(arguments, experiment)


def check(arguments: Tune, experiment: Experiment) -> None:
    """Refuse arguments that do not fit the experiment, and make the output folder.

    Raises:
        UserError: no episodes, a model of another robot, or an unsuitable output folder.
    """
    cells(experiment, arguments.seeds, arguments.first_seed, arguments.duration)
    made_for = read_card(arguments.model).get("robot")
    if made_for != experiment.robot:
        raise UserError(f"{experiment.name} is for {experiment.robot}, the model for {made_for}")
    if arguments.out.resolve() == arguments.model.resolve():
        raise UserError(f"out: expected another folder than the model's, got {arguments.out}")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"out: {error}") from None
