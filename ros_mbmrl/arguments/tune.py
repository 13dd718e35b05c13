"""Arguments of `mbmrl tune`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Count, EpisodeSeconds, Few, Whole, Workers


@dataclass(frozen=True)
class Tune:
    """Choose a method's test-time settings in closed loop, on faults kept for that.

    Step sizes, steps, gain, window and start; the record of every candidate ships in the card.
    """

    model: Positional[Path]
    """Model folder."""
    out: Path
    """Folder of the tuned model; what an interrupted run left in it is not run again."""
    method: str | None = None
    """Method to tune on the model, as mb_de or residual on mb; its own by default."""
    data: tuple[Path, ...] = ()
    """Data sets of validation faults, to leave out options that predict badly; without any, a
    coarse grid goes straight into closed loop."""
    experiment: str = "hexapod-validation"
    """What is driven; whatever is chosen on must not be reported on."""
    seeds: Few = 2
    """Paired episodes a condition and path, for the best two; the rest get one."""
    first_seed: Whole = 500
    """The first of them."""
    duration: EpisodeSeconds = 15.0
    """Length of an episode [s]."""
    finalists: Count = 6
    """How many go from the data into closed loop, beside the settings as they are."""
    workers: Workers = 2
    """Processes that run episodes, one thread each."""
    cluster: str = ""
    """Run them as tasks of ray (the extra cluster): an address, `auto`, or `local`."""
    like: Path | None = None
    """Choose nothing: take over what was chosen for this model, of another training seed."""
    json: Path | None = None
    """Write the results to this file."""
