"""`mbmrl view RUN`: figures of an asynchronous run in the browser, while it runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ros_mbmrl.runtime.signals import ended_by_signals
from ros_mbmrl.view.address import Address, greeting
from ros_mbmrl.view.diagnostics import topic_of
from ros_mbmrl.view.things import Figures, Shown

if TYPE_CHECKING:
    from ros_mbmrl.arguments.view import View as Arguments

EVERY = 1.0  # [s] between looks at the run's folder
TRAJECTORIES = "trajectories"  # folder that only a run has


def is_run(path: Path) -> bool:
    """Return whether a path is the folder of an asynchronous run."""
    return (path / TRAJECTORIES).is_dir()


def show_run(arguments: Arguments) -> dict[str, Any]:
    """Serve the figures of a run until Ctrl-C, or once; return the last ones.

    Raises:
        UserError: the address cannot be used.
    """
    from ros_mbmrl.learning.asynchronous.run_figures import run_figures
    from ros_mbmrl.learning.asynchronous.servers import Servers
    from ros_mbmrl.view.server import Server

    folder = arguments.recording
    servers, stopped = Servers(folder), threading.Event()
    server = Server(folder.name, Address(arguments.host, arguments.port))
    figures: dict[str, dict[str, object]] = {}
    try:
        server.start()
        print(greeting(server.address, server.link()), flush=True)
        with ended_by_signals(stopped.set):  # a normal end, with results
            while not stopped.is_set():
                figures = run_figures(servers)
                for name, values in figures.items():
                    shown = Shown(topic_of(f"learning: {name}"), _plotted(values), latched=True)
                    server.show(shown, time.time_ns())
                if arguments.once:
                    break
                stopped.wait(EVERY)
    finally:
        server.close()
    return {"figures": figures}


def _plotted(values: dict[str, object]) -> Figures:
    return {k: v for k, v in values.items() if isinstance(v, bool | int | float | str)}
