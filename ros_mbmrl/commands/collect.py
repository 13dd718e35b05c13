"""`mbmrl collect`: data from a robot or its twin, without ROS."""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from ros_mbmrl.agents.chance import random_policy
from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.hands import Hands
from ros_mbmrl.collection.joystick import JoystickConfig
from ros_mbmrl.collection.loop import CollectLoop, Outcome
from ros_mbmrl.collection.mapping import steerable, steering
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.session import RANDOM, Session, SessionConfig, Source
from ros_mbmrl.collection.view import Status, render
from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.home import expand_home
from ros_mbmrl.plants import check_plant, make_plant, usual_ground
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.clock import SteadyTime
from ros_mbmrl.plants.poses import PoseSource
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.ros_environment import check_middleware, environment, why_not
from ros_mbmrl.runtime.signals import ended_by_signals
from ros_mbmrl.untrusted import parse_yaml

if TYPE_CHECKING:
    from ros_mbmrl.arguments.collect import Collect

REDRAW = 0.25  # [s]


def run(arguments: Collect) -> dict[str, Any]:
    """Collect data; return what was kept, and its path. Raises UserError, RunError."""
    robot, options = make_robot(arguments.robot), _options(arguments)
    check_plant(arguments.robot, arguments.plant, options)
    ending = threading.Event()
    terminal = Path(os.ttyname(sys.stdin.fileno())) if sys.stdin.isatty() else None
    joystick = _joystick(arguments)
    hands = Hands(terminal, arguments.joystick, ending, time.monotonic, joystick)
    if hands.unattended and arguments.duration == 0:
        raise UserError("duration: nobody is at the keys to end it: expected above 0 s")
    sources, config = _sources(arguments, robot, hands), _config(arguments, robot)
    session = Session(robot, sources, config, hands.permit)
    recorder = RunRecorder(robot.spec, _path(arguments))
    with ExitStack() as held:
        held.enter_context(ended_by_signals(ending.set))
        held.enter_context(recorder)
        held.enter_context(hands)
        screen = held.enter_context(Screen(time.monotonic))
        options = replace(options, poses=_poses(arguments.mocap, held))
        plant = held.enter_context(make_plant(robot, arguments.plant, options))  # left first
        loop = CollectLoop(
            robot=robot,
            plant=plant,
            session=session,
            recorder=recorder,
            operator=hands,
            now=options.clock,
            steady=time.monotonic,
            watcher=screen,
            paced=arguments.viewer,
        )

        def going() -> bool:
            done = hands.unattended and (loop.stopped or session.waiting)
            return not (done or ending.is_set() or hands.gone)

        try:
            outcome = loop.run(going, arguments.duration)
        except OSError as error:
            raise RunError(f"{recorder.path}: cannot be written ({error.strerror})") from None
    results = _results(recorder.path, session, outcome)
    _show(results)
    if hands.unattended and loop.stopped:
        raise RunError(f"stopped by the safety monitor: {loop.reasons}; kept in {recorder.path}")
    return results


