"""`mbmrl train`: data in, model folder out."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ros_mbmrl.adaptation import METHODS, check_method
from ros_mbmrl.data import dataset
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.methods import learns_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.untrusted import read_yaml

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

TWIN = Path("twin")  # in place of a data set: gather the data on the twin


def run(arguments: Train) -> dict[str, Any]:
    """Train and write the folder of the model or the policy; the results hold its scores."""
    if learns_policy(arguments.method):
        from ros_mbmrl.commands.policies import train_policy

        return train_policy(arguments)
    check_method(arguments.method)  # refused before anything is written
    if not arguments.data:
        raise UserError("data: expected data sets, recordings, or `twin`")
    for name in ("task", "budget"):
        if getattr(arguments, name):
            raise UserError(f"{name}: expected none: method {arguments.method} learns no policy")
    robot = make_robot(arguments.robot)
    config = read_recipe(arguments.recipe, arguments.method, arguments.seed)
    if arguments.device != "cpu":
        choose_device(arguments.device)
    on_twin = list(arguments.data) == [TWIN]
    if not on_twin and arguments.situations:
        raise UserError("situations: expected `--data twin`, data that there are have theirs")
    given = None if on_twin else dataset.load_each(arguments.data)
    # It imports torch, which takes seconds: only now that there is something to train on.
    from ros_mbmrl.commands.training import train

    return train(robot, config, arguments, given)


def read_recipe(path: Path | None, method: str, seed: int) -> TrainConfig:
    """Read settings from a YAML file; an unknown name or a wrong value is a UserError.

    A section named by the method overrides what stands outside of sections.
    """
    config = TrainConfig(method=method, seed=seed)
    if path is None:
        return config
    settings = read_yaml(path)
    if not isinstance(settings, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings")
    common = {key: value for key, value in settings.items() if key not in METHODS}
    own = settings.get(method) or {}
    if not isinstance(own, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings under {method}")
    merged = {**common, **own}
    known = {f.name for f in fields(TrainConfig)} - {"method", "seed"}  # arguments say these
    for name in merged:
        choose(f"setting in {path.name}", name, known)
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in merged.items()}
    try:
        return replace(config, **lists)
    except (TypeError, ValueError) as error:
        raise UserError(f"recipe {path}: {error}") from None
