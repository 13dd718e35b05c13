"""`mbmrl train`: data in, model folder out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.aggregation import aggregate, configured, practice_of
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import Trained, Trainer, new_model
from ros_mbmrl.learning.models.warm_start import carried
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.learning.tune import grid_of, tune
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.untrusted import read_yaml

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

CHECKPOINT = "checkpoint.safetensors"
TWIN = Path("twin")  # in place of a data set: gather the data on the twin


def run(arguments: Train) -> dict[str, Any]:
    """Trains and writes the model folder; the results hold its scores."""
    make_rule(arguments.method)  # refused before anything is written
    robot = make_robot(arguments.robot)
    config = read_recipe(arguments.recipe, arguments.method, arguments.seed)
    device = choose_device(arguments.device)
    torch.set_num_threads(1)  # two threads on matrices this small only wait for each other
    paths, others, before = list(arguments.data), list(arguments.tune_on), None
    if paths == [TWIN]:
        paths, others, before = gather(robot, config, arguments)
        groups = [dataset.load([path]) for path in paths]
    elif arguments.situations:
        raise UserError("situations: expected `--data twin`, data that there are have theirs")
    else:
        groups = [dataset.load(paths)]
    groups = [wanted(group, arguments) for group in groups]
    training, validation = parted(groups, arguments)
    if arguments.fresh:
        (arguments.out / CHECKPOINT).unlink(missing_ok=True)
    with Reporter(arguments.out, f"{arguments.method} on {len(training)} runs") as report:
        trained = fit(robot, config, training, validation, arguments.out, report, device, before)
    facts = finish(robot, config, trained, dataset.load(others) if others else validation)
    facts["tuned_on"] = [path.name for path in others]
    facts["data"] = [provenance(path) for path in paths]
    # Also those it was chosen on: what is scored on must not have been looked at.
    facts["sessions"] = sorted({r.tags.get("session", "") for r in training + validation})
    facts["command"] = shlex.join(["mbmrl", *sys.argv[1:]])
    save_model(arguments.out, trained.model, trained.parameters, facts)
    print(f"{arguments.out}: {facts['scores']}")
    return {"model": str(arguments.out), **facts["scores"], "options": facts["options"]}


def wanted(rollouts: list[Rollout], arguments: Train) -> list[Rollout]:
    """Those on the named terrains, without the sessions that are left alone."""
    if arguments.terrains:
        rollouts = dataset.select(rollouts, terrain=arguments.terrains)
    if arguments.untouched:
        rollouts, _ = dataset.split(rollouts, by="session", held_out=arguments.untouched, seed=0)
    return rollouts


def parted(
    groups: Sequence[Sequence[Rollout]], arguments: Train
) -> tuple[list[Rollout], list[Rollout]]:
    """Training and validation runs, each group apart: more groups do not move the others' runs."""
    how: dict[str, Any] = {"held_out": arguments.held_out, "seed": arguments.seed + 1}
    parts = [dataset.split(group, by="session", **how) for group in groups]
    return [r for part, _ in parts for r in part], [r for _, part in parts for r in part]


def provenance(path: Path) -> dict[str, Any]:
    """What a card says of a data set."""
    rollouts = dataset.load([path])
    facts = {"name": path.name, "sha256": dataset.sha256_of(path), "runs": len(rollouts)}
    if any(r.tags.get("source") == "velociroach" for r in rollouts):
        facts["source"] = "logs of the real robot, sliu2019/sl_nn_dynamics_roach"
        facts["licence"] = "none is stated; the logs are not part of this project"
    return facts


