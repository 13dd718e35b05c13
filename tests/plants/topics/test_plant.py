"""The plant on topics in memory: all that must stop a robot, and what starts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("geometry_msgs")
pytest.importorskip("trajectory_msgs")

from nav_msgs.msg import Odometry  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from ros_mbmrl.errors import UserError  # noqa: E402
from ros_mbmrl.plants.base import PlantFault, PlantOptions  # noqa: E402
from ros_mbmrl.plants.topics.bus import End  # noqa: E402
from ros_mbmrl.plants.topics.plant import (  # noqa: E402
    TopicsPlant,
    check,
    make,
    make_topics_plant,
)
from ros_mbmrl.plants.topics.wiring import wiring_of  # noqa: E402
from ros_mbmrl.robots.described.description import Description  # noqa: E402
from ros_mbmrl.robots.described.robot import described_robot  # noqa: E402

TWIST, STAMPED = "geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped"
TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"


class Clock:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(description: Description, bus: Any, clock: Clock) -> TopicsPlant:
    return make(described_robot(description), PlantOptions(bus=bus, clock=clock))


def odom(at: float, speed: float = 0.2) -> Odometry:
    message = Odometry()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(at * 1e9), 10**9)
    message.pose.pose.position.x, message.pose.pose.position.y = 1.0, 2.0
    message.twist.twist.linear.x = speed
    return message


def joints(at: float, *position: float) -> JointState:
    message = JointState(name=["shoulder", "elbow"], position=position, velocity=[0.0, 0.0])
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(at * 1e9), 10**9)
    return message


def told(bus: Any) -> list[tuple[float, float]]:
    return [(message.linear.x, message.angular.z) for _, message in bus.sent]


def listening(bus: Any, kind: str = TWIST, topic: str = "/cmd_vel") -> None:
    bus.ends["taker", topic] = [End("/base", kind)]
    bus.tick()


def test_commands_go_out_and_numbers_come_in(base: Description, bus: Any, clock: Clock) -> None:
    with made(base, bus, clock) as plant:
        listening(bus)
        bus.callbacks["/odom"](odom(999.95))
        measurement = plant.observe()
        assert measurement.values.tolist() == [1.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.2, 0.0]
        assert measurement.age == pytest.approx(0.05)
        plant.command(np.array([0.5, -1.0]))
        assert told(bus) == [(0.5, -1.0)]
        assert plant.counters() == {"received": 1, "sent": 1, "timeouts": 0}


def test_a_base_that_comes_back_with_the_other_type_is_driven(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock) as plant:
        for kind in (TWIST, STAMPED, TWIST):
            listening(bus, kind)
            bus.tick()  # the executor lets go of a publisher behind the callback that ends it
            plant.command(np.array([0.5, -1.0]))
            message = bus.sent[-1][1]
            twist = message.twist if kind == STAMPED else message
            assert (twist.linear.x, twist.angular.z) == (0.5, -1.0)
    assert [outlet.closed for outlet in bus.outlets] == [True, True, True]


def test_nobody_there_is_a_fault_and_so_is_the_wrong_quality(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock) as plant:
        bus.tick()
        with pytest.raises(PlantFault, match="/cmd_vel: nobody takes a Twist or TwistStamped"):
            plant.command(np.zeros(2))
        listening(bus)
        bus.matched = 0
        with pytest.raises(PlantFault, match="/base does not match in quality of service"):
            plant.command(np.zeros(2))
    assert not [each for each in told(bus) if each != (0.0, 0.0)]


def test_others_on_the_topics_are_faults_while_they_are_there(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock) as plant:
        bus.ends["giver", "/cmd_vel"] = [End("/joy", TWIST)]
        listening(bus)
        with pytest.raises(PlantFault, match="/joy publishes there as well"):
            plant.command(np.zeros(2))
        bus.ends["giver", "/cmd_vel"] = []
        bus.ends["giver", "/odom"] = [End("/base", "nav_msgs/msg/Odometry")] * 2
        bus.tick()
        plant.command(np.zeros(2))
        bus.callbacks["/odom"](odom(1000.0))
        with pytest.raises(PlantFault, match="comes from /base and /base"):
            plant.observe()
        bus.ends["giver", "/odom"] = []
        bus.tick()
        plant.observe()
        bus.ends["taker", "/cmd_vel"] = [End("/base", TWIST), End("/view", STAMPED)]
        bus.tick()
        with pytest.raises(PlantFault, match="is taken as Twist by /base and TwistStamped by"):
            plant.command(np.zeros(2))


def test_its_timer_stops_it_when_the_odometry_has_become_stale(
    base: Description, bus: Any, clock: Clock
) -> None:
    """Between two looks of the driver, which are a period apart."""
    with made(base, bus, clock) as plant:
        listening(bus)
        bus.callbacks["/odom"](odom(clock.now))
        plant.observe()
        plant.command(np.array([0.5, 0.0]))
        clock.now += 0.14
        bus.tick()
        assert told(bus) == [(0.5, 0.0)]
        clock.now += 0.02
        bus.tick()
        bus.tick()
        assert told(bus) == [(0.5, 0.0), (0.0, 0.0)]
        assert plant.counters()["timeouts"] == 1
        with pytest.raises(PlantFault, match="stamped 0.160 s ago"):
            plant.observe()


def test_when_commands_end_its_own_timer_stops_it(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock) as plant:
        listening(bus)
        plant.command(np.array([0.5, 0.0]))
        clock.now += 0.25
        bus.tick()
        assert told(bus) == [(0.5, 0.0)]
        clock.now += 0.01
        bus.tick()
        bus.tick()
        assert told(bus) == [(0.5, 0.0), (0.0, 0.0)]
        assert plant.counters()["timeouts"] == 1


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_every_way_out_stops_it_before_the_publisher_goes(
    base: Description, bus: Any, clock: Clock, error: type[Exception] | None
) -> None:
    try:
        with made(base, bus, clock) as plant:
            listening(bus)
            plant.command(np.array([0.5, 1.0]))
            if error is not None:
                raise error
    except RuntimeError:
        pass
    assert told(bus)[-1] == (0.0, 0.0)
    assert bus.outlets[0].closed and not bus.timers and not bus.callbacks


def test_a_robot_that_never_listened_is_sent_nothing(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock) as plant:
        plant.stop()
    assert bus.sent == []


@pytest.mark.parametrize("action", [(0.7, 0.0), (np.nan, 0.0), (0.1,)])
def test_what_is_not_a_command_is_refused(
    base: Description, bus: Any, clock: Clock, action: tuple[float, ...]
) -> None:
    with made(base, bus, clock) as plant, pytest.raises(ValueError, match="action: expected"):
        plant.command(np.array(action))


def test_quality_of_service_is_what_suits_or_what_the_file_says(
    base: Description, bus: Any, clock: Clock
) -> None:
    with made(base, bus, clock):
        listening(bus)
    # Asking for less and offering more suits everybody.
    assert bus.reliable["/odom"] is False
    assert bus.outlets[-1].reliable is True
    topics = {
        "odom": replace(base.topics["odom"], reliable=True),
        "drive": replace(base.topics["drive"], reliable=False),
    }
    with made(replace(base, topics=topics), bus, clock):
        listening(bus)
    assert bus.reliable["/odom"] is True
    assert bus.outlets[-1].reliable is False


def test_transforms_are_heard_with_the_static_ones(
    base: Description, bus: Any, clock: Clock
) -> None:
    from pathlib import Path

    from ros_mbmrl.robots.described.reading import parse_description
    from tests.plants.topics.test_frames import transforms
    from tests.plants.topics.test_inputs import SEVERAL

    text = SEVERAL.replace("[map, base_link]", "[map, odom, base_link]")
    several = parse_description(text, Path("several.yaml"))
    with made(several, bus, clock) as plant:
        bus.callbacks["/tf_static"](transforms(("map", "odom", 0.0, (5.0, 0.0), 0.0)))
        bus.callbacks["/tf"](transforms(("odom", "base_link", 1000.0, (1.0, 0.0), 0.0)))
        with pytest.raises(PlantFault, match="/imu: nothing has come yet"):
            plant.observe()


# A robot that takes positions.


def positions(bus: Any) -> list[list[float]]:
    return [message.points[0].positions.tolist() for _, message in bus.sent]


def test_rates_become_positions_from_the_measured_ones(
    arm: Description, bus: Any, clock: Clock
) -> None:
    with made(arm, bus, clock) as plant:
        listening(bus, TRAJECTORY, "/controller/joint_trajectory")
        with pytest.raises(PlantFault, match="/joint_states: nothing has come yet"):
            plant.command(np.array([1.0, 0.0]))  # where from?
        bus.callbacks["/joint_states"](joints(1000.0, 0.3, 0.1))
        plant.command(np.array([1.0, 0.0]))
        clock.now += 0.1
        plant.stop()
        assert positions(bus) == [pytest.approx([0.4, 0.1]), pytest.approx([0.4, 0.1])]
        clock.now += 5.0  # unheard, it goes on holding what it held
        plant.stop()
        assert positions(bus)[-1] == pytest.approx([0.4, 0.1])


def test_a_robot_that_was_told_no_position_is_told_none_at_the_stop(
    arm: Description, bus: Any, clock: Clock
) -> None:
    with made(arm, bus, clock):
        listening(bus, TRAJECTORY, "/controller/joint_trajectory")
        bus.callbacks["/joint_states"](joints(1000.0, 0.3, 0.1))
    assert bus.sent == []


# What is wrong before anything begins.


def test_without_ros_it_says_so(base: Description) -> None:
    with pytest.raises(UserError, match="base.yaml: plant topics needs ROS: expected"):
        make(described_robot(base), PlantOptions())


@pytest.mark.parametrize("name", ["odom", "command/safe", "/clock"])
def test_the_graphs_own_topics_are_refused(
    base: Description, bus: Any, clock: Clock, name: str
) -> None:
    wrong = replace(base, topics={**base.topics, "odom": replace(base.topics["odom"], name=name)})
    with pytest.raises(UserError, match=f"topics.odom.name: '{name}' is the graph's own"):
        made(wrong, bus, clock)


def test_fields_are_looked_up_before_anything_moves(
    base: Description, bus: Any, clock: Clock
) -> None:
    topics = {**base.topics, "odom": replace(base.topics["odom"], type="std_msgs/msg/Float64")}
    with pytest.raises(UserError, match="Float64 has no 'pose': expected one of data"):
        made(replace(base, topics=topics), bus, clock)


def test_settings_are_in_the_file() -> None:
    check(PlantOptions())
    with pytest.raises(UserError, match="hardware.odom: expected topics in the robot's file"):
        check(PlantOptions(hardware={"odom": "/x"}))


def test_a_topic_of_a_robot_in_python_that_is_the_graphs_own_is_refused(
    base: Description, bus: Any
) -> None:
    wiring = wiring_of(base)
    topics = {**wiring.topics, "odom": replace(wiring.topics["odom"], name="odom")}
    wrong = replace(wiring, topics=topics)
    with pytest.raises(UserError, match="topics: odom: odom is the graph's own: expected the"):
        make_topics_plant(described_robot(base), wrong, PlantOptions(bus=bus))
