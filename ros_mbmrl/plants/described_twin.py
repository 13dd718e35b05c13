"""Twins of robots that files describe: `described_twin:NAME` is that of the robot called NAME."""

from __future__ import annotations

from dataclasses import replace

from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plants.simulated import SimulatedPlant, SimulatedTwin
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.simulation.situations import Situation


def __getattr__(name: str) -> DescribedTwin:
    if name.startswith("__"):
        raise AttributeError(name)
    return DescribedTwin(name)


class DescribedTwin(SimulatedTwin):
    """Factory of the twin of a robot of a file; see `plants.PLANTS`."""

    def check(self, options: PlantOptions) -> None:
        """Raise UserError for a situation that this robot does not have, or a wrong model.

        The model is compiled, which takes a second: a wrong name is told before nodes start.
        """
        from ros_mbmrl.simulation.simulated import make_simulation

        self._situation(replace(options, viewer=False))
        make_simulation(self.robot)

    def make(self, robot: Robot, options: PlantOptions) -> Plant:
        """Return the twin, at the start of `options.path` or where its file says."""
        situation = self._situation(replace(options, viewer=False))
        if options.path and robot.follows_paths:
            situation = replace(situation, start=make_path(options.path).start)
        plant = twin_in(self.robot, situation, options.seed, options.noise, options.delay)
        if not options.viewer:
            return plant
        from ros_mbmrl.plants.viewer import ViewedTwin

        return ViewedTwin(plant)


def twin_in(
    robot: str, situation: Situation, seed: int, noise: float = 1.0, delay: float = 0.0
) -> SimulatedPlant:
    """Return the twin of a robot of a file in a situation.

    Args:
        robot: its name.
        situation: which robot, what fails, and where it begins.
        seed: of its start and of the noise.
        noise: as a share of the file's.
        delay: of every command [s], beside the file's.

    Raises:
        UserError: the robot's model is wrong, or it cannot be in this situation.
    """
    # Late: `check` needs no MuJoCo.
    from ros_mbmrl.simulation.simulated_robots import make_simulated

    return SimulatedPlant(make_simulated(robot, [situation], [seed], noise=noise), delay)
