"""Reporter of `mbmrl train`: a progress bar, TensorBoard, and a tracker if one was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ros_mbmrl.learning.tracking import Silent, TensorBoard, Tracker

FILES = "tensorboard"  # folder in that of what is trained


class Reporter:
    """Tells how a training goes: a `learning.run.Progress` and a context manager.

    Args:
        out: folder of what is trained.
        title: printed at the beginning.
        tracker: of the whole training, which it does not close.
        prefix: of the phases' names there.
    """

    def __init__(
        self, out: Path, title: str, tracker: Tracker | None = None, prefix: str = ""
    ) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._title, self._out, self._prefix = title, out, prefix
        self._tasks: dict[str, Any] = {}
        self._tracker: Tracker = Silent() if tracker is None else tracker
        self._board: Tracker = Silent()

    def __enter__(self) -> Reporter:
        self._board = TensorBoard(self._out / FILES)
        print(self._title)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        self._board.close()

    def __call__(self, phase: str, step: int, total: int, scalars: Mapping[str, float]) -> None:
        """See `learning.run.Progress`."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bar.add_task(phase, total=total)
        if not self._bar.console.is_terminal:
            print(f"{phase} {step}/{total}: {scalars['after']:.4f}", flush=True)
        text = f"{phase}: before {scalars['before']:.4f} after {scalars['after']:.4f}"
        self._bar.update(self._tasks[phase], completed=step, description=text)
        self._board.log(phase, step, scalars)
        self._tracker.log(f"{self._prefix}{phase}", step, scalars)


def how_to_watch(out: Path) -> str:
    """Return the line that says how to see the curves of a training in its folder."""
    if any(out.rglob("events.out.tfevents.*")):
        return f"curves: tensorboard --logdir {out}"
    return "no curves: TensorBoard is not installed: pip install 'ros_mbmrl[train]'"
