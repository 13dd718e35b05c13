"""Parameters of the node `driver`: those of its loop, those of its plant, and its own."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rclpy.node import Node

from ros_mbmrl.nodes.drive import DriveConfig
from ros_mbmrl.nodes.mocap import listen_for_poses
from ros_mbmrl.nodes.robot_topics import RobotTopics
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import Plant, PlantOptions, PlantSettings
from ros_mbmrl.plants.clock import SteadyTime
from ros_mbmrl.robots import make_robot


@dataclass(frozen=True)
class DriverParameters(PlantSettings, DriveConfig):
    """Parameters of the node `driver`. `delay` is the plant's, and the loop is told of it.

    Args:
        robot: its name.
        plant: name of one of its plants.
        mocap: topic of the robot's pose; empty for none.
        await_nodes: names, joined by commas, of nodes that must listen before the first
            observation.
        run: said in the diagnostics once a command has come, for the recorder of the same graph.
        autostart: whether the driver begins to drive by itself.
    """

    robot: str = "hexapod"
    plant: str = "twin"
    mocap: str = ""
    await_nodes: str = ""
    run: str = ""
    autostart: bool = True


def named_plant(parameters: DriverParameters, node: Node) -> Plant:
    """Return the plant that the parameters name."""
    robot = make_robot(parameters.robot)
    return make_plant(robot, parameters.plant, plant_options(parameters, node))


def plant_options(parameters: DriverParameters, node: Node) -> PlantOptions:
    """Return the options of the plant. Stamps of a real robot are `SteadyTime`."""
    settings = {each.name: getattr(parameters, each.name) for each in fields(PlantSettings)}
    poses = listen_for_poses(node, parameters.mocap) if parameters.mocap else None
    bus = RobotTopics(node)
    return PlantOptions(**settings, poses=poses, clock=SteadyTime(), node=node, bus=bus)
