"""Arguments of `mbmrl bench`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import (
    Amount,
    Count,
    Few,
    Natural,
    Positive,
    Processes,
    Seed,
    Share,
    Size,
    Workers,
)


@dataclass(frozen=True)
class Bench:
    """Measure the time-critical parts, each beside its floor or a peer in the same run.

    Sizes that are not given are full, or small with --quick.
    """

    what: Positional[
        Literal[
            "plan",
            "adapt",
            "loop",
            "train",
            "twin",
            "graph",
            "soak",
            "curvature",
            "imagine",
            "pathwise",
            "sac",
        ]
    ]
    """plan, adapt, loop (a step of the control loop), train (a meta-gradient), twin (physics),
    graph (the ROS graph on the twin), soak (the graph's use of processor, memory, threads, files),
    curvature (how much meta-gradients of a policy vary, by estimator), imagine (episodes of a
    policy in an ensemble), pathwise (error of MAAC's gradient over the horizon), sac (gradient
    steps beside Stable-Baselines3's).
    """
    quick: bool = False
    """Small sizes and few repeats: a check that it works, not a measurement."""
    threads: Workers = 1
    """Torch's threads; all but twin."""
    repeats: Count | None = None
    """Measured rounds; all but graph, soak."""
    within: Share | None = None
    """Repeat on until the 95 % intervals of all ratios are within this share of them, at most 8
    times the repeats; says if they are not. All with repeats."""
    hidden: tuple[Few, ...] | None = None
    """Units of the network's hidden layers; plan, adapt, loop, train, curvature, imagine,
    pathwise (of the models), sac, graph and soak with --fast."""
    activation: str | None = None
    """silu or tanh; plan, adapt, loop, train."""
    samples: Size | None = None
    """Candidates; plan, loop. Episodes at once; imagine. Starts; pathwise. Rows of a batch; sac."""
    horizon: Size | None = None
    """Steps looked ahead; plan, loop, pathwise. Steps of an episode; curvature, imagine."""
    window: Size | None = None
    """Transitions adapted to, T1; adapt, loop."""
    steps: Natural | None = None
    """Inner gradient steps; adapt, train, curvature."""
    segments: Size | None = None
    """Tasks a step; train."""
    segment_length: Size | None = None
    """T1 and T2; train."""
    chunk: Size | None = None
    """Tasks that the peer does at once; default: the fastest of several; train."""
    seconds: Positive | None = None
    """Control time, graph; working time, soak; simulated in each repeat, twin [s]."""
    idle: Amount | None = None
    """Stopped time after the work [s]; soak."""
    interval: Positive | None = None
    """Time between samples [s]; soak."""
    terrain: str | None = None
    """Terrain of the twin; twin."""
    fast: bool = False
    """A fast robot, with an untrained model; graph, soak."""
    robot: str | None = None
    """Which fast robot: hexapod (50 Hz, the default) or half_cheetah (100 Hz); graph, soak."""
    load: Processes | None = None
    """Processes that keep a core busy meanwhile; graph."""
    launch: tuple[str, ...] | None = None
    """name:=value words for the graph (method:=mb and the like); graph, soak."""
    seed: Seed = 0
    """Seed of all random numbers."""
    json: Path | None = None
    """Write the results to this file."""
