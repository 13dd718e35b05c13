"""Job of `mbmrl train` for a method that learns a policy: settings, training, policy folder."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.commands.training import Reporter
from ros_mbmrl.dynamics.card import POLICY_MODEL
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import CHECKPOINT
from ros_mbmrl.methods import make_method, with_trainer
from ros_mbmrl.plugins import expected, imported
from ros_mbmrl.policies.files import save_policy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation
from ros_mbmrl.untrusted import read_yaml

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

# Arguments that a policy's training would not heed.
OF_MODELS = ("terrains", "untouched", "cluster", "tune_on", "held_out", "rounds", "device")
GIVEN = ("method", "seed")  # by arguments, not by a recipe


def train_policy(arguments: Train) -> dict[str, Any]:
    """Train the policy and write its folder; return the folder and the curve."""
    torch.set_num_threads(1)
    _refuse_unheeded(arguments)
    robot = make_robot(arguments.robot)
    tasks = tasks_for(robot, arguments)
    value = make_method(arguments.method).trainer
    trainer: PolicyMethod = imported(value)
    expected(value, "a PolicyMethod", isinstance(trainer, PolicyMethod), trainer)
    config = trainer.config(seed=arguments.seed)
    if arguments.recipe is not None:
        config = with_recipe(config, arguments.recipe, arguments.method)
    if arguments.budget:
        config = replace(config, budget=arguments.budget)
    if arguments.fresh:
        (arguments.out / CHECKPOINT).unlink(missing_ok=True)
    with Reporter(arguments.out, f"{arguments.method} on {robot.spec.name}") as report:
        trained = trainer.train(tasks, config, arguments.out, report)
    write(arguments, robot, config, trained)
    curve = [asdict(point) for point in trained.curve]
    print(f"{arguments.out}: return {curve[-1]['mean_return']:.1f}")
    return {"policy": str(arguments.out), "curve": curve}


def write(arguments: Train, robot: Robot, config: Any, trained: TrainedPolicy) -> None:
    """Write the policy's folder, and in it the folder of the model that it learned in."""
    facts = {
        "method": arguments.method,
        "seed": arguments.seed,
        "training": plain(asdict(config)),
        "command": shlex.join(["mbmrl", *sys.argv[1:]]),
    }
    save_policy(arguments.out, robot, trained, facts)
    if trained.model is not None:
        model = facts_of(config.model, {}, GuardConfig.min_transitions)
        save_model(arguments.out / POLICY_MODEL, *trained.model, model)


def tasks_for(robot: Robot, arguments: Train) -> Tasks:
    """Return the episodes of a robot's twin: as it should be, or in the situations given.

    Raises:
        UserError: it has no such twin, or no such task or situation.
    """
    name = robot.spec.name
    choose("robot with a twin to learn a policy on", name, set(ROBOTS.values()))
    choose("task", arguments.task or robot.tasks()[0], robot.tasks())
    known = [each for each, whose in ROBOTS.items() if whose == name]
    for each in arguments.situations:
        choose(f"situations of robot '{name}'", each, known)

    def draw(rng: np.random.Generator) -> Situation:
        if not arguments.situations:
            return Situation()
        return TRAINING[str(rng.choice(arguments.situations))](rng)

    models = models_of(name)
    return Tasks(robot, draw, partial(make_simulated, name, models=models), models.simulation.goals)


def with_recipe(config: Any, path: Path, method: str) -> Any:
    """Return the settings with what a YAML file says; a section named by the method wins.

    Raises:
        UserError: an unknown name or a wrong value.
    """
    settings = read_yaml(path)
    if not isinstance(settings, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings")
    common = {name: value for name, value in settings.items() if name not in with_trainer()}
    own = settings.get(method) or {}
    if not isinstance(own, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings under {method}")
    try:
        return changed(config, {**common, **own}, path.name)
    except (TypeError, ValueError) as error:
        raise UserError(f"recipe {path}: {error}") from None


def changed(config: Any, settings: Mapping[str, Any], where: str) -> Any:
    """Return a dataclass with some fields replaced; a mapping changes those of a nested one."""
    known = {each.name for each in fields(config)} - set(GIVEN)
    found: dict[str, Any] = {}
    for name, value in settings.items():
        choose(f"setting in {where}", name, known)
        old = getattr(config, name)
        if is_dataclass(old):
            if not isinstance(value, dict):
                raise ValueError(f"{name}: expected a mapping of settings, got {value!r}")
            found[name] = changed(old, value, where)
        else:
            found[name] = tuple(value) if isinstance(value, list) else value
    return replace(config, **found)


def plain(settings: Any) -> Any:
    """Return settings as YAML has them: lists in place of tuples."""
    if isinstance(settings, Mapping):
        return {name: plain(value) for name, value in settings.items()}
    return [plain(each) for each in settings] if isinstance(settings, (tuple, list)) else settings


def _refuse_unheeded(arguments: Train) -> None:
    """Raise UserError for an argument that is for models alone."""
    defaults = {
        each.name: each.default for each in fields(arguments) if each.default is not MISSING
    }
    for name in OF_MODELS:
        if getattr(arguments, name) != defaults[name]:
            raise UserError(
                f"{name.replace('_', '-')}: expected none: method {arguments.method} learns a "
                "policy, on data of its own"
            )
    if arguments.data and [str(path) for path in arguments.data] != ["twin"]:
        raise UserError(f"data: expected none: method {arguments.method} gathers its own")
