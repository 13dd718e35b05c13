"""The simulated robots of the thesis, section 9.4, as MuJoCo models: one file a robot."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import imported
from ros_mbmrl.simulation.simulated.base import Simulation

# robot -> "module:class". Imported on use, as robots are.
SIMULATIONS: Mapping[str, str] = MappingProxyType(
    {
        "half_cheetah": "ros_mbmrl.simulation.simulated.half_cheetah:HalfCheetahSimulation",
        "ant": "ros_mbmrl.simulation.simulated.ant:AntSimulation",
        "arm_7dof": "ros_mbmrl.simulation.simulated.arm_7dof:ArmSimulation",
    }
)


def make_simulation(robot: str) -> Simulation:
    """The simulation of the robot called `robot`. Raises UserError for one that has none."""
    choose("simulated robot", robot, SIMULATIONS)
    simulation: Simulation = imported(SIMULATIONS[robot])()
    return simulation
