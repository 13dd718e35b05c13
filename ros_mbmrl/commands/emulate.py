"""`mbmrl emulate`: the robot's side of the wire; for the VelociRoACH also its motion capture."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.emulators.radio_faults import DRIVEN, PAUSED
from ros_mbmrl.ros_environment import check_middleware, why_not
from ros_mbmrl.runtime.priority import Work, take
from ros_mbmrl.runtime.signals import ended_by_signals

if TYPE_CHECKING:
    from ros_mbmrl.arguments.emulate import Emulate
    from ros_mbmrl.plants.emulators.velociroach import FarSide, OnPose
    from ros_mbmrl.simulation.faults import Fault

NO_POSES = "poses are not published"
MENDED = "none"


def run(arguments: Emulate) -> dict[str, Any]:
    """Serve until Ctrl-C or the end of `duration`; return the true motion. Raises UserError."""
    choose("emulator", arguments.kind, KINDS)
    return KINDS[arguments.kind](arguments)


def _rosbridge(arguments: Emulate) -> dict[str, Any]:
    from ros_mbmrl.plants.emulators import rosbridge

    rosbridge.serve(arguments.port, arguments.seed, arguments.duration)
    return {}


def _velociroach(arguments: Emulate) -> dict[str, Any]:
    from ros_mbmrl.plants.emulators.velociroach import VelociroachEmulator

    if refused := take(Work.URGENT):  # a robot does not wait for a busy machine
        print(refused, flush=True)
    schedule = Schedule.of(arguments.fault)
    offset = time.time() - time.monotonic()
    with _mocap(arguments.mocap_topic, offset) as (on_pose, note):
        far_side = _far_side(arguments, schedule.of_twin, on_pose)
        emulator = VelociroachEmulator(far_side, arguments.link)
        try:
            print(f"listening on {emulator.device}", flush=True)
            if note:
                print(note, flush=True)
            stop = threading.Event()
            with ended_by_signals(stop.set):  # a normal end, with results
                each = _each(arguments.duration, schedule, far_side, stop)
                emulator.serve(stop, Control(far_side, each) if arguments.control else each)
        finally:
            emulator.close()
    return _truth(far_side, offset)


KINDS = {"velociroach": _velociroach, "rosbridge": _rosbridge}


@dataclass(frozen=True)
class Schedule:
    """Faults of the twin, and of the line with the second [s] from which on they are present."""

    of_twin: tuple[Fault, ...] = ()
    of_line: tuple[tuple[float, str], ...] = ()

    @staticmethod
    def of(words: Sequence[str]) -> Schedule:
        """Return the schedule for NAME@SECONDS words. Raises UserError."""
        from ros_mbmrl.plants.emulators.radio_faults import LINE_FAULTS
        from ros_mbmrl.simulation.faults import FAULTS, Fault

        twin, line = [], []
        for word in words:
            name, _, seconds = word.partition("@")
            choose("fault", name, {*LINE_FAULTS, *FAULTS})
            if name in LINE_FAULTS or name == MENDED:
                line.append((_seconds(word, seconds), name))
            else:
                twin.append(Fault.parse(word))
        return Schedule(tuple(twin), tuple(sorted(line)))

    def line_at(self, seconds: float) -> frozenset[str]:
        """Return the faults of the line that are present."""
        present: set[str] = set()
        for since, name in self.of_line:
            if since <= seconds:
                present = set() if name == MENDED else present | {name}
        return frozenset(present)


def _seconds(word: str, text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise UserError(f"fault '{word}': expected NAME@SECONDS, for example silent@20")


def _far_side(arguments: Emulate, faults: Sequence[Fault], on_pose: OnPose) -> FarSide:
    from ros_mbmrl.plants.emulators.velociroach import AirConfig, FarSide
    from ros_mbmrl.robots.paths import make_path
    from ros_mbmrl.simulation.calibration import make_terrain
    from ros_mbmrl.simulation.randomisation import Physics
    from ros_mbmrl.simulation.world import HexapodWorld

    terrain = make_terrain(arguments.terrain)
    start = make_path(arguments.path).start if arguments.path else (0.0, 0.0, 0.0)
    try:
        physics = Physics(process_noise=arguments.noise)
        config = AirConfig(bit_error_rate=arguments.bit_error_rate, seed=arguments.seed)
    except ValueError as error:
        raise UserError(str(error)) from None
    world = HexapodWorld(terrain, physics, faults, arguments.seed, start)
    return FarSide(world, config, on_pose)


@contextmanager
def _mocap(topic: str, offset: float) -> Iterator[tuple[OnPose, str]]:
    """Yield the receiver of poses, and a note about it. offset: time of day less the clock [s]."""
    from ros_mbmrl.ros_environment import environment

    check_middleware(os.environ)
    os.environ.update(environment(os.environ))  # discovery stays here, as for the nodes
    try:
        from ros_mbmrl.nodes.mocap_publisher import MocapPublisher
    except ImportError as error:
        yield (lambda when, position, quaternion: None), f"{why_not(error)}: {NO_POSES}"
        return
    publisher = MocapPublisher(topic)
    try:
        yield lambda when, p, q: publisher.publish(when + offset, p, q), ""
    finally:
        publisher.close()


def _each(
    duration: float, schedule: Schedule, far_side: FarSide, stop: threading.Event
) -> Callable[[float], None]:
    def each(seconds: float) -> None:
        far_side.faults.set(*schedule.line_at(seconds))
        if duration and seconds >= duration:
            stop.set()

    return each


class Control:
    """Faults by name from standard input, beside the scheduled ones.

    Reports when the motors turn and when not, and when this machine stood.
    """

    def __init__(self, far_side: FarSide, scheduled: Callable[[float], None]) -> None:
        self._far_side, self._scheduled = far_side, scheduled
        self._wanted: frozenset[str] = frozenset()  # set by the reading thread
        self._present: frozenset[str] = frozenset()
        self._told = [0, 0]  # changes of the motors, and pauses
        threading.Thread(target=self._read, daemon=True).start()

    def __call__(self, seconds: float) -> None:
        """Apply the faults at `seconds`. See `VelociroachEmulator.serve`."""
        from ros_mbmrl.plants.emulators.radio_faults import LINE_FAULTS

        self._scheduled(seconds)
        far_side, wanted = self._far_side, self._wanted
        for name in (wanted ^ self._present) - set(LINE_FAULTS):
            far_side.world.set_fault(name, name in wanted)
        if of_line := wanted & set(LINE_FAULTS):  # the schedule has just set its own
            far_side.faults.set(*of_line)
        self._present = wanted
        changes, pauses = self._told
        for begin, end in far_side.pauses[pauses:]:  # first: what follows is judged by them
            print(f"{PAUSED} {begin:.4f} {end:.4f}", flush=True)
        for when, driven in far_side.driven[changes:]:
            print(f"{DRIVEN} {int(driven)} {when:.4f}", flush=True)
        self._told = [len(far_side.driven), len(far_side.pauses)]

    def _read(self) -> None:
        from ros_mbmrl.plants.emulators.radio_faults import LINE_FAULTS
        from ros_mbmrl.simulation.faults import FAULTS

        for line in sys.stdin:
            names = frozenset(line.split()) - {MENDED}
            try:
                for name in names:
                    choose("fault", name, {*LINE_FAULTS, *FAULTS})
            except UserError as error:
                print(error, file=sys.stderr, flush=True)
                continue
            self._wanted = names


def _truth(far_side: FarSide, offset: float) -> dict[str, Any]:
    """Print and return the true motion. Times are time of day, as the poses' stamps."""
    x, y, yaw = far_side.world.pose()
    seconds, distance = far_side.world.time, far_side.distance
    print(
        f"{seconds:.1f} s, {distance:.2f} m walked, at ({x:.3f}, {y:.3f}) m, yaw {yaw:.3f} rad",
        flush=True,
    )
    times, xs, ys, yaws = zip(*far_side.trace, strict=True) if far_side.trace else ((),) * 4
    trace = {"time": [t + offset for t in times], "x": xs, "y": ys, "yaw": yaws}
    return {"time_s": seconds, "distance_m": distance, "pose": [x, y, yaw], "poses": trace}
