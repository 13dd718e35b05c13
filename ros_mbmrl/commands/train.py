"""`mbmrl train`: data in, model folder out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ros_mbmrl.adaptation import check_method
from ros_mbmrl.arguments.train import Train
from ros_mbmrl.commands.recipe import read_settings, told
from ros_mbmrl.data import dataset
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.tracking import check_tracker
from ros_mbmrl.methods import learns_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.device import choose_device

TWIN = Path("twin")  # in place of a data set: gather the data on the twin


def run(arguments: Train) -> dict[str, Any]:
    """Train and write the folder of the model or the policy; the results hold its scores."""
    check_tracker(arguments.track)
    if arguments.asynchronous:
        from ros_mbmrl.commands.asynchronous import train_asynchronously

        return train_asynchronously(arguments)
    for name in ("in_turn", "collectors", "graph"):
        if getattr(arguments, name) != getattr(Train, name):
            raise UserError(f"{name.replace('_', '-')}: expected --asynchronous beside it")
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
    config = read_recipe(arguments.recipe, arguments.method, arguments.seed, arguments.set)
    if arguments.device != "cpu":
        choose_device(arguments.device)
    on_twin = list(arguments.data) == [TWIN]
    if not on_twin and arguments.situations:
        raise UserError("situations: expected `--data twin`, data that there are have theirs")
    given = None if on_twin else dataset.load_each(arguments.data)
    # It imports torch, which takes seconds: only now that there is something to train on.
    from ros_mbmrl.commands.training import train

    return train(robot, config, arguments, given)


def read_recipe(
    path: Path | None,
    method: str,
    seed: int,
    words: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> TrainConfig:
    """Return the settings of a training, from a recipe and from words on top of it.

    Args:
        path, method, words: see `read_settings`.
        seed: of all random numbers.
        beside: sections that are not the training's.

    Raises:
        UserError: an unknown name, or a wrong value.
    """
    known = {f.name for f in fields(TrainConfig)} - {"method", "seed"}  # arguments say these
    merged = {k: v for k, v in read_settings(path, method, words).items() if k not in beside}
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in merged.items()}
    given = [word.partition("=")[0].partition(".")[0] for word in words]
    given = [name for name in given if name not in beside]
    for name in merged:
        if path is not None and name not in given:
            choose(f"setting in {path.name}", name, known)
    try:
        for name in given:
            choose("setting", name, known)
        return replace(TrainConfig(method=method, seed=seed), **lists)
    except (TypeError, ValueError) as error:  # a UserError is a ValueError
        raise told(path, words, error) from None
