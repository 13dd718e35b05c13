"""Trackers of a training: where its scalars go, one interface for TensorBoard and for services.

Each is fed by the reporter of `mbmrl train` and writes by its own library, which is imported when a
training begins. What may leave this machine is that library's own setting: `WANDB_MODE=offline`,
`MLFLOW_TRACKING_URI`, and Trackio keeps its runs here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from ros_mbmrl.errors import UserError, choose

PROJECT = "ros_mbmrl"
Config = Mapping[str, Any]


class Tracker(Protocol):
    """Place that the scalars of a training go to."""

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """Take in scalars of a phase at a step of it."""

    def close(self) -> None:
        """Write what is not written yet."""


class TensorBoard:
    """Scalars as TensorBoard's files; nothing where TensorBoard is not installed.

    Args:
        folder: of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder))

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        if self._writer is not None:
            for name, value in scalars.items():
                self._writer.add_scalar(f"{phase}/{name}", value, step)

    def close(self) -> None:
        """See `Tracker.close`."""
        if self._writer is not None:
            self._writer.close()


class Silent:
    """Tracker that keeps nothing."""

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """See `Tracker.log`."""

    def close(self) -> None:
        """See `Tracker.close`."""


class Wandb:
    """Run of Weights & Biases; its files are in the training's folder."""

    def __init__(self, out: Path, config: Config) -> None:
        import wandb

        own = {"project": PROJECT, "name": out.name, "dir": str(out), "config": dict(config)}
        self._run = wandb.init(**own)
        self._phases: set[str] = set()

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """See `Tracker.log`.

        Each phase counts its own steps from 1, and the run's own counter may not go back.
        """
        if phase not in self._phases:
            self._phases.add(phase)
            self._run.define_metric(f"{phase}/*", step_metric=f"{phase}/step")
        self._run.log({f"{phase}/step": step, **_named(phase, scalars)})

    def close(self) -> None:
        """See `Tracker.close`."""
        self._run.finish()


class Trackio:
    """Run of Trackio, which is kept on this machine."""

    def __init__(self, out: Path, config: Config) -> None:
        import trackio

        self._library = trackio
        trackio.init(project=PROJECT, name=out.name, config=dict(config))

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """See `Tracker.log`; each phase counts its own steps."""
        self._library.log({f"{phase}/step": step, **_named(phase, scalars)})

    def close(self) -> None:
        """See `Tracker.close`."""
        self._library.finish()


class MLflow:
    """Run of MLflow, in the store that its own environment variables name."""

    def __init__(self, out: Path, config: Config) -> None:
        import mlflow

        self._library = mlflow
        mlflow.set_experiment(PROJECT)
        mlflow.start_run(run_name=out.name)
        mlflow.log_params(dict(config))

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        self._library.log_metrics(_named(phase, scalars), step=step)

    def close(self) -> None:
        """See `Tracker.close`."""
        self._library.end_run()


TRACKERS: Mapping[str, Callable[[Path, Config], Tracker]] = MappingProxyType(
    {"wandb": Wandb, "trackio": Trackio, "mlflow": MLflow}
)


def check_tracker(name: str) -> None:
    """Refuse a tracker that is not known or not installed; empty is none.

    Raises:
        UserError: it is unknown, or pip must install it first.
    """
    if not name:
        return
    choose("tracker", name, TRACKERS)
    if find_spec(name) is None:
        raise UserError(f"track: {name} is not installed: pip install 'ros_mbmrl[{name}]'")


@contextmanager
def tracking(name: str, out: Path, config: Config) -> Iterator[Tracker]:
    """Give the tracker called `name`, and close it at the end.

    Args:
        name: one of TRACKERS; empty for none.
        out: folder of the training; the run has its name.
        config: settings that are shown with the run.

    Raises:
        UserError: see `check_tracker`.
    """
    check_tracker(name)
    if name:
        out.mkdir(parents=True, exist_ok=True)
    tracker = TRACKERS[name](out, config) if name else Silent()
    try:
        yield tracker
    finally:
        tracker.close()


def _named(phase: str, scalars: Mapping[str, float]) -> dict[str, float]:
    return {f"{phase}/{name}": float(value) for name, value in scalars.items()}
