"""TopicsPlant: a robot on its own topics. `make` and `check` are of robots of files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any

from ros_mbmrl.data.described_topics import check_topics, inside
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantFault, PlantOptions, within_limits
from ros_mbmrl.plants.topics.bus import Bus, Outlet
from ros_mbmrl.plants.topics.company import (
    giver_fault,
    nobody_fault,
    rival_fault,
    taken_types,
    unclear_fault,
)
from ros_mbmrl.plants.topics.frames import STATIC
from ros_mbmrl.plants.topics.frozen import Frozen
from ros_mbmrl.plants.topics.inputs import Inputs
from ros_mbmrl.plants.topics.outputs import Writer
from ros_mbmrl.plants.topics.positions import Positions
from ros_mbmrl.plants.topics.wiring import Wiring, graph_topics, wiring_of
from ros_mbmrl.robots.described.quantities import TRANSFORMS
from ros_mbmrl.robots.described.robot import DescribedRobot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec


class TopicsPlant:
    """A `Plant` over topics.

    A timer looks for who takes the commands, and who else is on the topics; and it stops the robot
    when commands end, even if the thread that sends them hangs. It does so, too, when what is
    measured has become stale or wrong: the next `observe`, which says why, is up to a period away.

    Args:
        spec: of the robot.
        wiring: its topics.
        bus: the middleware.
        clock: time of day that is steady [s].
    """

    simulated = False

    def __init__(
        self, spec: RobotSpec, wiring: Wiring, bus: Bus, clock: Callable[[], float]
    ) -> None:
        self._spec, self._wiring, self._bus, self._clock = spec, wiring, bus, clock
        self._out = wiring.topics[wiring.command]
        self._inputs, self._frozen = Inputs(spec, wiring), Frozen(spec, wiring)
        self._positions = Positions(spec, wiring)
        self._lock = threading.Lock()
        self._outlet: Outlet | None = None
        self._writer: Writer | None = None
        self._type = ""  # of the outlet's messages
        self._moving = False
        self._observed = False  # whether the numbers have been well
        self._unclear = self._rivals = self._givers = ""  # faults of who is on the topics
        self._commanded = 0.0
        self._sent = self._timeouts = 0
        self._ends = [*self._listen(), self._watch()]

    def _listen(self) -> list[Callable[[], None]]:
        ends = []
        for alias, topic in self._wiring.heard.items():
            put = partial(self._on_message, alias)
            kind = topic.types[0]
            ends.append(self._bus.listen(topic.name, kind, put, reliable=topic.reliable or False))
            if kind == TRANSFORMS and not topic.name.endswith(STATIC):
                static = partial(self._on_message, alias, static=True)
                name = f"{topic.name}{STATIC}"
                ends.append(self._bus.listen(name, kind, static, latched=True))
        return ends

    def _watch(self) -> Callable[[], None]:
        return self._bus.every(self._spec.envelope.command_timeout / 5, self._on_timer)

    def __enter__(self) -> TopicsPlant:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            end()
        self.stop()  # before the publisher goes
        if self._outlet is not None:
            self._outlet.close()

    def observe(self) -> Measurement:
        """Return the newest numbers of all topics.

        Raises PlantFault if one is stale, never came, is no number, or comes from several.
        """
        with self._lock:
            fault = self._givers or self._frozen.fault(self._clock())
        if fault:
            raise PlantFault(fault)
        measurement = self._inputs.measurement(self._clock())
        self._observed = True
        return measurement

    def command(self, action: Array) -> None:
        """Send a command (da,).

        Raises PlantFault if nobody takes it, if it is unclear who does, or if others command.
        """
        allowed = within_limits(self._spec, action)
        measured = self.observe().values if self._positions.needed else None
        with self._lock:
            if self._unclear or self._rivals:
                raise PlantFault(self._unclear or self._rivals)
            # Those that match in type and quality of service, and not all who listen there.
            if self._outlet is None or self._outlet.listeners() == 0:
                takers = self._bus.takers(self._out.name)
                kinds = self._out.types
                raise PlantFault(nobody_fault(self._out.name, kinds, self._type, takers))
            self._send(allowed, measured)
            self._moving, self._commanded = True, self._clock()

    def advance(self, duration: float) -> None:
        """Its time passes by itself."""

    def stop(self) -> None:
        """Command rest: 0, or the position that is held."""
        with self._lock:
            self._rest()

    def counters(self) -> Mapping[str, int | float]:
        """Return counts of messages in and out, and of stops by its own timer."""
        with self._lock:
            sent, timeouts = self._sent, self._timeouts
        return {"received": self._inputs.received, "sent": sent, "timeouts": timeouts}

    def _rest(self) -> None:
        self._moving = False
        measured = None
        if self._positions.needed:
            if not self._positions.begun:  # it was never told a position: there is none to hold
                return
            try:
                measured = self._inputs.measurement(self._clock()).values
            except PlantFault:
                measured = None
        if self._outlet is not None:
            self._send(self._spec.rest, measured)

    def _send(self, action: Array, measured: Array | None) -> None:
        assert self._outlet is not None and self._writer is not None
        values = self._positions.sent(action, measured, self._clock())
        self._outlet.publish(self._writer.write(values.tolist(), self._bus.stamp()))
        self._frozen.driven(action, self._clock())
        self._sent += 1

    def _on_message(self, topic: str, message: Any, static: bool = False) -> None:
        now = self._clock()
        self._inputs.put(topic, message, now, static)
        with self._lock:
            self._frozen.put(topic, message, now)

    def _on_timer(self) -> None:
        self._look_around()
        with self._lock:
            silent = self._clock() - self._commanded > self._spec.envelope.command_timeout
            if self._moving and (silent or (self._observed and not self._well())):
                self._timeouts += 1
                self._rest()

    def _well(self) -> bool:
        """Return whether what is measured can be driven by now."""
        try:
            self._inputs.measurement(self._clock())
        except PlantFault:
            return False
        return not self._givers and not self._frozen.fault(self._clock())

    def _look_around(self) -> None:
        """Follow the type that the robot takes, as it may come back with another one."""
        bus, name, kinds = self._bus, self._out.name, self._out.types
        takers, commanders = bus.takers(name), bus.givers(name)
        taken = taken_types(kinds, takers)
        faults = (
            giver_fault(topic.name, topic.types[0], bus.givers(topic.name), bool(topic.reliable))
            for topic in self._wiring.heard.values()
        )
        givers = next(filter(None, faults), "")
        with self._lock:
            if len(taken) == 1 and taken[0] != self._type:
                self._follow(taken[0])
            self._unclear = unclear_fault(name, kinds, takers)
            self._rivals = rival_fault(name, bus.name, commanders)
            self._givers = givers

    def _follow(self, kind: str) -> None:
        """Publish messages of a type. One participant cannot hold two types of a topic.

        The executor lets go of a publisher only behind the callback that ends it: the next one is
        made in the next call.
        """
        if self._outlet is not None:
            self._outlet.close()
            self._outlet, self._type = None, ""
            return
        sinks = [self._wiring.sinks[limit.name] for limit in self._spec.action]
        own = [replace(sink, field=inside(sink.field, kind, self._out)) for sink in sinks]
        self._writer = Writer(kind, own, self._spec.period)
        self._outlet = self._bus.advertise(self._out.name, kind, self._out.reliable is not False)
        self._type = kind


def make_topics_plant(robot: Robot, wiring: Wiring, options: PlantOptions) -> TopicsPlant:
    """Return the plant of a robot on its topics.

    Raises:
        UserError: there is no middleware, a type or field is unknown, or a topic is the graph's.
    """
    if options.bus is None:
        raise UserError("plant topics needs ROS: expected mbmrl launch, or plant twin")
    wiring.check(robot.spec)
    own = {options.bus.resolve(name): name for name in graph_topics()}
    for name, topic in wiring.topics.items():
        if options.bus.resolve(topic.name) in own:
            told = f"{topic.name} is the graph's own: expected the robot's"
            raise UserError(f"topics: {name}: {told}")
    return TopicsPlant(robot.spec, wiring, options.bus, options.clock)


def check(options: PlantOptions) -> None:
    """Raise UserError for settings, which robots of files have in their files."""
    if options.hardware:
        name = next(iter(options.hardware))
        raise UserError(f"hardware.{name}: expected topics in the robot's file")


def make(robot: Robot, options: PlantOptions) -> TopicsPlant:
    """Return the robot of a file on its topics. Raises UserError."""
    check(options)
    assert isinstance(robot, DescribedRobot)
    check_topics(robot.description)
    try:
        return make_topics_plant(robot, wiring_of(robot.description), options)
    except UserError as error:
        raise UserError(f"{robot.description.file}: {error}") from None
