"""Where a robot's numbers are: on the topics of its file, or on ours."""

from __future__ import annotations

from ros_mbmrl.data.foreign.layout import columns_of, graph_layout, layout_of
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot


def test_a_described_robot_has_its_own_topics(base: Robot) -> None:
    layout = layout_of(base)
    assert (layout.robot, layout.period) == ("rover", 0.1)
    assert layout.topics == ("/odom", "/cmd_vel")
    assert [column.name for column in layout.measured] == [q.name for q in base.spec.measurement]
    places = {column.name: str(column.field) for column in layout.columns}
    assert places["x"] == "pose.pose.position.x"
    assert places["qz"] == "pose.pose.orientation.z"
    assert places["turn"] == "angular.z"
    names = [column.name for column in layout.measured]
    (four,) = layout.quaternions
    assert [names[k] for k in four] == ["qw", "qx", "qy", "qz"]


def test_joints_and_factors(arm: Robot) -> None:
    layout = layout_of(arm)
    places = {column.name: str(column.field) for column in layout.columns}
    assert places["elbow_velocity"] == "velocity[elbow]"
    assert [(c.name, str(c.field), c.scale) for c in layout.commands] == [
        ("shoulder", "data[0]", 1.0),
        ("elbow", "data[1]", 0.5),
    ]
    assert layout.quaternions == ()


def test_a_robot_of_code_has_our_topics() -> None:
    spec = make_robot("hexapod").spec
    layout = graph_layout(spec)
    assert layout == layout_of(make_robot("hexapod"))
    assert layout.topics[0] == "/hexapod/odom"
    assert layout.commands[0].topic == "/hexapod/command/safe"
    assert str(layout.commands[0].field) == "velocity[left_legs]"
    joints = columns_of(layout.columns, "/hexapod/joint_states")
    assert [str(column.field) for column in joints] == [
        "position[left_legs]",
        "position[right_legs]",
    ]
