"""Arguments of `mbmrl score`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Count, Few, Seed
from ros_mbmrl.arguments.shipped import ModelFolder


@dataclass(frozen=True)
class Score:
    """Compute open-loop prediction errors on recorded data: prior and adapted, per tag."""

    models: Positional[Annotated[tuple[ModelFolder, ...], arg(metavar="MODEL [MODEL ...]")]]
    """Model folders, or shipped models by name, such as hexapod/grbal; all are judged on the same
    windows.
    """
    data: tuple[Path, ...]
    """Data sets, recordings, or folders of recordings."""
    horizons: tuple[Few, ...] = (1, 8)
    """Steps ahead."""
    tag: str = "terrain"
    """Tag by which the rows are grouped."""
    sessions: str = "unseen"
    """`unseen` leaves out sessions on which a model was trained or chosen; `all` does not."""
    marked: bool = False
    """Only windows that adapt on a row marked by the import: gaps, jumps, implausible telemetry."""
    guard: bool = True
    """Let the guard refuse updates."""
    calibration: bool = False
    """Judge predicted intervals, too: coverage, and detection of changes. For models with Gaussian
    heads or a latent variable."""
    seed: Seed = 0
    """Seed of the particles that intervals are made of."""
    windows: tuple[Count, ...] = ()
    """Instead of all else, compare updates of one model from so many transitions, over breaks
    between a session's runs, with settings chosen by evidence; beside them the bound, an update
    from the rest of the run. Horizons are 1 and T1."""
    methods: tuple[str, ...] = ("residual", "last_layer", "kalman_last_layer")
    """With --windows: update rules to compare."""
    chosen_on: tuple[str, ...] = ()
    """With --windows: the tag's values on whose runs settings are chosen, as those trained on."""
    out: Path | None = None
    """Folder of a report with pictures; default: no report."""
    json: Path | None = None
    """Write the results to this file."""
