"""Nodes over a real middleware, in one process, around a plant without physics."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSCompatibility, qos_check_compatible
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.driver import DriverNode
from ros_mbmrl.nodes.messages import command_message, from_stamp, path_message, read_path
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.reference import ReferenceNode
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.teleop import TeleopNode
from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.topics import TOPICS

Until = Callable[[Callable[[], bool]], None]


def given(**parameters: Any) -> list[Parameter[Any]]:
    return [Parameter(name, value=value) for name, value in parameters.items()]


class Proposer(Node):
    """Answers every state with the same command, while `silent` is not set; keeps what it sees."""

    def __init__(self, context: Any, wanted: float = 5.0) -> None:
        super().__init__("proposer", context=context)
        self.wanted, self.silent = wanted, False
        self.safe: list[list[float]] = []
        self.stopped: list[bool] = []
        self.paths: list[np.ndarray] = []
        self._out = advertise(self, "command/proposed")
        listen(self, "odom", self._on_state)
        listen(self, "command/safe", lambda m: self.safe.append(list(m.velocity)))
        listen(self, "safety/state", lambda m: self.stopped.append(m.data))
        listen(self, "reference", lambda m: self.paths.append(read_path(m)))

    def _on_state(self, message: Any) -> None:
        if not self.silent:
            action = np.full(2, self.wanted)
            self._out.publish(command_message(SPEC, action, from_stamp(message.header.stamp)))


class Rig:
    """Driver, safety, reference and a proposer."""

    def __init__(self, context: Any, plant: Any, **driver: Any) -> None:
        self.plant, self.ending = plant, Ending()
        lockstep = driver.get("lockstep", False)
        self.driver = DriverNode(
            self.ending,
            lambda *_: plant.__enter__() and plant,
            context=context,
            parameter_overrides=given(await_nodes="safety,reference,proposer", **driver),
        )
        frozen = driver.get("use_sim_time", False)
        self.safety = SafetyNode(
            context=context,
            parameter_overrides=given(adaptation=False, lockstep=lockstep, use_sim_time=frozen),
        )
        self.reference = ReferenceNode(context=context, parameter_overrides=given(path="left"))
        self.proposer = Proposer(context)
        self.nodes = (self.driver, self.safety, self.reference, self.proposer)

    def call(self, name: str, until: Until) -> Any:
        client = self.proposer.create_client(Trigger, name)
        until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        until(future.done)
        return future.result()


def test_lockstep_ends_by_itself_after_its_duration(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant, lockstep=True, duration=2.0)
    spin(*rig.nodes)
    until(rig.ending.event.is_set)
    assert rig.ending.status == 0
    assert plant.now == pytest.approx(2.0)
    commands = [entry for entry in plant.log if isinstance(entry, tuple)]
    assert commands == [(0.0, 0.0)] * 2 + [(5.0, 5.0)] * 18  # sure of the third state
    until(lambda: len(rig.proposer.paths) == 1)
    start = rig.proposer.paths[0][0]
    assert start == pytest.approx([0.0, 0.0], abs=1e-9)


def test_publishers_and_subscribers_are_compatible(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    teleop = TeleopNode(Ending(), context=context)
    spin(*rig.nodes, teleop)
    node = rig.proposer
    until(lambda: bool(rig.proposer.safe))
    pairs = 0
    for topic in TOPICS:
        for publisher in node.get_publishers_info_by_topic(topic.name):
            for subscriber in node.get_subscriptions_info_by_topic(topic.name):
                verdict, reason = qos_check_compatible(
                    publisher.qos_profile, subscriber.qos_profile
                )
                assert verdict == QoSCompatibility.OK, f"{topic.name}: {reason}"
                pairs += 1
    assert pairs > 15
    writers = {info.node_name for info in node.get_publishers_info_by_topic("command/safe")}
    assert writers == {"safety"}


def test_nobody_who_must_see_every_command_loses_one(context: Any, until: Until) -> None:
    node, seen = Node("watcher", context=context), []
    out = advertise(node, "command/safe")
    watcher = listen(node, "command/safe", seen.append)
    until(lambda: out.get_subscription_count() == 1)
    for stamp in range(8):  # all of them before the watcher's executor turns once
        out.publish(command_message(SPEC, np.zeros(2), stamp))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    until(lambda: executor.spin_once(timeout_sec=0.01) or len(seen) == 8)
    assert [from_stamp(message.header.stamp) for message in seen] == list(range(8))
    node.destroy_subscription(watcher)
    executor.shutdown()
    node.destroy_node()


def test_stop_and_reset(context: Any, plant: Any, spin: Any, until: Until) -> None:
    rig = Rig(context, plant)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    assert rig.call("safety/stop", until).success
    until(lambda: bool(rig.proposer.stopped) and rig.proposer.stopped[-1])
    until(lambda: rig.proposer.safe[-1] == [0.0, 0.0])
    until(lambda: plant.action.tolist() == [0.0, 0.0])
    until(lambda: rig.call("safety/reset", until).success)
    until(lambda: not rig.proposer.stopped[-1])
    until(lambda: rig.proposer.safe[-1] == [5.0, 5.0])


@pytest.mark.parametrize("frozen", [False, True])
def test_silence_is_held_and_then_gone_on_from(
    context: Any, plant: Any, spin: Any, until: Until, frozen: bool
) -> None:
    """Also where ROS time stands still: nobody publishes `/clock` over a plant that is real."""
    plant.simulated = not frozen
    rig = Rig(context, plant, use_sim_time=frozen)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    rig.proposer.silent = True
    until(lambda: plant.action.tolist() == [0.0, 0.0])
    rig.proposer.silent = False

    def walks_again() -> bool:
        if rig.proposer.stopped[-1:] == [True]:  # on a busy machine the state is lost meanwhile
            rig.call("safety/reset", until)
        return bool(rig.proposer.safe[-1] == [5.0, 5.0])

    until(walks_again)


def test_the_driver_stops_a_plant_that_nobody_commands(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    rig.proposer.silent = True
    rig.safety.destroy_timer(next(iter(rig.safety.timers)))
    until(lambda: "stop" in plant.log)


def test_the_lifecycle_stops_and_starts_the_driver(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    assert rig.driver.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert plant.log[-1] == "stop"
    seen = plant.now
    assert rig.driver.trigger_activate() == TransitionCallbackReturn.SUCCESS
    until(lambda: plant.now > seen)


def test_another_path_takes_the_named_ones_place(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    out = advertise(rig.proposer, "reference/set")
    spin(*rig.nodes)
    until(lambda: len(rig.proposer.paths) == 1 and out.get_subscription_count() == 1)
    out.publish(path_message([(0.0, 0.0), (1.0, 1.0)], 0))
    until(lambda: len(rig.proposer.paths) == 2)
    assert rig.proposer.paths[1].tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_a_robot_that_cannot_be_heard_is_stopped_until_reset(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    plant.simulated = False
    rig = Rig(context, plant)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    plant.fault = "radio: no reply"
    until(lambda: rig.proposer.stopped[-1:] == [True])
    until(lambda: bool((plant.action == 0.0).all()))
    assert rig.call("driver/rearm", until).message == "refused: radio: no reply"
    refused = rig.call("safety/reset", until)
    assert not refused.success and "radio: no reply" in refused.message
    plant.fault = ""
    assert rig.call("driver/rearm", until).success and "armed" in plant.log
    driven = len(plant.log)
    until(lambda: rig.call("safety/reset", until).success)
    until(lambda: (5.0, 5.0) in plant.log[driven:])


def test_a_command_that_was_changed_on_its_way_stops_the_robot(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    spin(*rig.nodes)
    until(lambda: [5.0, 5.0] in rig.proposer.safe)
    changed = command_message(SPEC, np.array([5.0, 5.5]), rig.driver._newest)
    rig.driver._on_command(changed)
    until(lambda: rig.proposer.stopped[-1:] == [True])
    assert "the driver heard a command that is not safety's" in rig.safety._monitor.stop_reason
    until(lambda: plant.action.tolist() == [0.0, 0.0])


def test_a_start_nobody_listens_to_fails_by_name(
    context: Any, plant: Any, spin: Any, until: Until, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = Ending()
    driver = DriverNode(
        ending,
        lambda *_: plant,
        context=context,
        parameter_overrides=given(await_nodes="ghost", startup_timeout=0.2),
    )
    spin(driver)
    until(ending.event.is_set)
    assert ending.status == 1
    until(lambda: "not there in 0.2 s: ghost" in capsys.readouterr().err)


def test_a_second_driver_of_the_same_name_is_refused(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    other = Node("other", context=context)
    advertise(other, "odom")
    rig = Rig(context, plant)
    spin(*rig.nodes, other)
    until(rig.ending.event.is_set)
    assert rig.ending.status == 1
    assert plant.log == []


def test_teleop_needs_its_dead_man_button(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    rig = Rig(context, plant)
    rig.proposer.destroy_publisher(rig.proposer._out)  # only one may propose
    rig.proposer.silent = True
    teleop = TeleopNode(Ending(), context=context, parameter_overrides=given(joy_timeout=60.0))
    out = advertise(rig.proposer, "joy")
    spin(*rig.nodes, teleop)
    until(lambda: out.get_subscription_count() == 1)
    held = Joy(axes=[0.0, 1.0], buttons=[0, 0, 0, 0, 1])

    def driven() -> bool:
        out.publish(held)  # best effort: said until it is heard
        return plant.action.tolist() == (0.5 * SPEC.action_high).tolist()

    until(driven)
    held.buttons[4] = 0

    def released() -> bool:
        out.publish(held)
        return plant.action.tolist() == [0.0, 0.0]

    until(released)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"colour": "red"}, "unknown parameter 'colour': expected one of"),
        ({"lockstep": "yes"}, "parameter 'lockstep': expected bool, got 'yes'"),
        ({"monitor.limited_range": 3.0}, "limited_range: expected 0.0 to 1.0, got 3.0"),
        ({"monitor.mood": 3.0}, "mood"),
        ({"robot": "cat"}, "unknown robot 'cat'"),
        ({"limits": 3}, "parameter 'limits': expected a group of settings by name, got 3"),
        ({"check_period": 1}, "check_period: expected above 0 s, up to 0.095 s"),
        ({"check_period": 0}, "check_period: expected above 0 s"),
    ],
)
def test_parameters_are_checked(context: Any, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as error:
        SafetyNode(context=context, parameter_overrides=given(**parameters))
    assert expected in str(error.value)


def test_parameters_are_read_once(context: Any) -> None:
    node = SafetyNode(context=context, parameter_overrides=given(check_period=0.05))
    result = node.set_parameters(given(lockstep=True))[0]
    assert not result.successful and result.reason.endswith("read-only parameter: lockstep.")
    assert node.describe_parameter("lockstep").description == "read when the node starts"
    node.destroy_node()


def test_nodes_without_a_model_do_not_import_torch() -> None:
    modules = ("driver", "safety", "reference", "recorder", "teleop", "adaptive")
    imports = "; ".join(f"import ros_mbmrl.nodes.{name}" for name in modules)
    code = f"{imports}; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("module", "parameter", "expected"),
    [
        ("safety", "colour:=red", "unknown parameter"),
        ("safety", "monitor.lost_after:=0.5", "lost_after: expected 1.0 to 100.0, got 0.5"),
        ("safety", "monitor.jumps:=many", "jumps: expected 2 to 1000, got 'many'"),
        ("safety", "limits.left_legs:=[5.0, 3.0]", "expected low below high, got 5 and 3"),
        ("recorder", "robot:=hexapod", "must be"),
    ],
)
def test_a_node_with_bad_input_ends_with_one_line(
    module: str, parameter: str, expected: str
) -> None:
    line = [sys.executable, "-m", f"ros_mbmrl.nodes.{module}", "--ros-args", "-p", parameter]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert expected in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_stop_does_not_hang_on_one_topic(
    context: Any, plant: Any, spin: Any, until: Until
) -> None:
    """Whatever goes on on `command/safe`, the driver hears of the stop all the same."""
    rig = Rig(context, plant)
    stop = advertise(rig.proposer, "safety/state")
    spin(*rig.nodes)
    until(lambda: plant.action.any())
    stop.publish(Bool(data=True))
    until(lambda: not plant.action.any())
    assert rig.safety._monitor.stopped is False  # safety itself let it walk
    # Legs that stand though they are driven: it finds out.
    until(lambda: rig.safety._monitor.stopped)
