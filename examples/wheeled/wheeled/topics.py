"""The base itself, on the topics that ROS bases have: `plant:=topics`.

Out goes `cmd_vel`, in comes `odom`. Its pose must come from something that sees the floor (motion
capture, localisation): wheel encoders do not notice a lost tyre. A base that is described by a
YAML file needs none of this: its file says where each number is.
"""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.topics.plant import TopicsPlant, make_topics_plant
from ros_mbmrl.plants.topics.wiring import Wiring
from ros_mbmrl.robots.described.sources import TWIST, RobotTopic, Sink, Source, parse_field
from ros_mbmrl.robots.spec import Robot

TYPES = ("Twist", "TwistStamped")  # which of them a base takes has changed over the years
AUTO = "auto"
ODOMETRY = "nav_msgs/msg/Odometry"


@dataclass(frozen=True)
class Topics:
    """Names of the base's topics; ours lie in the graph's namespace. Parameters `hardware.*`.

    cmd_vel_type: Twist, TwistStamped, or auto: as whoever listens there takes it.
    """

    cmd_vel: str = "/cmd_vel"
    odom: str = "/odom"
    cmd_vel_type: str = AUTO

    def __post_init__(self) -> None:
        for name in ("cmd_vel", "odom"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name}: expected the name of a topic, got {value!r}")
        if self.cmd_vel_type not in (AUTO, *TYPES):
            raise ValueError(
                f"cmd_vel_type: expected one of {', '.join((AUTO, *TYPES))}, "
                f"got {self.cmd_vel_type!r}"
            )

    def wiring(self, robot: Robot) -> Wiring:
        """Return where the base's numbers are: in `odom` at the same places as in our own."""
        kind = TWIST if self.cmd_vel_type == AUTO else f"geometry_msgs/msg/{self.cmd_vel_type}"
        inside = "twist." if self.cmd_vel_type == "TwistStamped" else ""
        names = [quantity.name for quantity in robot.spec.measurement]
        ways = [where.removeprefix("odom.") for where in robot.spec.channels]
        return Wiring(
            topics={
                "odom": RobotTopic(self.odom, ODOMETRY),
                "cmd_vel": RobotTopic(self.cmd_vel, kind),
            },
            sources={
                name: Source("odom", parse_field(way))
                for name, way in zip(names, ways, strict=True)
            },
            command="cmd_vel",
            sinks={
                "speed": Sink(parse_field(f"{inside}linear.x")),
                "yaw_rate": Sink(parse_field(f"{inside}angular.z")),
            },
        )


def check(options: PlantOptions) -> None:
    """Nothing can be told to be wrong before the node is there."""


def make(robot: Robot, options: PlantOptions) -> TopicsPlant:
    """The base. Raises UserError without a node, for an unknown setting, or for our own topics."""
    try:
        topics = Topics(**options.hardware)
    except (TypeError, ValueError) as error:
        raise UserError(f"hardware: {error}") from None
    return make_topics_plant(robot, topics.wiring(robot), options)
