"""The base on its topics, against one that is not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import Plant, PlantFault, PlantOptions
from ros_mbmrl.robots import make_robot

pytest.importorskip("rclpy")

from geometry_msgs.msg import Twist, TwistStamped  # noqa: E402
from nav_msgs.msg import Odometry  # noqa: E402
from ros_mbmrl.nodes.robot_topics import RobotTopics  # noqa: E402

ROBOT = make_robot("wheeled")
Until = Callable[[Callable[[], bool]], None]


class Clock:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Base:
    """The far side: keeps what it is told, says where it is when asked to."""

    def __init__(self, node: Any, kind: type) -> None:
        self.told: list[tuple[float, float]] = []
        self._odom = node.create_publisher(Odometry, "/odom", 5)
        node.create_subscription(kind, "/cmd_vel", self._on_command, 5)

    def _on_command(self, message: Any) -> None:
        twist = message.twist if isinstance(message, TwistStamped) else message
        self.told.append((twist.linear.x, twist.angular.z))

    def tell(self, at: float, x: float = 1.0, speed: float = 0.2) -> None:
        message = Odometry()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(at * 1e9), 10**9)
        message.pose.pose.position.x, message.pose.pose.position.y = x, 2.0
        message.pose.pose.orientation.w, message.pose.pose.orientation.z = 0.6, 0.8
        message.twist.twist.linear.x, message.twist.twist.angular.z = speed, -0.5
        self._odom.publish(message)


class Rig:
    """A base, the plant that drives it, and the clock of both."""

    def __init__(self, spun: Any, until: Until, kind: type = Twist) -> None:
        self.clock, self.until = Clock(), until
        self.base = Base(spun("base"), kind)
        self.node = spun("driver")
        self.plant: Plant = make_plant(
            ROBOT, "topics", PlantOptions(bus=RobotTopics(self.node), clock=self.clock)
        )

    def hear(self, **odom: float) -> None:
        """Wait until an `odom` of now has come."""
        before = self.plant.counters()["received"]

        def come() -> bool:
            self.base.tell(self.clock.now, **odom)
            time.sleep(0.01)
            return self.plant.counters()["received"] > before

        self.until(come)

    def drive(self, *action: float) -> None:
        """Wait until the base has been told."""

        def told() -> bool:
            try:
                self.plant.command(np.array(action))
            except PlantFault:  # the base is not discovered yet
                return False
            return bool(self.base.told)

        self.until(told)
        assert self.base.told[-1] == action


@pytest.mark.parametrize("kind", [Twist, TwistStamped])
def test_commands_go_out_and_odom_comes_in(spun: Any, until: Until, kind: type) -> None:
    rig = Rig(spun, until, kind)
    with rig.plant as plant:
        rig.drive(0.5, -1.0)
        rig.hear(x=1.5)
        rig.clock.now += 0.05
        measurement = plant.observe()
        assert measurement.time == rig.clock.now
        assert measurement.age == pytest.approx(0.05)
        assert measurement.values.tolist() == [1.5, 2.0, 0.6, 0.0, 0.0, 0.8, 0.2, -0.5]


def test_an_old_number_is_never_given_out(spun: Any, until: Until) -> None:
    rig = Rig(spun, until)
    with rig.plant as plant:
        with pytest.raises(PlantFault, match="/odom: nothing has come yet"):
            plant.observe()
        rig.hear()
        plant.observe()
        rig.clock.now += 0.16
        with pytest.raises(PlantFault, match=r"stamped 0.160 s ago .* expected up to 0.15 s"):
            plant.observe()
        rig.hear()  # and well again
        plant.observe()
        rig.clock.now -= 1.0  # clocks that differ are no better
        with pytest.raises(PlantFault, match="stamped -1.000 s ago"):
            plant.observe()


def test_when_commands_end_it_is_stopped(spun: Any, until: Until) -> None:
    rig = Rig(spun, until)
    with rig.plant as plant:
        rig.drive(0.5, 0.0)
        rig.clock.now += 0.26
        until(lambda: rig.base.told[-1] == (0.0, 0.0))
        assert plant.counters()["timeouts"] == 1


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_every_way_out_stops_it(spun: Any, until: Until, error: type[Exception] | None) -> None:
    rig = Rig(spun, until)
    try:
        with rig.plant:
            rig.drive(0.5, 1.0)
            if error is not None:
                raise error
    except RuntimeError:
        pass
    until(lambda: rig.base.told[-1] == (0.0, 0.0))


def say(plant: Plant, said: list[str]) -> None:
    """Command once; keep what is wrong, if anything is."""
    try:
        plant.command(np.array([0.5, -1.0]))
    except PlantFault as fault:
        said.append(str(fault))


def made(spinner: Any, **hardware: str) -> Plant:
    bus = RobotTopics(spinner.make("driver"))
    options = PlantOptions(bus=bus, clock=time.time, hardware=hardware)
    return make_plant(ROBOT, "topics", options)


@pytest.mark.parametrize("kinds", [(Twist, TwistStamped), (TwistStamped, Twist)])
def test_an_onlooker_of_the_other_type_is_a_fault_until_it_is_told(
    apart: Any, until: Until, kinds: tuple[type, type]
) -> None:
    apart().make("onlooker").create_subscription(kinds[0], "/cmd_vel", lambda _: None, 5)
    base = Base(apart().make("base"), kinds[1])
    said: list[str] = []
    with made(apart()) as plant:
        names = ["onlooker", "base"] if kinds[0] is Twist else ["base", "onlooker"]
        expected = "/cmd_vel is taken as Twist by /wheeled/{} and TwistStamped by /wheeled/{}: "

        def told() -> bool:
            say(plant, said)
            return said[-1:] != [] and said[-1].startswith(expected.format(*names))

        until(told)
    with made(apart(), cmd_vel_type=kinds[1].__name__) as plant:
        until(lambda: say(plant, said) or (0.5, -1.0) in base.told)


@pytest.mark.parametrize(
    ("hardware", "error"),
    [
        ({"odometry": "/x"}, "hardware: .*odometry"),
        ({"odom": 3}, "odom"),
        ({"odom": "odom"}, "own"),
        ({"cmd_vel_type": "Accel"}, "cmd_vel_type: expected one of auto, Twist, TwistStamped"),
        ({"cmd_vel_type": True}, "cmd_vel_type: expected one of auto, Twist, TwistStamped"),
    ],
)
def test_a_wrong_setting_is_one_line(spun: Any, hardware: dict[str, Any], error: str) -> None:
    with pytest.raises(UserError, match=error):
        bus = RobotTopics(spun("driver"))
        make_plant(ROBOT, "topics", PlantOptions(bus=bus, hardware=hardware))


def test_without_ros_it_says_so() -> None:
    with pytest.raises(UserError, match="needs ROS"):
        make_plant(ROBOT, "topics", PlantOptions())
