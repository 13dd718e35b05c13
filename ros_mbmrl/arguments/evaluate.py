"""Arguments of `mbmrl evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import (
    EpisodeSeconds,
    Few,
    Natural,
    Seconds,
    Speed,
    Whole,
    Workers,
)
from ros_mbmrl.arguments.shipped import ModelFolder


@dataclass(frozen=True)
class Evaluate:
    """Run a closed-loop experiment over methods, conditions and seeds: table, plots, report."""

    experiment: Positional[Annotated[str, arg(metavar="EXPERIMENT")]]
    """hexapod-terrains, hexapod-ood, hexapod-ood-quiet, or hexapod-validation, on which settings
    are chosen: existing models, in closed loop. cheetah-disabled, cheetah-slope, cheetah-pier,
    ant-crippled, arm-force, cheetah-run (without a fault): studies, from training to report, at a
    --scale. base-ablation: MB of cheetah-disabled, without one part of its base after the other.
    me-trpo, mb-mpo, promp, maac, memb, gssm: studies of policies, from training to report, at a
    --scale. asynchronous: workers at once beside the classic order, in simulated time, at a
    --scale. Or a robot's file (my_robot.yaml): existing models, on the twin that it describes.
    """
    methods: tuple[str, ...] = ()
    """Methods to compare; default: the experiment's that every folder has, or all of a study
    (causes, causes_told and causes_well only where its scale has an ensemble). Of a study with
    --models: models by folder or method, random, nominal, true_model, and of models of
    causes causes_told and causes_well; default: all models and random. Of a study of policies:
    its entries, as me_trpo or me_trpo_10; default: those of its scale.
    """
    scale: str | None = None
    """Size of a study: small, the default (an hour or two on two cores, or less), ensemble (small's
    data, an ensemble and iCEM; about an hour a training seed; the default of cheetah-run and
    base-ablation), paper (the thesis's sizes, on a GPU), smoke (a check that it runs).
    """
    models: tuple[ModelFolder, ...] = ()
    """Folders of model folders named by method, one per training seed; default: the shipped one;
    needed with a robot's file. Of a study: folders, each a model's or with models in it, as a study
    or `mbmrl train` makes them, which are judged on its conditions in place of learning.
    """
    versus: tuple[str, ...] = ()
    """Methods that the ratios compare with, if they take part; default: mb and mb_de. A study's are
    in its description.
    """
    controller: str | None = None
    """Planner of all methods; default: the robot's. A study plans as its scale says."""
    seeds: Few | None = None
    """Paired episodes of a condition, or tests of a policy; default: 3, of a robot's file 5, or as
    many as a study's scale says.
    """
    first_seed: Whole = 1000
    """The first of these seeds."""
    train_seeds: Few | None = None
    """Models or policies of each method in a study; default: as many as its scale says."""
    first_train_seed: Natural = 0
    """The first training seed: a study's seeds can be shared out over folders or machines. Settings
    are tuned on the first one of each folder.
    """
    duration: EpisodeSeconds | None = None
    """Length of an episode [s]; default: 20, of a robot's file 10; a study's scale has its own."""
    environments: tuple[str, ...] = ()
    """Some environments of a study of policies; default: those of its scale."""
    task: str = ""
    """The task, with a robot's file; default: its first."""
    path: str = ""
    """The path to follow, with the file of a robot without tasks; default: straight."""
    speed: Speed | None = None
    """Along that path [m/s]; default: 0.25."""
    faults: tuple[str, ...] = ()
    """Conditions, with a robot's file: its faults, or none; default: none and all that the file
    names.
    """
    at: Seconds | None = None
    """When the fault begins, with a robot's file [s]; default: half way."""
    out: Path = Path("runs/evaluate")
    """Folder of the report; finished parts in it are not run again."""
    device: str = "cpu"
    """Device on which a study learns and plans: cpu, cuda, or auto."""
    workers: Workers = 2
    """Processes that run episodes, one thread each."""
    cluster: str = ""
    """Run the episodes as tasks of ray (the extra cluster): an address, `auto`, or `local`. A
    study's folder must then be visible to all machines.
    """
    video: bool = False
    """Write the beginning of the first episode of each method as a film, if pictures can be drawn
    here. For existing models: experiments, and studies with --models.
    """
    json: Path | None = None
    """Write the results to this file."""
