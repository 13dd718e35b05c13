"""URDF of a robot, made of its MJCF.

`python -m ros_mbmrl.simulation.urdf ROBOT > sim/urdf/ROBOT.urdf` makes those that are shipped.
For RViz and for robot_state_publisher: links are called as the frames of `frames.py`, joints as in
`joint_states`, and the kinematics are MuJoCo's. Masses and contacts are not in it: the MJCF is what
is simulated. The root is `base_link`; how it moves in `odom` is no joint.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import numpy as np

from ros_mbmrl.data.measurement_messages import joint_names
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.hexapod_causes import LEGS
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.frames import BASE, Frames, make_frames

Element = ElementTree.Element
HINGE = int(mujoco.mjtJoint.mjJNT_HINGE)
GEOM = mujoco.mjtGeom
FASTEST = 100.0  # [rad/s]: URDF wants a number where no limit is known


def make_urdf(robot: str) -> str:
    """Return the URDF of the robot called `robot`, as text.

    Raises:
        UserError: it has no MuJoCo model.
    """
    frames = make_frames(robot)
    return _Urdf(robot, frames, _joint_names(robot, frames.posture.model)).text()


def _joint_names(robot: str, model: mujoco.MjModel) -> Mapping[int, tuple[str, str]]:
    """Return joint -> its name in `joint_states`, and that of the joint that it mimics or ''."""
    if robot == "hexapod":  # one motor a side, which drives the middle leg
        found = {}
        for leg in LEGS:
            motor = f"{leg.split('_')[1]}_legs"  # of leg_left_front and its like
            driven = leg.endswith("_middle")
            found[model.joint(leg).id] = (motor, "") if driven else (leg, motor)
        return found
    spec = make_robot(robot).spec
    names, found = joint_names(spec), {}
    places = {int(model.jnt_qposadr[joint]): joint for joint in range(model.njnt)}
    for k, where in enumerate(map(channel, spec.channels)):
        # The state, and so the measurement, of all these robots begins with MuJoCo's positions.
        if where.topic == "joint_states" and where.way[0] == "position" and k in places:
            found[places[k]] = names[int(where.way[1])], ""
    return found


class _Urdf:
    """The document while it is made."""

    def __init__(self, robot: str, frames: Frames, names: Mapping[int, tuple[str, str]]) -> None:
        self._frames, self._model, self._names = frames, frames.posture.model, names
        self._root = Element("robot", name=robot)

    def text(self) -> str:
        """Return the document."""
        frames, model = self._frames, self._model
        self._link(BASE, frames.trunk)
        for each in frames.fixed():
            if each.parent == BASE and each.child not in frames.names:
                self._link(each.child)
                self._joint(f"{each.child}_mount", "fixed", BASE, each.child, each.translation)
        for body in range(1, model.nbody):
            if body != frames.trunk:
                self._body(body)
        ElementTree.indent(self._root)
        return f'<?xml version="1.0"?>\n{ElementTree.tostring(self._root, "unicode")}\n'

    def _body(self, body: int) -> None:
        """Add a body's link and the chain of joints that it hangs on.

        MuJoCo turns a body about an anchor that need not be its origin, and one body may have
        several joints; URDF turns one link about its own origin. So each further joint has a link
        of its own, and an anchor elsewhere is undone by a fixed joint.
        """
        model, link = self._model, self._frames.names[body]
        parent, place = self._frames.parent(body), np.array(model.body_pos[body])
        turn, first = np.array(model.body_quat[body]), int(model.body_jntadr[body])
        joints = range(first, first + int(model.body_jntnum[body]))
        anchor = np.zeros(3)
        for joint in joints:
            if model.jnt_type[joint] != HINGE or model.qpos0[model.jnt_qposadr[joint]] != 0:
                raise ValueError(f"{link}: expected hinges whose zero is the model's")
            there = np.array(model.jnt_pos[joint])
            last = joint == joints[-1] and not there.any()
            child = link if last else f"{link}_{model.joint(joint).name}"
            self._link(child, body if last else None)
            self._hinge(joint, parent, child, place + _turned(there - anchor, turn), turn)
            parent, place, turn, anchor = child, np.zeros(3), np.array([1.0, 0, 0, 0]), there
        if parent != link:
            self._link(link, body)
            self._joint(f"{link}_mount", "fixed", parent, link, place - anchor, turn)

    def _hinge(self, joint: int, parent: str, child: str, place: Array, turn: Array) -> None:
        model = self._model
        name, mimics = self._names[joint]
        limited = bool(model.jnt_limited[joint])
        made = self._joint(
            name, "revolute" if limited else "continuous", parent, child, place, turn
        )
        ElementTree.SubElement(made, "axis", xyz=_numbers(model.jnt_axis[joint]))
        if limited:
            low, high = model.jnt_range[joint]
            facts = {"lower": low, "upper": high, "effort": self._effort(joint)}
            words = {key: _numbers([value]) for key, value in facts.items()}
            ElementTree.SubElement(made, "limit", words, velocity=_numbers([FASTEST]))
        if mimics:
            ElementTree.SubElement(made, "mimic", joint=mimics)

    def _effort(self, joint: int) -> float:
        """Return the largest torque of a joint's motor [N m]; 0 for a joint without one."""
        model = self._model
        motors = [k for k in range(model.nu) if model.actuator_trnid[k, 0] == joint]
        return max(
            (float(model.actuator_gear[k, 0] * model.actuator_ctrlrange[k, 1]) for k in motors),
            default=0.0,
        )

    def _joint(
        self,
        name: str,
        kind: str,
        parent: str,
        child: str,
        place: Sequence[float] | Array,
        turn: Sequence[float] | Array = (1.0, 0.0, 0.0, 0.0),
    ) -> Element:
        made = ElementTree.SubElement(self._root, "joint", name=name, type=kind)
        made.append(_origin(place, turn))
        ElementTree.SubElement(made, "parent", link=parent)
        ElementTree.SubElement(made, "child", link=child)
        return made

    def _link(self, name: str, body: int | None = None) -> None:
        """Add a link with the shapes of a body, if any."""
        link, model = ElementTree.SubElement(self._root, "link", name=name), self._model
        if body is None:
            return
        first = int(model.body_geomadr[body])
        for geom in range(first, first + int(model.body_geomnum[body])):
            material = int(model.geom_matid[geom])
            colour = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
            if colour[3] > 0:
                for shape, along in _shapes(int(model.geom_type[geom]), model.geom_size[geom]):
                    self._visual(link, geom, shape, along, colour)

    def _visual(
        self, link: Element, geom: int, shape: Element, along: float, colour: Array
    ) -> None:
        """Add a shape that is `along` [m] the geom's z axis from its centre."""
        model, visual = self._model, ElementTree.SubElement(link, "visual")
        turn = np.array(model.geom_quat[geom])
        visual.append(_origin(model.geom_pos[geom] + _turned(np.array([0, 0, along]), turn), turn))
        ElementTree.SubElement(visual, "geometry").append(shape)
        # A material of a name is shared by all links that name it, so each has its own.
        number = len(self._root.findall("link/visual"))
        material = ElementTree.SubElement(visual, "material", name=f"colour_{number}")
        ElementTree.SubElement(material, "color", rgba=_numbers(np.round(colour, 3)))


