"""The simulated robots of the thesis as MuJoCo models: a file a robot, or a row of a table.

Robots that are described by files with a twin have one for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import imported
from ros_mbmrl.robots.described import known
from ros_mbmrl.simulation.simulated.base import Simulation

# robot -> "module:object", called without arguments. Imported on use, as robots are.
SIMULATIONS: Mapping[str, str] = MappingProxyType(
    {
        "half_cheetah": "ros_mbmrl.simulation.simulated.half_cheetah:HalfCheetahSimulation",
        "ant": "ros_mbmrl.simulation.simulated.ant:AntSimulation",
        "arm_7dof": "ros_mbmrl.simulation.simulated.arm_7dof:ArmSimulation",
        "pr2_reach": "ros_mbmrl.simulation.simulated.pr2_tasks:HandSimulation",
        "pr2_insertion": "ros_mbmrl.simulation.simulated.pr2_tasks:InsertionSimulation",
        "pr2_stacking": "ros_mbmrl.simulation.simulated.pr2_tasks:StackingSimulation",
        "swimmer": "ros_mbmrl.simulation.simulated.runner:SWIMMER",
        "snake": "ros_mbmrl.simulation.simulated.runner:SNAKE",
        "hopper": "ros_mbmrl.simulation.simulated.runner:HOPPER",
        "walker2d": "ros_mbmrl.simulation.simulated.runner:WALKER2D",
        "humanoid": "ros_mbmrl.simulation.simulated.runner:HUMANOID",
    }
)


def make_simulation(robot: str) -> Simulation:
    """The simulation of the robot called `robot`. Raises UserError for one that has none."""
    found = known.described().get(robot)
    if found is not None and found.twin is not None:
        from ros_mbmrl.simulation.simulated.described import DescribedSimulation

        return DescribedSimulation(found)
    choose("simulated robot", robot, SIMULATIONS)
    simulation: Simulation = imported(SIMULATIONS[robot])()
    return simulation
