"""The PR2's left arm before a box with a hole, or a base with a stud: contact in MuJoCo.

The arm is that of `sim/pr2_arm.xml`: the counterbalance carries the arm (`gravcomp`), not what the
hand holds. The held object alone collides, with box or base; the arm's own links do not. Joint
limits are MuJoCo's. The law by which the robot itself limits efforts by speed (`pr2_limits`) acts
every millisecond, and commands here are held for a control period: it is damping (`_damp`).
Contacts are stiff to 4 ms, twice the step: harder ones shake, softer ones give way by more than the
clearance under the arm's torques.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ros_mbmrl.robots.pr2_kinematics import POINTS, tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.pr2_tasks import BLOCK, PEG, PR2Hand, PR2Insertion, PR2Reach, PR2Stacking
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.base import Simulation, Spans
from ros_mbmrl.simulation.situations import Factors, Terrain

TICK = 0.002  # [s]
FRICTION = (0.5, 0.005, 0.0001)  # smooth plastic: sliding, torsional, rolling
SOFTNESS = (0.004, 1.0)  # of contacts: time constant [s], damping ratio
FLOOR = 0.02  # thickness below a hole [m]
STAND = 0.05  # height of the base below its stud [m]
WOOD, PLASTIC = (0.72, 0.53, 0.3, 1.0), (0.2, 0.45, 0.8, 1.0)

Box = tuple[tuple[float, float, float], tuple[float, float, float]]  # centre and half-widths [m]


class HandSimulation(Simulation):
    """The arm with nothing in its hand; see `Simulation`."""

    robot: PR2Hand = PR2Reach()
    body = "l_shoulder_pan_link"
    substeps = round(robot.spec.period / TICK)
    tasked = True

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """Return the arm, what it holds, and what stands before it."""
        spec = mujoco.MjSpec.from_file(str(sim_path("pr2_arm.xml")))
        spec.option.timestep = TICK
        self.furnish(spec)
        return spec

    def model(self, terrain: Terrain, physics: Factors) -> mujoco.MjModel:
        """Compile the arm; see `Simulation.model`."""
        model = super().model(terrain, Factors())
        _damp(model, self.robot)
        if physics != Factors():
            self._scale(model, physics)
        return model

    def furnish(self, spec: mujoco.MjSpec) -> None:  # noqa: B027
        """Add the held object and the fixed one; here there is none."""

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draw angles around the task's start, at rest."""
        task = self.robot.task
        drawn = np.array(task.start) + rng.uniform(-task.spread, task.spread, 7)
        return drawn, np.zeros(7)

    def measure(
        self, models: Sequence[mujoco.MjModel], states: Array, spans: Spans, controls: Array
    ) -> Array:
        """Return angles, velocities, and the points by forward kinematics, as the robot's node."""
        moved = super().measure(models, states, spans, controls)
        return np.concatenate([moved, tool_points(moved[..., :7])], axis=-1)


class InsertionSimulation(HandSimulation):
    """A square peg in the hand, and a box with a square hole."""

    robot = PR2Insertion()

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Add peg and box; the hole is where the peg is at the goal."""
        peg = PEG
        length = peg.tip - peg.back
        middle = (peg.tip + peg.back) / 2
        _hold(spec, [((middle, 0, 0), (length / 2, peg.half, peg.half))], peg.mass)
        rim = peg.tip - peg.inserted  # of the hole, along the hand's axis at the goal
        hole, half = peg.half + peg.clearance, peg.depth / 2
        bottom = ((0.0, 0.0, -peg.depth - FLOOR / 2), (peg.box, peg.box, FLOOR / 2))
        _stand(spec, self.robot, rim, [*_walls(hole, peg.box, -half, half), bottom])


class StackingSimulation(HandSimulation):
    """A hollow block in the hand, and a base with a stud."""

    robot = PR2Stacking()

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Add block and base; the block sits on the base at the goal."""
        block = BLOCK
        closed = block.bottom - block.hollow
        stem = (
            ((block.back + block.top) / 2, 0.0, 0.0),
            (
                (block.top - block.back) / 2,
                block.stud,
                block.stud,
            ),
        )
        plate = (
            ((block.top + closed) / 2, 0.0, 0.0),
            (
                (closed - block.top) / 2,
                block.half,
                block.half,
            ),
        )
        inner, middle = block.stud + block.clearance, (closed + block.bottom) / 2
        walls = _walls(inner, block.half, 0.0, block.hollow / 2)
        # The hand's axis is x: what is upright in `_walls` lies along it.
        along = [((middle, y, x), (h, b, a)) for (x, y, _), (a, b, h) in walls]
        _hold(spec, [stem, plate, *along], block.mass)
        base = ((0.0, 0.0, -STAND / 2), (block.base, block.base, STAND / 2))
        stud = ((0.0, 0.0, block.height / 2), (block.stud, block.stud, block.height / 2))
        _stand(spec, self.robot, block.bottom, [base, stud])


def _damp(model: mujoco.MjModel, robot: PR2Hand) -> None:
    """Give each joint the damping with which full torque reaches the speed that the law allows.

    The law lets k (v_max - v) through: with damping d and friction f that ends at the speed
    v = (k v_max - f) / (k + d). Slower motions are damped more than on the robot.
    """
    for k, (joint, limit) in enumerate(zip(JOINTS, robot.spec.action, strict=True)):
        damping, friction = model.dof_damping[k], model.dof_frictionloss[k]
        speed = joint.k_velocity * joint.velocity - friction
        speed /= joint.k_velocity + damping
        model.dof_damping[k] = max(damping, (limit.high - friction) / speed)


def _walls(inner: float, outer: float, z: float, half: float) -> list[Box]:
    """Return four walls around a square hole, from `inner` to `outer` beside its axis [m]."""
    middle, thick = (inner + outer) / 2, (outer - inner) / 2
    return [
        ((middle, 0.0, z), (thick, outer, half)),
        ((-middle, 0.0, z), (thick, outer, half)),
        ((0.0, middle, z), (inner, thick, half)),
        ((0.0, -middle, z), (inner, thick, half)),
    ]


def _hold(spec: mujoco.MjSpec, boxes: list[Box], mass: float) -> None:
    """Fix an object of boxes to the hand, in the tool's frame; its mass goes by volume."""
    body = spec.body("l_gripper_tool_frame").add_body(name="held")
    volume = sum(math.prod(half) for _, half in boxes)
    for centre, half in boxes:
        geom = _box(body, centre, half, PLASTIC)
        geom.mass = mass * math.prod(half) / volume


def _stand(spec: mujoco.MjSpec, robot: PR2Hand, along: float, boxes: list[Box]) -> None:
    """Fix boxes to the world: their origin is on the hand's axis at the goal, at `along` [m]."""
    points = robot.task.points.reshape(3, 3)
    x_of_points = float(POINTS[:, 0].mean())
    # The hand points straight down, and the points' centre is on its axis.
    origin = points.mean(axis=0) - np.array([0.0, 0.0, along - x_of_points])
    side = points[0] - points[1]  # along the hand's z
    yaw = math.atan2(side[1], side[0])
    body = spec.worldbody.add_body(
        name="fixed", pos=origin, quat=[math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
    )
    for centre, half in boxes:
        _box(body, centre, half, WOOD)


def _box(
    body: mujoco.MjsBody,
    centre: tuple[float, float, float],
    half: tuple[float, float, float],
    colour: tuple[float, float, float, float],
) -> mujoco.MjsGeom:
    return body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=centre,
        size=half,
        rgba=colour,
        contype=1,
        conaffinity=1,
        friction=FRICTION,
        solref=SOFTNESS,
    )