def gather(
    robot: Robot, config: TrainConfig, arguments: Train
) -> tuple[list[Path], list[Path], LoadedModel | None]:
    """Data sets from the twin under `out`/data, on-policy rounds with models under `out`/rounds.

    The second list is for tuning: faults or situations that are neither trained on nor tested.
    The model is the last round's, to go on from; every round goes on from the one before it.
    """

    def model_of(k: int) -> LoadedModel | None:
        return load_model(arguments.out / "rounds" / str(k), robot) if k >= 0 else None

    def fit_round(paths: Sequence[Path], k: int) -> LoadedModel:
        folder = arguments.out / "rounds" / str(k)
        parts = parted([wanted(dataset.load([path]), arguments) for path in paths], arguments)
        if arguments.fresh:
            (folder / CHECKPOINT).unlink(missing_ok=True)
        device = choose_device(arguments.device)
        with Reporter(folder, f"model of round {k + 1}") as report:
            trained = fit(robot, config, *parts, folder, report, device, model_of(k - 1))
        facts = finish(robot, config, trained, parts[1])
        save_model(folder, trained.model, trained.parameters, facts)
        return load_model(folder, robot)

    def told(what: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            print(f"{what}: {done}/{total}", flush=True)

    twin = configured(robot, arguments.rounds, arguments.cluster, arguments.situations)
    data = arguments.out / "data"
    paths = aggregate(robot, twin, data, arguments.seed, fit_round, told)
    validation = data / "validation"
    if not validation.exists():
        dataset.save(validation, practice_of(robot).validation(robot, twin, arguments.seed))
    return paths, [validation], model_of(arguments.rounds - 1)


def fit(
    robot: Robot,
    config: TrainConfig,
    training: Sequence[Rollout],
    validation: Sequence[Rollout],
    out: Path,
    report: Callable[..., None],
    device: torch.device,
    before: LoadedModel | None = None,
) -> Trained:
    """One training run, resumed from the checkpoint in `out` if there is one.

    before: the last round's model, which it goes on from. Raises UserError if its network is
    another one.
    """
    data = Transitions.of(robot, training)
    model = new_model(data, config, robot)
    if before is not None and before.model.mlp != model.mlp:
        raise UserError(
            f"{out}: the last round's network is {before.model.mlp}, expected {model.mlp}; train "
            "into another folder"
        )
    held = Transitions.of(robot, validation)
    warm = None if before is None else carried(before.parameters, before.model, model)
    return Trainer(model, config, data, held, report, out / CHECKPOINT, warm, device).run()


def finish(
    robot: Robot, config: TrainConfig, trained: Trained, tuning: Sequence[Rollout]
) -> dict[str, Any]:
    """What the card says of a trained model beside the robot's interface."""
    options, scores = dict(config.options), dict(trained.scores)
    facts: dict[str, Any] = {"method": config.method}
    window = max(config.adapt_windows)
    if grid_of(config.method).options:
        held = Transitions.of(robot, tuning)
        options, record = tune(
            config.method, trained.model, trained.parameters, held, window, config.horizon, options
        )
        scores["open_loop_after"] = min(row["error"] for row in record)
        facts["tuning"] = record
    guard = GuardConfig()
    facts |= {
        "options": options,
        "adapt_window": window,
        "adapt_windows": list(config.adapt_windows),
        "predict_window": config.predict_window,
        "horizon": config.horizon,
        "guard": {"folds": guard.folds, "min_transitions": guard.min_transitions},
        "seed": config.seed,
        "scores": {name: round(value, 5) for name, value in scores.items()},
    }
    return facts


def read_recipe(path: Path | None, method: str, seed: int) -> TrainConfig:
    """Settings from a YAML file; an unknown name or a wrong value is a UserError.

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


class Reporter:
    """A progress bar, and TensorBoard scalars where TensorBoard is installed."""

    def __init__(self, out: Path, title: str) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._title, self._out = title, out
        self._tasks: dict[str, Any] = {}
        self._writer: Any = None

    def __enter__(self) -> Reporter:
        try:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._out / "tensorboard"))
        except ImportError:
            pass
        print(self._title)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    def __call__(self, phase: str, step: int, total: int, scalars: Mapping[str, float]) -> None:
        """See `training.meta.Progress`."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bar.add_task(phase, total=total)
        if not self._bar.console.is_terminal:
            print(f"{phase} {step}/{total}: {scalars['after']:.4f}", flush=True)
        text = f"{phase}: before {scalars['before']:.4f} after {scalars['after']:.4f}"
        self._bar.update(self._tasks[phase], completed=step, description=text)
        if self._writer is not None:
            for name, value in scalars.items():
                self._writer.add_scalar(f"{phase}/{name}", value, step)
