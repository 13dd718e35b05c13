"""A robot's file: what it becomes, and how each mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import parse_description, read_description
from ros_mbmrl.robots.spec import Envelope, LiveSensor
from tests.robots.described.examples import ARM, BASE, CART, WALKER

PATH = Path("robot.yaml")


def test_a_base() -> None:
    found = parse_description(BASE, PATH)
    assert found.measured == ("x", "y", "qw", "qx", "qy", "qz", "speed", "yaw_rate")
    assert found.drives == ("speed", "yaw_rate")
    assert found.envelope == Envelope(0.25, 0.25, 25.0, (-3.0, 3.0, -3.0, 3.0), 0.3)
    assert [str(found.sources[name].field) for name in ("x", "qz", "yaw_rate")] == [
        "pose.pose.position.x",
        "pose.pose.orientation.z",
        "twist.twist.angular.z",
    ]
    assert found.text == BASE and found.file == PATH


def test_an_arm() -> None:
    found = parse_description(ARM, PATH)
    assert [limit.name for limit in found.action] == ["elbow", "shoulder"]
    assert found.action[0].rate == 100.0  # from one end to the other in a tenth of a second
    assert found.topics["out"].reliable is True and found.topics["joints"].reliable is None
    assert found.fail_together == {"upper": ("shoulder",)}
    assert found.envelope.state_limits == {"shoulder": (-1.5, 1.5)}
    assert found.tasks["reach"].scale == {"shoulder": 0.2, "wrist": 0.1}


def test_a_walker_with_a_twin_alone() -> None:
    found = parse_description(WALKER, PATH)
    assert found.sources == {} and found.command_topic == ""
    assert found.twin is not None and found.twin.items()["model"].value == "walker.xml"
    assert not any(scalar.derived for scalar in found.scalars)


def test_live_sensors_safety_weights_and_defaults() -> None:
    text = BASE.replace("margin: 0.3}", "live_sensors: [{states: [x, y], driven_by: [speed]}]}")
    text += "safety: {jumps: 5}\nweights: {forward: 2}\nplanner: icem\nmethod: mb\n"
    found = parse_description(text, PATH)
    assert found.envelope.live_sensors == (LiveSensor(("x", "y"), ("speed",)),)
    assert found.safety == {"jumps": 5.0} and found.weights == {"forward": 2.0}
    assert (found.planner, found.method) == ("icem", "mb")


def test_topics_with_no_stamp_a_time_of_their_own_or_the_twist_that_is_taken() -> None:
    text = BASE.replace("Odometry}", "Odometry, stamped: false, timeout: 3}")
    found = parse_description(text.replace("geometry_msgs/msg/Twist", "twist"), PATH).topics
    assert (found["odom"].stamped, found["odom"].timeout) == (False, 3.0)
    assert found["odom"].types == ("nav_msgs/msg/Odometry",)
    assert found["drive"].types == ("geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped")
    assert (found["drive"].stamped, found["drive"].timeout) == (True, None)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cart.yaml"
    path.write_text(CART)
    assert read_description(path).name == "cart"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        read_description(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_description(tmp_path / "none.yaml")


# (file, what is written there, what is written instead, the message)
WRONG = [
    (BASE, "name: base", "name: My-Base", "robot.yaml:1: name: expected small letters"),
    (BASE, "kind: planar_base", "kind: plane", "robot.yaml:2: kind: expected one of planar_base"),
    (BASE, "period: 0.1", "period: 0", "robot.yaml:3: period: expected a number above 0, got 0"),
    (BASE, "period: 0.1", "period: 60", "robot.yaml:3: period: expected at most 10 s"),
    (BASE, "period: 0.1\n", "", "robot.yaml:1: expected 'period', which is missing"),
    (BASE, "period:", "perod:", "unknown key: expected .*did you mean 'period'"),
    (BASE, "nav_msgs/msg/Odometry", "Odometry", "robot.yaml:5: topics.odom.type: expected a mess"),
    (BASE, "pose: odom.", "pose: odo.", "measured.pose: unknown topic 'odo': expected one of odom"),
    (BASE, "  pose: odom.pose.pose\n", "", "expected 'measured.pose': where the robot is"),
    (BASE, "linear.x\n", "linear.x\n  q: odom.a.b\n", "measured.q: expected 'unit', which is miss"),
    (BASE, "angular.z\n", "linear.x\n", "'yaw_rate' and 'speed' come from one field"),
    (BASE, "linear.x\n", "linear..x\n", "expected a path such as"),
    (BASE, "speed: odom.twist.twist.linear.x", "speed: {source: odom.a, unit: km/h}", "m/s"),
    (BASE, "topic: drive", "topic: driv", "commands.topic: expected one of odom, drive, got driv"),
    (BASE, "low: -0.3", "low: 0.7", "speed.low: expected a number below high, 0.6, got 0.7"),
    (BASE, "low: -0.3", "low: 0.1", "expected a range with 0 in it"),
    (BASE, "low: -0.3", "low: .nan", "low: expected a finite number, got nan"),
    (BASE, "rate: 3.0", "rate: -1", "rate: expected a number above 0, got -1"),
    (BASE, "field: angular.z", "field: linear.x", "'yaw_rate' and 'speed' go to one field"),
    (BASE, "unit: rad/s", "unit: deg/s", "commands.values.yaw_rate.unit: expected one of"),
    (BASE, "[-3, 3, -3, 3]", "[3, -3, -3, 3]", "envelope.arena: expected .x_low"),
    (BASE, "margin: 0.3", "margin: 4", "robot.yaml:.*: envelope: arena .* has no room"),
    (BASE, "margin: 0.3", "margn: 4", "did you mean 'margin'"),
    (BASE, "margin: 0.3", "state_limits: {z: [0, 1]}", "envelope.state_limits.z: unknown key"),
    (BASE, "margin: 0.3", "state_timeout: 0.1", "state_timeout: expected more than a period, 0.1"),
    (BASE, "Odometry}", "Odometry, timeout: 0}", "topics.odom.timeout: expected a number above 0"),
    (BASE, "Odometry}", "Odometry, stamped: 1}", "topics.odom.stamped: expected true or false"),
    (
        BASE,
        "field: linear.x, unit: m/s",
        "field: linear.x, integrates: yaw, unit: m/s",
        "integrates: expected one of speed, yaw_rate, got yaw",
    ),
    (
        ARM,
        "shoulder, elbow",
        "elbow, elbow",
        "expected a name of letters, digits and _ that no other",
    ),
    (
        ARM,
        "endless: [wrist]",
        "endless: [foot]",
        "expected one of shoulder, elbow, wrist, got foot",
    ),
    (
        ARM,
        "joints: {topic: joints, names: [shoulder, elbow, wrist], endless: [wrist]}\n",
        "",
        "arm",
    ),
    (ARM, "shoulder: 0.5", "shoulde: 0.5", "did you mean 'shoulder'"),
    (ARM, "scale: {shoulder: 0.2}", "scale: 0", "expected a number above 0, got 0"),
    (ARM, "square(elbow_velocity)", "1 / elbow", "expected a finite cost, got .*inf at .*elbow 0"),
    (ARM, "square(elbow_velocity)", "sqrt(elbow)", "expected a finite cost, got nan"),
    (ARM, "square(elbow_velocity)", "foo(elbow)", "unknown function 'foo'"),
    (ARM, "square(elbow_velocity)", "elbw", "unknown name 'elbw'"),
    (ARM, "upper: [shoulder]", "a: [elbow], b: [elbow]", "expected a command that is in no other"),
    (ARM, "kind: arm", "kind: arm\nmeasured: {pose: joints.a}", "kind 'arm' has none"),
    (WALKER, "run: {speed: 0.5}", "run: {heading: 1}", "expected 'speed', which is missing"),
    (CART, "unit: rad, wraps", "unit: m, wraps", "only an angle .rad. wraps, its unit is m"),
    (CART, "unit: rad, wraps", "unit: deg, wraps", "expected rad, got deg: 'scale' turns"),
    (CART, "scale: 0.001", "scale: 0", "expected a factor other than 0"),
    (CART, "  up: {cost", "  up: {goal: {pole: 0}, cost", "expected one of goal, cost, run"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), WRONG)
def test_a_mistake_is_told_in_one_line(text: str, old: str, new: str, message: str) -> None:
    assert old in text
    with pytest.raises(UserError, match=message) as error:
        parse_description(text.replace(old, new, 1), PATH)
    assert str(error.value).startswith("robot.yaml:") and "\n" not in str(error.value)
