"""Live view of an asynchronous run: a table in the terminal, TensorBoard, and a tracker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ros_mbmrl.commands.reporter import FILES
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.progress import scalars
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.tracking import Silent, TensorBoard, Tracker

COLUMNS = ("worker", "does", "turns", "model", "policy", "behind", "idle [s]", "figures")
APART = ("behind", "version", "stopped")  # figures that are not in the last column


class View:
    """Shows how a run goes: a `Told` and a context manager.

    Args:
        job: of the run.
        title: printed at the beginning.
        tracker: of the run, which it does not close.
        console: to draw on; None: the terminal.
        clock: when it draws again [s].
    """

    def __init__(
        self,
        job: Job,
        title: str,
        tracker: Tracker | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job, self._title, self._clock = job, title, clock
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._tracker: Tracker = Silent() if tracker is None else tracker
        self._board: Tracker = Silent()
        self._logged = len(job.servers().data)
        self._drawn = -1.0

    def __enter__(self) -> View:
        self._board = TensorBoard(self._job.run / FILES)
        self._console.print(self._title, highlight=False)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._show(self._job.servers())
        self._live.stop()
        self._board.close()

    def __call__(self, servers: Servers) -> None:
        """See `Told`: draw once a second, log once a trajectory."""
        count = len(servers.data)
        if count > self._logged:
            self._log(servers, count)
        if self._clock() - self._drawn >= 1.0:
            self._show(servers)

    def _show(self, servers: Servers) -> None:
        self._drawn = self._clock()
        if self._console.is_terminal:
            self._live.update(picture(servers, self._job.trajectories), refresh=True)

    def _log(self, servers: Servers, count: int) -> None:
        """Log new trajectories and the workers' figures, with the trajectories as the step."""
        for number in range(self._logged, count):
            facts = servers.data.facts(number)
            own = {"return": float(facts["episode_return"])}
            for version in ("model_version", "policy_version"):
                if facts[version] is not None:
                    own[version] = float(facts[version])
            self._send("trajectory", number + 1, own)
            if not self._console.is_terminal:
                line = f"trajectory {number + 1}/{self._job.trajectories}: {own['return']:.4f}"
                self._console.print(line, highlight=False)
        self._logged = count
        for worker, numbers in scalars(servers).items():
            self._send(worker, count, numbers)

    def _send(self, phase: str, step: int, numbers: dict[str, float]) -> None:
        for tracker in (self._board, self._tracker):
            tracker.log(phase, step, numbers)


def picture(servers: Servers, total: int) -> Group:
    """Return what the terminal shows: trajectories so far, and how each worker is."""
    count = len(servers.data)
    table = Table(*COLUMNS, box=None)
    for name, beat in servers.heartbeats().items():
        table.add_row(*_row(name, beat))
    return Group(Text(f"trajectories {count}/{total}"), ProgressBar(total, count, 40), table)


def _row(name: str, beat: dict[str, Any]) -> list[str]:
    versions, figures = beat.get("versions", {}), beat.get("figures", {})
    shown = ", ".join(f"{k} {v:.4g}" for k, v in figures.items() if k not in APART)
    return [
        name,
        str(beat.get("phase", "")),
        str(beat.get("turns", "")),
        str(versions.get("model", "")),
        str(versions.get("policy", "")),
        f"{figures['behind']:.0f}" if "behind" in figures else "",
        f"{beat.get('idle_s', 0.0):.1f}",
        shown,
    ]
