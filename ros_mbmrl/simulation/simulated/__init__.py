"""The simulated robots of the thesis as MuJoCo models: a file a robot, or a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import imported
from ros_mbmrl.simulation.simulated.base import Simulation

# robot -> "module:object", called without arguments. Imported on use, as robots are.
SIMULATIONS: Mapping[str, str] = MappingProxyType(
    {
        "half_cheetah": "ros_mbmrl.simulation.simulated.half_cheetah:HalfCheetahSimulation",
        "ant": "ros_mbmrl.simulation.simulated.ant:AntSimulation",
        "arm_7dof": "ros_mbmrl.simulation.simulated.arm_7dof:ArmSimulation",
        "swimmer": "ros_mbmrl.simulation.simulated.runner:SWIMMER",
        "snake": "ros_mbmrl.simulation.simulated.runner:SNAKE",
        "hopper": "ros_mbmrl.simulation.simulated.runner:HOPPER",
        "walker2d": "ros_mbmrl.simulation.simulated.runner:WALKER2D",
        "humanoid": "ros_mbmrl.simulation.simulated.runner:HUMANOID",
    }
)


def make_simulation(robot: str) -> Simulation:
    """The simulation of the robot called `robot`. Raises UserError for one that has none."""
    choose("simulated robot", robot, SIMULATIONS)
    simulation: Simulation = imported(SIMULATIONS[robot])()
    return simulation
