"""Arguments of `mbmrl tune`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Count, EpisodeSeconds, Few, Whole, Workers
from ros_mbmrl.arguments.shipped import ModelFolder


@dataclass(frozen=True)
class Tune:
    """Choose a method's test-time settings in closed loop, on faults reserved for that.

    Step sizes, steps, gain, window and start; the record of every candidate is kept in the card.
    """

    model: Positional[Annotated[ModelFolder, arg(metavar="MODEL")]]
    """Model folder, or a shipped model by name, such as hexapod/mb."""
    out: Path
    """Folder of the tuned model; finished parts of an interrupted run are not run again."""
    method: str | None = None
    """Method to tune on the model, for example mb_de or residual on mb; default: its own."""
    data: tuple[Path, ...] = ()
    """Data sets of validation faults, to leave out options that predict badly; default: a coarse
    grid goes directly into closed loop.
    """
    experiment: str = "hexapod-validation"
    """Experiment to run; results must not be reported on the faults used for the choice."""
    seeds: Few = 2
    """Paired episodes of a condition and path, for the best two; the others get one."""
    first_seed: Whole = 500
    """The first of these seeds."""
    duration: EpisodeSeconds = 15.0
    """Length of an episode [s]."""
    finalists: Count = 6
    """Candidates that go from the data into closed loop, beside the present settings."""
    workers: Workers = 2
    """Processes that run episodes, one thread each."""
    cluster: str = ""
    """Run the episodes as tasks of ray (the extra cluster): an address, `auto`, or `local`."""
    like: ModelFolder | None = None
    """Choose nothing: take over the settings of this model, of another training seed."""
    json: Path | None = None
    """Write the results to this file."""
