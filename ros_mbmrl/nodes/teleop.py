"""teleop: let a person, or chance, propose commands; tell episodes on `episode`.

Keys come from the terminal called by the parameter `tty`: a node of a launch has none of its own.
Beside one, a live view is drawn on it; without, a line is printed now and then.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rich.console import Console
from rich.live import Live
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_mbmrl.agents.chance import random_policy
from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.joystick import Joystick
from ros_mbmrl.collection.keyboard import Keyboard
from ros_mbmrl.collection.mapping import driven, steerable, steering
from ros_mbmrl.collection.recorder import EPISODE, episode_values
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import RANDOM, Session, Source
from ros_mbmrl.collection.terminal import Terminal
from ros_mbmrl.collection.view import Status, line, render
from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.home import expand_home
from ros_mbmrl.nodes.joy import JoyListener
from ros_mbmrl.nodes.messages import (
    command_message,
    diagnostics,
    nanoseconds,
    owner_of,
    read_number,
    read_status,
    status,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.teleop_parameters import TeleopParameters
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array

KEYS = 0.02  # [s] between looks at the keyboard
REDRAW = 0.25  # [s]
TELL = 5.0  # [s] between lines where there is no terminal
JOYSTICK = "joystick"
RECENT = 20  # periods that the rate is taken over


class TeleopNode(Node):
    """Messages around `Session`. Each state is answered with what drives; released, with nothing.

    clock: [s], steady.
    """

    def __init__(
        self, ending: Ending, clock: Callable[[], float] = time.monotonic, **options: Any
    ) -> None:
        super().__init__("teleop", automatically_declare_parameters_from_overrides=True, **options)
        self._ending, self._steady = ending, clock
        self._settings = p = read_parameters(self, TeleopParameters)
        self._robot = make_robot(p.robot)
        self._spec = self._robot.spec
        self._owner = owner_of(self, self._spec)
        try:
            self._keyboard = Keyboard(clock, p.keyboard)
            self._joystick = Joystick(clock, p.joystick)
            self._session = Session(self._robot, self._sources(), p.session, self._permit)
        except ValueError as error:
            raise UserError(f"teleop: {error}") from None
        self._assembler = MeasurementAssembler(self._spec)
        self._estimator = StateEstimator(self._robot)
        self._newest: Measurement | None = None
        self._action: Array | None = None
        self._stopped = False
        self._safety: dict[str, str] = {}
        self._missed = 0
        self._counters: dict[str, float] = {}
        self._began: float | None = None
        self._moments: deque[float] = deque(maxlen=RECENT + 1)

        self._proposed = advertise(self, "command/proposed")
        self._episode = advertise(self, "episode")
        self._reset = self.create_client(Trigger, "safety/reset")
        session = self._session
        JoyListener(self, self._joystick, self._obey, lambda: session.source == JOYSTICK, clock)
        listen(self, "safety/state", self._on_stop)
        listen(self, "/diagnostics", self._on_diagnostics)
        self._held = ExitStack()
        self._live: Live | None = None
        self._terminal: Terminal | None = None
        if p.tty:
            self._open(Path(expand_home(p.tty, "tty")))
        every(self, REDRAW if self._live else TELL, self._show)
        for topic in self._assembler.topics:
            listen(self, topic, partial(self._on_sensor, topic))

    def close(self) -> None:
        """End the episode, and give the terminal back."""
        try:
            self._tell(self._session.interrupt())
        finally:
            with suppress(OSError):  # the terminal may be gone
                self._held.close()

    def _open(self, tty: Path) -> None:
        self._terminal = self._held.enter_context(Terminal(tty))
        size = os.get_terminal_size(self._terminal.fd)
        width, height = size.columns or 80, size.lines or 24
        stream = self._held.enter_context(tty.open("w"))
        console = Console(file=stream, width=width, height=height)
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._live = self._held.enter_context(live)
        every(self, KEYS, self._on_keys)

    def _sources(self) -> dict[str, Source]:
        p = self._settings
        choose("source", p.source, (RANDOM, "keyboard", JOYSTICK))
        if p.source == "keyboard" and not p.tty:
            raise ValueError("source keyboard: expected a terminal, by the parameter tty")
        sources: dict[str, Source] = {}
        if p.source != RANDOM or steerable(self._robot):
            steer = steering(self._robot, p.scale)
            if p.tty:
                sources["keyboard"] = driven(self._keyboard.sticks, steer)
            sources[JOYSTICK] = driven(self._joystick.sticks, steer)
        sources[RANDOM] = random_policy(self._spec, np.random.default_rng(p.seed))
        return sources

    def _permit(self) -> bool:
        """Return whether the robot may move on its own: a lone joystick's dead-man button says."""
        alone = self._settings.source == JOYSTICK and not self._settings.tty
        return self._joystick.held() if alone else True

    def _on_keys(self) -> None:
        assert self._terminal is not None
        for key in self._terminal.pressed():
            request = self._keyboard.press(key)
            if request is not None:
                self._obey(request)
        if self._terminal.gone:  # nobody is there to stop what drives by itself
            self._ending.end(1, f"keyboard: {self._settings.tty} is gone")

    def _on_stop(self, message: Bool) -> None:
        self._stopped = message.data

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self._safety = read_status(message, "safety: state", self._owner) or self._safety
        timing = read_status(message, "driver: timing", self._owner)
        if timing is not None and math.isfinite(missed := read_number(timing, "missed_deadlines")):
            self._missed = int(missed)
        plant = read_status(message, "driver: plant", self._owner)
        if plant is not None:
            self._counters = {k: read_number(plant, k) for k in plant if k != "fault"}

    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        if self._newest is None or measurement.time != self._newest.time:
            self._take(measurement)
        if self._action is not None:
            stamp = nanoseconds(measurement.time)
            self._proposed.publish(command_message(self._spec, self._action, stamp))

    def _take(self, measurement: Measurement) -> None:
        """Take a new state, and not one that lockstep sends again."""
        now = self._steady()
        self._began = now if self._began is None else self._began
        self._moments.append(now)
        self._newest = measurement
        state = self._estimator.update(measurement)
        turn = self._session.step(measurement.time, state, self._stopped)
        self._action = turn.action
        self._tell(turn.events)

    def _obey(self, request: Request) -> None:
        if request.kind is Kind.RESET:
            self._reset.call_async(Trigger.Request())
            return
        self._tell(self._session.request(request))
        if request.kind is Kind.HALT and self._newest is not None:
            # At once, and not at the next state: the newest answer to a state counts.
            stand = np.clip(0.0, self._spec.action_low, self._spec.action_high)
            stamp = nanoseconds(self._newest.time)
            self._proposed.publish(command_message(self._spec, stand, stamp))

    def _tell(self, events: Sequence[Event]) -> None:
        """Tell all of a step in one message: a latched topic keeps one only."""
        if not events:
            return
        lines = [status("collect", "episode", self._owner, episode_values(e)) for e in events]
        assert all(task_of(each) == EPISODE for each in lines)
        self._episode.publish(diagnostics(nanoseconds(events[-1].time), *lines))
        if self._live is None:
            for event in events:
                print(f"{event.kind} {event.index} {event.terrain}", flush=True)

    def _show(self) -> None:
        if self._newest is None:
            return
        told = self._status(self._newest)
        if self._live is not None:
            with suppress(OSError):  # the terminal may be gone
                self._live.update(render(told), refresh=True)
        else:
            print(line(told), flush=True)

    def _status(self, newest: Measurement) -> Status:
        elapsed = self._moments[-1] - self._moments[0]
        silent = self._steady() - self._moments[-1]
        return Status(
            robot=self._robot,
            session=self._session,
            level=self._safety.get("level", "-"),
            reasons=tuple(part for part in [self._safety.get("reasons", "")] if part),
            rate=(len(self._moments) - 1) / elapsed if elapsed > 0 else math.nan,
            age=newest.age + silent,
            seconds=self._moments[-1] - (self._began or 0.0),
            drops={"missed": self._missed, "incomplete": self._assembler.dropped},
            counters=self._counters,
            hands=self._keyboard.doubt or self._joystick.doubt,
        )


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process."""
    return [TeleopNode(ending)]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
