"""`ros2 launch ros_mbmrl collect.launch.py [name:=value ...]`: the graph of `bringup.collect`."""

from launch import LaunchDescription
from ros_mbmrl.nodes.launching import describe


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` asks for."""
    return describe("collect")
