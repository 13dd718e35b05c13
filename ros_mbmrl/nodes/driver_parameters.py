"""Parameters of the node `driver`, and what they say to its loop and to its plant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node

from ros_mbmrl.nodes.drive import DriveConfig
from ros_mbmrl.nodes.mocap import listen_for_poses
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plants.clock import SteadyTime
from ros_mbmrl.robots import make_robot


@dataclass(frozen=True)
class DriverParameters:
    """Parameters of the node `driver`.

    plant, and what it is told: see `PlantOptions`. mocap: topic of the robot's pose, if any.
    delay: as in `PlantOptions` and in `DriveConfig`: a twin's commands are made that late.
    await_nodes: names, joined by commas, of nodes that must listen before the first observation.
    run: said in the diagnostics once a command has come, for the recorder of the same graph.
    The rest as in `DriveConfig`.
    """

    robot: str = "hexapod"
    plant: str = "twin"
    terrain: str = "carpet"
    noise: float = 1.0
    fault: str = ""
    path: str = ""
    seed: int = 0
    duration: float = 0.0
    lockstep: bool = False
    viewer: bool = False
    delay: float = 0.0
    port: str = ""
    mocap: str = ""
    hardware: dict[str, Any] = field(default_factory=dict)
    startup_timeout: float = 60.0
    answer_timeout: float = 20.0
    await_nodes: str = ""
    run: str = ""
    autostart: bool = True

    def __post_init__(self) -> None:
        _ = self.drive  # refuses wrong numbers

    @property
    def drive(self) -> DriveConfig:
        """Return the configuration of the loop. Raises ValueError."""
        return DriveConfig(
            duration=self.duration,
            lockstep=self.lockstep,
            startup_timeout=self.startup_timeout,
            answer_timeout=self.answer_timeout,
            delay=self.delay,
        )


def named_plant(parameters: DriverParameters, node: Node) -> Plant:
    """Return the plant that the parameters name."""
    robot = make_robot(parameters.robot)
    return make_plant(robot, parameters.plant, plant_options(parameters, node))


def plant_options(parameters: DriverParameters, node: Node) -> PlantOptions:
    """Return what the plant is told. Stamps of a real robot are `SteadyTime`."""
    p = parameters
    return PlantOptions(
        terrain=p.terrain,
        noise=p.noise,
        fault=p.fault,
        path=p.path,
        seed=p.seed,
        viewer=p.viewer,
        delay=p.delay,
        port=p.port,
        poses=listen_for_poses(node, p.mocap) if p.mocap else None,
        clock=SteadyTime(),
        node=node,
        hardware=p.hardware,
    )