def _shapes(kind: int, size: Array) -> list[tuple[Element, float]]:
    """Return a geom's shapes, each with its place along the geom's z axis [m].

    The ground is not the robot's: planes and height fields have none. URDF has no capsule.
    """
    radius = _numbers(size[:1])
    if kind == GEOM.mjGEOM_BOX:
        return [(Element("box", size=_numbers(2 * size)), 0.0)]
    if kind == GEOM.mjGEOM_SPHERE:
        return [(Element("sphere", radius=radius), 0.0)]
    if kind not in (GEOM.mjGEOM_CYLINDER, GEOM.mjGEOM_CAPSULE):
        return []
    half = float(size[1])
    shapes = [(Element("cylinder", radius=radius, length=_numbers([2 * half])), 0.0)]
    if kind == GEOM.mjGEOM_CAPSULE:
        shapes += [(Element("sphere", radius=radius), end) for end in (-half, half)]
    return shapes


def _origin(place: Sequence[float] | Array, turn: Sequence[float] | Array) -> Element:
    """Return a URDF origin for a position (3,) [m] and a quaternion (4,), w first."""
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(turn, dtype=np.float64))
    r = matrix.reshape(3, 3)
    pitch = math.atan2(-r[2, 0], math.hypot(r[0, 0], r[1, 0]))
    if math.hypot(r[0, 0], r[1, 0]) > 1e-9:
        roll, yaw = math.atan2(r[2, 1], r[2, 2]), math.atan2(r[1, 0], r[0, 0])
    else:  # straight up or down: roll and yaw turn about the same axis
        roll, yaw = 0.0, math.atan2(-r[0, 1], r[1, 1])
    return Element("origin", xyz=_numbers(place), rpy=_numbers((roll, pitch, yaw)))


def _turned(vector: Array, turn: Array) -> Array:
    turned = np.empty(3)
    mujoco.mju_rotVecQuat(turned, np.asarray(vector, dtype=np.float64), turn)
    return turned


def _numbers(values: Sequence[float] | Array) -> str:
    return " ".join(f"{round(float(value), 9) + 0.0:.9g}" for value in values)


def main() -> None:
    """Print the URDF of the robot that is named."""
    try:
        if len(sys.argv) != 2:
            raise UserError("expected the name of one robot")
        print(make_urdf(sys.argv[1]), end="")
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