class Screen:
    """The live view in a terminal, or else a line for each event; a context manager.

    It writes in a thread of its own, because a blocked terminal must not hold up the robot.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady, self._drawn, self._hands = steady, -math.inf, ""
        console = Console()
        live = console.is_terminal
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None
        self._waiting: queue.SimpleQueue[RenderableType | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Screen:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=2.0)

    def told(self, event: Event) -> None:
        """Show that an episode has started or ended."""
        if self._live is None:
            self._waiting.put(f"{event.time:9.1f} s: {event.kind} {event.index} {event.terrain}")

    def shown(self, status: Status) -> None:
        """Show the status after a step."""
        if self._live is None and status.hands and status.hands != self._hands:
            self._waiting.put(status.hands)
        self._hands = status.hands
        if self._live is not None and self._steady() - self._drawn >= REDRAW:
            self._drawn = self._steady()
            if self._waiting.empty():
                self._waiting.put(render(status))

    def _write(self) -> None:
        with self._live or nullcontext():
            while (picture := self._waiting.get()) is not None:
                if self._live is None:
                    print(picture, flush=True)
                else:
                    self._live.update(picture, refresh=True)


def _options(arguments: Collect) -> PlantOptions:
    """Return the options of the plant. Stamps of a real robot are `SteadyTime`."""
    return PlantOptions(
        terrain=_ground(arguments),
        noise=arguments.noise,
        fault=arguments.fault,
        seed=arguments.seed,
        viewer=arguments.viewer,
        port=expand_home(arguments.port, "port"),
        clock=SteadyTime(),
        hardware=_hardware(arguments.hardware),
    )


def _ground(arguments: Collect) -> str:
    return arguments.terrain or usual_ground(arguments.robot)


def _hardware(words: Sequence[str]) -> dict[str, Any]:
    """Parse NAME=VALUE words, the values as YAML."""
    settings: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        try:
            settings[name] = parse_yaml(value)
        except UserError:
            sign = ""
        if not (name and sign):
            raise UserError(f"hardware '{word}': expected NAME=VALUE")
    return settings


def _poses(topic: str, held: ExitStack) -> PoseSource | None:
    if not topic:
        return None
    check_middleware(os.environ)
    os.environ.update(environment(os.environ))
    try:
        from ros_mbmrl.nodes.mocap import MocapListener
    except ImportError as error:
        raise UserError(f"mocap {topic}: a topic takes rclpy: {why_not(error)}") from None
    return held.enter_context(MocapListener(topic)).poses


def _sources(arguments: Collect, robot: Robot, hands: Hands) -> dict[str, Source]:
    """Return the sources of commands by name."""
    choose("source", arguments.source, (RANDOM, "keyboard", "joystick"))
    sources: dict[str, Source] = {}
    if arguments.source != RANDOM or steerable(robot):
        sources = hands.sources(steering(robot, arguments.scale))
    sources[RANDOM] = random_policy(robot.spec, np.random.default_rng(arguments.seed))
    if arguments.source not in sources:
        needed = {
            "keyboard": "a terminal as standard input",
            "joystick": "--joystick DEVICE, as /dev/input/js0",
        }
        raise UserError(f"source {arguments.source}: expected {needed[arguments.source]}")
    return sources


def _joystick(arguments: Collect) -> JoystickConfig:
    try:
        return JoystickConfig(still_timeout=arguments.joystick_still_timeout)
    except ValueError as error:
        raise UserError(f"joystick-{str(error).replace('_', '-')}") from None


def _config(arguments: Collect, robot: Robot) -> SessionConfig:
    known = arguments.plant == "twin" and robot.follows_paths
    try:
        return SessionConfig(
            terrains=arguments.tags or (_ground(arguments) if known else "unknown",),
            source=arguments.source,
            episode_seconds=arguments.episode_seconds,
            automatic=arguments.source == RANDOM,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def _path(arguments: Collect) -> Path:
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return arguments.out / f"{arguments.robot}-{now}.mcap"


def _results(path: Path, session: Session, outcome: Outcome) -> dict[str, Any]:
    episodes = session.episodes
    return {
        "recording": str(path) if path.exists() else None,
        "steps": outcome.steps,
        "seconds": outcome.seconds,
        "episodes": sum(tally.episodes for tally in episodes.tallies.values()),
        "discarded": episodes.discarded,
        "terrains": {
            name: {"episodes": tally.episodes, "minutes": tally.seconds / 60}
            for name, tally in episodes.tallies.items()
        },
        "safety": dict(outcome.levels),
        "faults": outcome.faults,
        "late": outcome.late,
    }


def _show(results: dict[str, Any]) -> None:
    table = Table("terrain", "episodes", "minutes")
    for name, kept in results["terrains"].items():
        table.add_row(name, str(kept["episodes"]), f"{kept['minutes']:.2f}")
    Console().print(table)
    levels = ", ".join(f"{level} {steps}" for level, steps in results["safety"].items())
    print(
        f"{results['seconds']:.0f} s of control, {results['discarded']} episodes discarded; "
        f"steps by safety level: {levels}; {results['late']} periods late, {results['faults']} "
        f"without the robot\n{results['recording'] or 'nothing was recorded'}"
    )
