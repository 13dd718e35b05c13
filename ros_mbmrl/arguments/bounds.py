"""Arguments of `mbmrl bounds`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Few, Number, Seed, Share


@dataclass(frozen=True)
class Bounds:
    """Tell what theory guarantees for a policy and the model that it learned in."""

    run: Positional[Annotated[Path | None, arg(metavar="[RUN]")]] = None
    """Folder of a policy that learned in a model: `mbmrl train me_trpo|mb_mpo|memb|...`."""
    data: tuple[Path, ...] = ()
    """Real data in place of those that the run kept: data sets, recordings, or folders of
    recordings."""
    horizon: Few = 1
    """Length k of branched roll-outs; up to the data's longest episode."""
    discount: Number | None = None
    """Discount gamma, from 0 to less than 1; default: the training's."""
    noise: Share = 0.1
    """Noise that the system is taken to have, in deviations of each change of state in the data;
    0: none, so that total variation is 1 for any model that is not exact."""
    figure: Path | None = None
    """Draw figure 4 of M3PO into this PNG file, which needs no run."""
    seed: Seed = 0
    """Seed of the fit of the policy that gathered the data, and of what is imagined."""
    json: Path | None = None
    """Write the results to this file."""
