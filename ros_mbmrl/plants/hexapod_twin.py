"""The hexapod's twin, from launch arguments, which are checked without MuJoCo."""

from __future__ import annotations

from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.simulation.calibration import make_grounds
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.randomisation import Physics


def check(options: PlantOptions) -> None:
    """Raise UserError for an unknown terrain or fault."""
    make_grounds(options.terrain, options.seed)
    if options.fault:
        Fault.parse(options.fault)


def make(robot: Robot, options: PlantOptions) -> Plant:
    """Return the twin, at the start of `options.path` or at the origin. Raises UserError."""
    from ros_mbmrl.plants.twin import TwinConfig, TwinPlant

    check(options)
    faults = (Fault.parse(options.fault),) if options.fault else ()
    start = make_path(options.path).start if options.path else (0.0, 0.0, 0.0)
    physics = Physics(process_noise=options.noise, latency=options.delay)
    plant = TwinPlant(robot, TwinConfig(options.terrain, faults, physics, options.seed, start))
    if not options.viewer:
        return plant
    from ros_mbmrl.plants.viewer import ViewedTwin

    return ViewedTwin(plant)
