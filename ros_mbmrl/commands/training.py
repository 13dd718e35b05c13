"""Job of `mbmrl train`, once its arguments are checked: Algorithm 9, and the model's card."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.commands.reporter import Reporter, how_to_watch
from ros_mbmrl.data import dataset, files, selection
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.aggregation import Collection, configured
from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import Trained
from ros_mbmrl.learning.models.value import value_of_rounds
from ros_mbmrl.learning.rounds import Data, fit_model, meta_train
from ros_mbmrl.learning.run import CHECKPOINT
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tracking import Tracker, tracking
from ros_mbmrl.learning.tune import grid_of, tune
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.robots.task import Task, is_stationary
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.runtime.kept import plain

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

Given = list[list[Rollout]]  # the rollouts of each data set


def train(
    robot: Robot, config: TrainConfig, arguments: Train, given: Given | None
) -> dict[str, Any]:
    """Train and write the model folder.

    Args:
        robot: of the model.
        config: of the training.
        arguments: of the command.
        given: the data sets that the arguments name; None to gather them on the twin.

    Returns:
        The model's folder, scores and options.
    """
    torch.set_num_threads(1)  # two threads on matrices this small only wait for each other
    device = choose_device(arguments.device)
    if config.value and (given is not None or not is_stationary(task_of(robot))):
        raise UserError(
            "value: expected --data twin of a robot whose task is the same at any time, such as "
            "half_cheetah or ant"
        )
    source = collection(robot, arguments) if given is None else given
    with tracking(arguments.track, arguments.out, plain(asdict(config))) as tracker:
        loaded = Job(robot, config, device, arguments, source, tracker).learn()
    scores = dict(loaded.card["scores"])
    print(f"{arguments.out}: {scores}")
    print(how_to_watch(arguments.out))
    return {"model": str(arguments.out), **scores, "options": loaded.card["options"]}


def task_of(robot: Robot) -> Task:
    """Return the first of a robot's tasks, from a start at rest."""
    return robot.make_task(robot.tasks()[0], np.zeros(len(robot.spec.state)))


def collection(robot: Robot, arguments: Train) -> Collection:
    """Return the data sets from the twin, under `out`/data."""

    def told(what: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{what}: {done}/{total}", flush=True)

    labelled = make_rule(arguments.method).labelled
    own = (arguments.rounds, arguments.cluster, arguments.situations, labelled)
    config = configured(robot, *own)
    return Collection(robot, config, arguments.out / "data", arguments.seed, told)


@dataclass(frozen=True)
class Job:
    """A training, in rounds on what a twin's collection gathers, or from data that are there."""

    robot: Robot
    config: TrainConfig
    device: torch.device
    arguments: Train
    source: Collection | Given
    tracker: Tracker

    @property
    def twin(self) -> Collection | None:
        """Return who gathers; None if data are there."""
        return self.source if isinstance(self.source, Collection) else None

    def folder(self, k: int) -> Path:
        """Return the folder of the model of round k: the last one's is the command's own."""
        out = self.arguments.out
        return out / "rounds" / str(k) if self.twin and k < self.twin.config.rounds else out

    def learn(self) -> LoadedModel:
        """Run Algorithm 9; data that there are have no rounds."""
        split = partial(parted, arguments=self.arguments)
        if not isinstance(self.source, Collection):
            rollouts = list(chain.from_iterable(self.source))
            return meta_train(0, lambda *_: rollouts, split, self.fit, [0])
        twin = self.source
        rounds, fits, first = twin.config.rounds, twin.fits, None
        if fits[0]:
            first = load_model(self.folder(fits[0] - 1), self.robot)
        return meta_train(rounds, twin.gather, split, self.fit, fits, first)

    def fit(self, k: int, data: Data, before: LoadedModel | None) -> LoadedModel:
        """Fit and save the model of round k, resumed from the checkpoint in its folder."""
        folder, title, tune_on = self.folder(k), f"model of round {k + 1}", list[Path]()
        if last := folder == self.arguments.out:
            title = f"{self.config.method} on {len(data.training)} runs"
            tune_on = [self.twin.validation()] if self.twin else list(self.arguments.tune_on)
        checkpoint = folder / CHECKPOINT
        if self.arguments.fresh:
            checkpoint.unlink(missing_ok=True)
        prefix = "" if last else f"round {k + 1}/"
        with Reporter(folder, title, self.tracker, prefix) as report:
            own = (self.robot, self.config, data, before)
            trained = fit_model(*own, report, checkpoint, self.device)
        tuning = dataset.load(tune_on) if tune_on else data.held
        facts = finish(self.robot, self.config, trained, tuning)
        if last:
            facts |= self.origin(data, tune_on)
        save_model(folder, trained.model, trained.parameters, facts, self.value(k, before))
        return load_model(folder, self.robot)

    def value(self, k: int, before: LoadedModel | None) -> ValueFunction | None:
        """Return the value function of the runs up to round k, if the recipe asks for one."""
        if not self.config.value or self.twin is None:
            return None
        known = None if before is None else before.value
        rounds = self.twin.paths[1 : k + 1]
        return value_of_rounds(self.robot, task_of(self.robot), rounds, self.config.seed, known)

    def origin(self, data: Data, tune_on: Sequence[Path]) -> dict[str, Any]:
        """Return what the model was made from, for its card."""
        return {
            "tuned_on": [path.name for path in tune_on],
            "data": list(map(provenance, *self.sets())),
            # Also those it was chosen on: what is scored on must not have been looked at.
            "sessions": sorted({r.tags.get("session", "") for r in (*data.training, *data.held)}),
            "command": shlex.join(["mbmrl", *sys.argv[1:]]),
        }

    def sets(self) -> tuple[Sequence[Path], Given]:
        """Return the data sets trained on: their paths, and the rollouts of each."""
        if isinstance(self.source, Collection):
            return self.source.paths, dataset.load_each(self.source.paths)
        return self.arguments.data, self.source


def parted(
    rollouts: Sequence[Rollout], arguments: Train
) -> tuple[Sequence[Rollout], Sequence[Rollout]]:
    """Return training and validation runs: on the named terrains, without untouched sessions."""
    found = list(rollouts)
    if arguments.terrains:
        found = selection.select(found, terrain=arguments.terrains)
    if arguments.untouched:
        found, _ = selection.split(found, by="session", held_out=arguments.untouched, seed=0)
    how: dict[str, Any] = {"held_out": arguments.held_out, "seed": arguments.seed + 1}
    return selection.split(found, by="session", **how)


def provenance(path: Path, rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Return the facts that a card states about a data set."""
    facts = {"name": path.name, "sha256": files.sha256_of(path), "runs": len(rollouts)}
    if any(r.tags.get("source") == "velociroach" for r in rollouts):
        facts["source"] = "logs of the real robot, sliu2019/sl_nn_dynamics_roach"
        facts["licence"] = "none is stated; the logs are not part of this project"
    return facts


def finish(
    robot: Robot, config: TrainConfig, trained: Trained, tuning: Sequence[Rollout]
) -> dict[str, Any]:
    """Return the facts of the card, once test-time settings are chosen on `tuning`."""
    options, scores, record = dict(config.options), dict(trained.scores), None
    if grid_of(config.method).options:
        held, window = Transitions.of(robot, tuning), max(config.adapt_windows)
        own = (config.method, trained.model, trained.parameters, held, window)
        options, record = tune(*own, config.horizon, options)
        scores["open_loop_after"] = min(row["error"] for row in record)
    facts = facts_of(config, scores, GuardConfig.min_transitions, options)
    return facts if record is None else {**facts, "tuning": record}
