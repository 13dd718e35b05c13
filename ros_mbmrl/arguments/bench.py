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
    Size,
    Workers,
)


@dataclass(frozen=True)
class Bench:
    """Times of what must be fast, each beside its floor or a peer in the same run.

    What is not given is of full size, or small with --quick.
    """

    what: Positional[Literal["plan", "adapt", "loop", "train", "twin", "graph", "soak"]]
    """plan, adapt, loop (a turn of the control loop), train (a meta-gradient), twin (physics),
    graph (the ROS graph on the twin), soak (what that uses: processor, memory, threads, files)."""
    quick: bool = False
    """Small sizes and few repeats: whether it works, not how fast it is."""
    threads: Workers = 1
    """Torch's threads; twin takes no notice."""
    repeats: Count | None = None
    """Rounds that are measured; all but graph, soak."""
    hidden: tuple[Few, ...] | None = None
    """Units of the network's hidden layers; plan, adapt, loop, train, graph with --fast."""
    activation: str | None = None
    """silu or tanh; plan, adapt, loop, train."""
    samples: Size | None = None
    """Candidates; plan, loop."""
    horizon: Size | None = None
    """Steps looked ahead; plan, loop."""
    window: Size | None = None
    """Transitions adapted to, T1; adapt, loop."""
    steps: Natural | None = None
    """Inner gradient steps; adapt, train."""
    segments: Size | None = None
    """Tasks a step; train."""
    segment_length: Size | None = None
    """T1 and T2; train."""
    chunk: Size | None = None
    """Tasks that the peer does at once, the fastest of several if it is not given; train."""
    seconds: Positive | None = None
    """Of control, graph; of work, soak; simulated in each repeat, twin."""
    idle: Amount | None = None
    """Seconds stopped, after the work; soak."""
    interval: Positive | None = None
    """Seconds between samples; soak."""
    terrain: str | None = None
    """The twin's ground; twin."""
    fast: bool = False
    """At 50 Hz, with an untrained model; graph."""
    load: Processes | None = None
    """Processes that keep a core busy meanwhile; graph."""
    launch: tuple[str, ...] | None = None
    """name:=value words for the graph (method:=mb and the like); graph, soak."""
    seed: Seed = 0
    """Seed of everything random."""
    json: Path | None = None
    """Write the results to this file."""
