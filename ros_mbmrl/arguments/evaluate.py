"""Arguments of `mbmrl evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import EpisodeSeconds, Few, Whole, Workers


@dataclass(frozen=True)
class Evaluate:
    """Closed-loop experiment over methods, conditions and seeds: table, plots, report."""

    experiment: Positional[str]
    """hexapod-terrains, hexapod-ood, hexapod-ood-quiet, or hexapod-validation, which settings are
    chosen on: models that there are, in closed loop. cheetah-disabled, cheetah-slope,
    cheetah-pier, ant-crippled, arm-force: studies, from training to report, at a --scale."""
    methods: tuple[str, ...] = ()
    """Methods to compare; if none is named, the experiment's own that every folder has, or all of
    a study's."""
    scale: str | None = None
    """Of a study: small, the default (an hour on two cores, or less), paper (the thesis's sizes,
    on a GPU), smoke (to see that it runs)."""
    models: tuple[Path, ...] = ()
    """Folders of model folders named by method, one a training seed; by default the shipped one."""
    versus: tuple[str, ...] = ()
    """Opponents that the ratios are to, those of them that take part; by default mb and mb_de. A
    study's are in its description."""
    controller: str | None = None
    """Planner of all methods; by default mppi, with which a study's methods always plan."""
    seeds: Few | None = None
    """Paired episodes a condition; by default 3, or as many as a study's scale says."""
    first_seed: Whole = 1000
    """The first of them."""
    train_seeds: Few | None = None
    """Of a study: models of each method; by default as many as its scale says."""
    duration: EpisodeSeconds | None = None
    """Length of an episode [s], by default 20; a study's scale has its own."""
    out: Path = Path("runs/evaluate")
    """Folder of the report; what is finished in it is not run again."""
    device: str = "cpu"
    """Of a study: where models learn and plan: cpu, cuda, or auto."""
    workers: Workers = 2
    """Processes that run episodes, one thread each."""
    cluster: str = ""
    """Run them as tasks of ray (the extra cluster): an address, `auto`, or `local`. A study's out
    must then be where all machines see it."""
    json: Path | None = None
    """Write the results to this file."""
