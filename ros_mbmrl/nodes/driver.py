"""driver: own the plant. `command/safe` is the only way in; every way out stops the robot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_mbmrl.bringup import AT_REST, FIRST_COMMAND, RECORDER
from ros_mbmrl.data.measurement_messages import as_sent
from ros_mbmrl.nodes.drive import DriveLoop, Timing
from ros_mbmrl.nodes.driver_parameters import DriverParameters, named_plant
from ros_mbmrl.nodes.inbox import Inbox
from ros_mbmrl.nodes.links import Links
from ros_mbmrl.nodes.messages import (
    ERROR,
    OK,
    diagnostics,
    nanoseconds,
    owner_of,
    read_command,
    status,
    to_stamp,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.peers import await_listeners, refuse_company
from ros_mbmrl.nodes.process import Ending, guarded, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.plants.base import Latching, Plant, PlantFault
from ros_mbmrl.plants.clock import SteadyTime
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.runtime.alone import alone
from ros_mbmrl.runtime.priority import Work, take

DONE = TransitionCallbackReturn.SUCCESS


class DriverNode(LifecycleNode):
    """Messages around `DriveLoop`.

    Inactive: the plant is there, at rest. Active: the loop runs. plant: makes it; by default the
    one that the parameters name. clock: [s], steady. others, links: see `SafetyNode`.
    """

    def __init__(
        self,
        ending: Ending,
        plant: Callable[[DriverParameters, Node], Plant] = named_plant,
        clock: Callable[[], float] = time.monotonic,
        others: tuple[type, ...] = (),
        links: Links | None = None,
        **options: Any,
    ) -> None:
        super().__init__("driver", automatically_declare_parameters_from_overrides=True, **options)
        self._ending, self._make_plant, self._steady = ending, plant, clock
        self._links = links
        self._settings = p = read_parameters(self, DriverParameters, *others)
        self._spec = make_robot(p.robot).spec
        self._owner = owner_of(self, self._spec)
        self._codec = SensorCodec(self._spec)
        self._inbox = Inbox(clock)
        self._newest = 0  # stamp of the newest observation [ns]
        self._time_of_day = SteadyTime()
        self._begun: dict[str, str] = {}  # said with every timing
        self._stopped = False  # as safety says: whatever comes on command/safe
        self._sensors = {topic: advertise(self, topic) for topic in self._codec.topics}
        self._clock_publisher = advertise(self, "/clock")
        self._diagnostics = advertise(self, "/diagnostics", links)
        self._heard = advertise(self, "command/heard", links)
        listen(self, "command/safe", self._on_command, newest=True, links=links)
        listen(self, "safety/state", self._on_stop_state, links=links)
        self.create_service(Trigger, "driver/rearm", self._on_rearm)
        self._held = ExitStack()
        self._plant: Plant | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._drive: DriveLoop | None = None
        if p.autostart:
            self._plant = self._open()
            self.trigger_configure()
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the plant."""
        self._plant = self._plant or self._open()
        return DONE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the loop."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=guarded(self._ending, self._loop), daemon=True)
        self._thread.start()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the loop and stop the robot."""
        self._halt()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the plant."""
        self.close()
        return DONE

    on_shutdown = on_cleanup

    def close(self) -> None:
        """Stop the robot and let go of it; may be called again."""
        self._halt()
        self._held.close()
        self._plant = None

    def _open(self) -> Plant:
        # Discovery would tell of another driver on this machine too late.
        names = f"{self.get_namespace().rstrip('/')}/{self.get_name()}"
        self._held.enter_context(alone(names, self.context.get_domain_id()))
        return self._held.enter_context(self._make_plant(self._settings, self))

    def _halt(self) -> None:
        self._stop.set()
        # First of all: the loop may be held up by the middleware, as other nodes end, too.
        if self._drive is not None:
            self._drive.halt()
        elif self._plant is not None:
            self._plant.stop()
        if self._plant is not None:
            print(f"{AT_REST} {self._steady():.4f}", flush=True)
        if self._thread is not None:
            self._thread.join(timeout=2.0)
            self._thread = self._drive = None

    def _loop(self) -> None:
        assert self._plant is not None
        if self._links is not None:
            take(Work.URGENT)  # this thread alone; safety's tells of a refusal
        stop = self._stop
        ours = list(self._sensors.values())
        names = list(filter(None, self._settings.await_nodes.split(",")))
        patience = self._settings.startup_timeout
        await_listeners(self, ours, names, stop, self._steady, patience, everywhere=[RECORDER])
        refuse_company(self, (ours[0].topic_name, self.resolve_topic_name("command/safe")))
        loop = self._drive = DriveLoop(
            self._plant,
            self._spec,
            self._inbox,
            self._settings,
            self._publish,
            self._report,
            self._begin,
            self._steady,
            self._tell_fault,
        )
        loop.run(stop)
        if not stop.is_set():
            self._plant.stop()
            self._ending.end(0, f"{self._settings.duration:g} s of control are over")

    def _publish(self, measurement: Measurement, previous: Measurement | None) -> None:
        self._newest = nanoseconds(measurement.time)
        stamp = to_stamp(self._newest)
        if self._plant is not None and self._plant.simulated:
            self._clock_publisher.publish(Clock(clock=stamp))
        tell = partial(self._tell_sensors, measurement, previous)
        if self._links is None:
            tell()
        else:
            self._links.observed(as_sent(measurement), tell)

    def _tell_sensors(self, measurement: Measurement, previous: Measurement | None) -> None:
        for topic, message in self._codec.encode(measurement, previous).items():
            self._sensors[topic].publish(message)

    def _begin(self) -> None:
        """Tell that the first command has come."""
        print(FIRST_COMMAND, flush=True)
        if self._settings.run:
            self._begun = {"run": self._settings.run}

    def _report(self, timing: Timing) -> None:
        values = {**asdict(timing), **self._begun}
        stamp = values.pop("stamp")
        self._diagnostics.publish(
            diagnostics(stamp, status("driver", "timing", self._owner, values))
        )

    def _tell_fault(self, reason: str) -> None:
        counters = {} if self._plant is None else self._plant.counters()
        values = {"fault": reason, **counters}
        level = ERROR if reason else OK
        line = status("driver", "plant", self._owner, values, level, reason)
        self._diagnostics.publish(diagnostics(self._stamp_of(reason), line))
        if reason:
            self.get_logger().error(reason, throttle_duration_sec=1.0)

    def _stamp_of(self, fault: str) -> int:
        """Return the newest observation's stamp [ns]; with a fault there is none to be stamped as.

        Then a real robot's is the time of day, as of its observations. A twin's time stands still.
        """
        real = self._plant is not None and not self._plant.simulated
        return nanoseconds(self._time_of_day()) if fault and real else self._newest

    def _on_rearm(self, _: Any, response: Any) -> Any:
        """Let go what latches in the plant itself (a run-stop), as safety/reset does not."""
        try:
            if isinstance(self._plant, Latching):
                self._plant.rearm()
            response.success, response.message = True, "armed: safety/reset lets it go again"
        except PlantFault as fault:
            response.success, response.message = False, f"refused: {fault}"
        return response

    def _on_command(self, message: JointState) -> None:
        self._take(message)
        self._heard.publish(message)  # as it came, taken or not: safety knows what it sent

    def _take(self, message: JointState) -> None:
        try:
            stamp, action = read_command(self._spec, message)
            self._check(action)
        except ValueError as error:
            self._inbox.reject()
            self.get_logger().warning(f"command/safe: {error}", throttle_duration_sec=5.0)
            return
        assert action is not None
        self._inbox.deliver(stamp, action)

    def _check(self, action: Array | None) -> None:
        """Raise ValueError for a command that the plant must not be told."""
        low, high = self._spec.action_low, self._spec.action_high
        # NaN is neither above nor below anything.
        if action is None or not ((action >= low) & (action <= high)).all():
            raise ValueError(f"expected finite numbers within the robot's limits, got {action}")
        if self._stopped and (action != self._spec.rest).any():
            raise ValueError("safety says stop, expected rest")

    def _on_stop_state(self, message: Bool) -> None:
        """Stop at once: a stop comes this way, too, so that it does not hang on one topic."""
        self._stopped = message.data
        if self._stopped:
            self._inbox.override(self._spec.rest)


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process."""
    return [DriverNode(ending)]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build, work=Work.URGENT))


if __name__ == "__main__":
    main()
