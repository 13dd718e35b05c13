"""`bench twin`: the hexapod's world over bare mj_step, and two threads or processes over one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from ros_mbmrl.bench.timing import Contender, Findings, at_least, interleave
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.runtime.workers import begin_worker
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.world import TICK, HexapodWorld

WALK = (25.0, 30.0)  # legs' set-points, left and right [rad/s]: a gentle curve
WARM_UP = 0.5  # [s] until it walks
BEGIN, GO_ON = b"begin", b"go on"  # requests to a worker process


@dataclass(frozen=True)
class Config:
    """Settings; seconds: simulated in each repeat, terrain: its name."""

    seconds: float = 5.0
    terrain: str = "carpet"
    repeats: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, repeats=self.repeats)
        if not self.seconds >= TICK:
            raise ValueError(f"seconds: expected at least {TICK}, got {self.seconds}")


QUICK = Config(seconds=0.2, repeats=3)


class Walk:
    """A world in which the robot walks, from the same moment on in every repeat."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.world = HexapodWorld(make_terrain(config.terrain), seed=config.seed)

    def begin(self) -> None:
        """Go back to the start, and walk."""
        self.world.reset(self.config.seed)
        self.world.set_command(np.array(WALK))
        self.world.step(WARM_UP)

    def go_on(self) -> None:
        """Let the time of one repeat pass."""
        self.world.step(self.config.seconds)


class Raw:
    """The same physics with the same inputs and nothing else: it ends in the same state.

    The inputs of every tick (servo targets, torque limits, the body's wrench) are recorded once.
    They change on the world's grid, so fewer calls of mj_step are not possible.
    """

    def __init__(self, config: Config) -> None:
        self.walk = Walk(config)
        world = self.walk.world
        self._model, self._data = world.model, world.data
        self._substeps = round(TICK / self._model.opt.timestep)
        self._views = (
            self._data.ctrl,
            self._model.actuator_forcerange,
            self._data.xfrc_applied[world.body.indices.body],
        )
        self.walk.begin()
        self._inputs = [self._record() for _ in range(round(config.seconds / TICK))]
        self.steps = self._substeps * len(self._inputs)

    def go_on(self) -> None:
        """Call mj_step for every tick of a repeat."""
        model, data, substeps = self._model, self._data, self._substeps
        ctrl, limits, wrench = self._views
        for targets, torques, push in self._inputs:
            ctrl[:] = targets
            limits[:] = torques
            wrench[:] = push
            mujoco.mj_step(model, data, substeps)

    def go_on_at_once(self) -> None:
        """Do as many steps in a single call, with constant inputs."""
        mujoco.mj_step(self._model, self._data, self.steps)

    def _record(self) -> tuple[Array, ...]:
        self.walk.world.step(TICK)
        return tuple(view.copy() for view in self._views)


def run(config: Config) -> Findings:
    """Measure the world, bare physics, and two worlds at once, in turn."""
    walk, raw = Walk(config), Raw(config)
    walk.begin()  # an unknown terrain is reported here, not by a worker
    with ExitStack() as stack:
        threads = stack.enter_context(_threads(config))
        processes = stack.enter_context(_processes(config))
        times = interleave(
            {
                "world": Contender(walk.go_on, walk.begin),
                "mj_step": Contender(raw.go_on, raw.walk.begin),
                "mj_step at once": Contender(raw.go_on_at_once, raw.walk.begin),
                **threads,
                **processes,
            },
            config.repeats,
        )
    ratio, bulk, same = times.figure, "mj_step at once", "the same with processes"
    share, both = "speed, as a share of mj_step's", "worlds a second, two threads over one"
    figures = (
        ratio("over_mj_step", "mj_step", "world", share, "at least 0.9"),
        ratio("over_mj_step_at_once", bulk, "world", "the same, of a call with nothing to do"),
        ratio("threads", "1 thread", "2 threads", both, "at least 1.8", times=2),
        ratio("processes", "1 process", "2 processes", same, times=2),
    )
    return Findings(
        figures,
        times,
        {"steps": raw.steps, "real_time_factor": config.seconds / times.median("world")},
    )


@contextmanager
def _threads(config: Config) -> Iterator[dict[str, Contender]]:
    """Yield contenders with one world in a thread of its own, and with one in each of two."""
    walks = [Walk(config), Walk(config)]
    with ThreadPoolExecutor(len(walks)) as pool:

        def each(count: int, what: Callable[[Walk], None]) -> Callable[[], object]:
            return lambda: list(pool.map(what, walks[:count]))

        yield {
            name: Contender(each(count, Walk.go_on), each(count, Walk.begin))
            for count, name in ((1, "1 thread"), (2, "2 threads"))
        }


@contextmanager
def _processes(config: Config) -> Iterator[dict[str, Contender]]:
    """Yield contenders with worlds in processes, which wait at the other end of a pipe."""
    context = multiprocessing.get_context("spawn")
    pipes, workers = [], []
    for _ in range(2):
        ours, theirs = context.Pipe()
        worker = context.Process(target=_serve, args=(theirs, config), daemon=True)
        worker.start()
        theirs.close()
        pipes.append(ours)
        workers.append(worker)

    def each(count: int, what: bytes) -> Callable[[], object]:
        def ask() -> None:
            for pipe in pipes[:count]:
                pipe.send_bytes(what)
            for pipe in pipes[:count]:
                pipe.recv_bytes()

        return ask

    try:
        yield {
            name: Contender(each(count, GO_ON), each(count, BEGIN))
            for count, name in ((1, "1 process"), (2, "2 processes"))
        }
    finally:
        for pipe in pipes:
            pipe.close()
        for worker in workers:
            worker.join()


def _serve(pipe: Connection, config: Config) -> None:
    begin_worker()
    walk = Walk(config)
    try:
        while True:
            if pipe.recv_bytes() == BEGIN:
                walk.begin()
            else:
                walk.go_on()
            pipe.send_bytes(b"done")
    except (EOFError, BrokenPipeError):
        return
