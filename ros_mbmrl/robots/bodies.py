"""Bodies of gymnasium's runners as rows of one table, and the specification made of a row.

The state is MuJoCo's qpos and qvel, measured directly: the trunk's position, its angle or
quaternion, the joints, and then all velocities in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.running import Healthy, Score, Trunk
from ros_mbmrl.robots.spec import TORQUE_SHARE, Envelope, LiveSensor, RobotSpec

# The trunk's coordinates: in a vertical plane, in a horizontal plane, or free in space.
SIDE, TOP, FREE = ("x", "z", "pitch"), ("x", "y", "yaw"), ("x", "y", "z", "qw", "qx", "qy", "qz")
_TRUNKS = {SIDE: Trunk(z=1, tilt=2), TOP: Trunk(y=1), FREE: Trunk(y=1, z=2, rotation=3)}
_VELOCITIES = {
    SIDE: ("vx", "vz", "pitch_rate"),
    TOP: ("vx", "vy", "yaw_rate"),
    FREE: ("vx", "vy", "vz", "gyro_x", "gyro_y", "gyro_z"),
}


@dataclass(frozen=True)
class Body:
    """One runner.

    Args:
        name: of the robot.
        model: name of gymnasium's XML file.
        trunk: SIDE, TOP or FREE.
        joints: in the model's order.
        motors: in the model's order.
        tick: step of physics [s].
        substeps: steps of physics in a control period.
        torque: largest command, as a share of full torque.
        head: height of the head above the trunk's origin [m].
        tasks: name -> score; the first one is the usual one. `run_backward` comes with `run`.
        healthy: gymnasium's healthy states; used by the environments that terminate.
        positions, velocities: half-widths of the uniform noise at the start, as gymnasium's.
        normal: the velocities' noise is normal, with that deviation.
    """

    name: str
    model: str
    trunk: tuple[str, ...]
    joints: tuple[str, ...]
    motors: tuple[str, ...]
    tick: float
    substeps: int
    torque: float = 1.0
    head: float = 0.0
    tasks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    healthy: Healthy = Healthy()
    positions: float = 0.005
    velocities: float = 0.005
    normal: bool = False

    def __post_init__(self) -> None:
        if self.trunk not in _TRUNKS:
            raise ValueError(f"{self.name}: expected a trunk SIDE, TOP or FREE, got {self.trunk}")
        if not set(self.motors) <= set(self.joints):
            raise ValueError(f"{self.name}: expected motors of joints, got {self.motors}")
        if not (self.tick > 0 and self.substeps > 0 and 0 < self.torque <= 1):
            raise ValueError(f"{self.name}: expected tick, substeps > 0 and torque from 0 to 1")

    @property
    def period(self) -> float:
        """Return the control period [s]."""
        return round(self.tick * self.substeps, 9)

    @property
    def places(self) -> Trunk:
        """Return the places of the trunk's numbers in a state."""
        return replace(_TRUNKS[self.trunk], head=self.head)

    @property
    def usual_score(self) -> Score:
        """Return the score of the first task."""
        return self.score(**next(iter(self.tasks.values())))

    def score(self, **terms: float) -> Score:
        """Return a score of this body."""
        return Score(self.period, self.places, **terms)


_WALKER = ("thigh", "leg", "foot", "thigh_left", "leg_left", "foot_left")
_CHEETAH = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
_ABDOMEN = ("abdomen_z", "abdomen_y", "abdomen_x")
_LEGS = tuple(
    f"{side}_{part}" for side in ("right", "left") for part in ("hip_x", "hip_z", "hip_y", "knee")
)
_ARMS = tuple(
    f"{side}_{part}" for side in ("right", "left") for part in ("shoulder1", "shoulder2", "elbow")
)

# Scores are those of appendix A.2. It has none for the walker: C.4.2's velocity less control cost,
# with the weight of the published code. Of the humanoid A.2 prints (head - 1.5)^2 + |a|^2, which
# would reward falling: the signs here are those of a cost. `run` of the humanoid is C.4.2's.
_ROWS = (
    Body(
        name="swimmer",
        model="swimmer",
        trunk=TOP,
        joints=("motor1_rot", "motor2_rot"),
        motors=("motor1_rot", "motor2_rot"),
        tick=0.01,
        substeps=4,
        tasks={"run": {"effort": 0.005}},
        positions=0.1,
        velocities=0.1,
    ),
    Body(
        name="snake",
        model="swimmer",  # with two links more
        trunk=TOP,
        joints=tuple(f"motor{k}_rot" for k in range(1, 5)),
        motors=tuple(f"motor{k}_rot" for k in range(1, 5)),
        tick=0.01,
        substeps=4,
        tasks={"run": {"effort": 0.005}},
        positions=0.1,
        velocities=0.1,
    ),
    Body(
        name="hopper",
        model="hopper",
        trunk=SIDE,
        joints=_WALKER[:3],
        motors=_WALKER[:3],
        tick=0.002,
        substeps=4,
        # gymnasium's early stop as a soft constraint.
        tasks={"run": {"effort": 0.005, "low": 10.0, "lowest": 0.45, "wild": 10.0}},
        healthy=Healthy((0.7, float("inf")), tilt=0.2, largest=100.0),
    ),
    Body(
        name="walker2d",
        model="walker2d_v5",
        trunk=SIDE,
        joints=_WALKER,
        motors=_WALKER,
        tick=0.002,
        substeps=4,
        tasks={"run": {"effort": 0.001}},
        healthy=Healthy((0.8, 2.0), tilt=1.0),
    ),
    Body(
        name="half_cheetah",
        model="half_cheetah",
        trunk=SIDE,
        joints=_CHEETAH,
        motors=_CHEETAH,
        tick=0.01,
        substeps=5,
        tasks={"run": {"effort": 0.05}},
        positions=0.1,
        velocities=0.1,
        normal=True,
    ),
    Body(
        name="ant",
        model="ant",
        trunk=FREE,
        joints=tuple(f"{part}_{leg}" for leg in (1, 2, 3, 4) for part in ("hip", "ankle")),
        motors=tuple(f"{part}_{leg}" for leg in (4, 1, 2, 3) for part in ("hip", "ankle")),
        tick=0.01,
        substeps=5,
        tasks={"run": {"effort": 0.005, "alive": 0.05}},
        healthy=Healthy((0.2, 1.0)),
        positions=0.1,
        velocities=0.1,
        normal=True,
    ),
    Body(
        name="humanoid",
        model="humanoid",
        trunk=FREE,
        joints=(*_ABDOMEN, *_LEGS, *_ARMS),
        motors=("abdomen_y", "abdomen_z", "abdomen_x", *_LEGS, *_ARMS),
        tick=0.003,
        substeps=5,
        torque=0.4,
        head=0.19,
        tasks={
            "run": {"effort": 0.1},
            "stand": {"progress": 0.0, "effort": 1.0, "stand": 1.0, "target": 1.5},
        },
        healthy=Healthy((1.0, 2.0)),
        positions=0.01,
        velocities=0.01,
    ),
)
BODIES: Mapping[str, Body] = MappingProxyType({row.name: row for row in _ROWS})


def spec_of(body: Body) -> RobotSpec:
    """Return the specification of a runner whose maps are those of `robots/runner.py`."""
    trunk, joints = _quantities(body)
    count = len(trunk)
    rates = tuple(Quantity(f"{q.name}_velocity", "rad/s") for q in joints)
    units = ("m/s", "m/s", "rad/s") if body.trunk != FREE else ("m/s",) * 3 + ("rad/s",) * 3
    moving = tuple(map(Quantity, _VELOCITIES[body.trunk], units))
    state = (*trunk, *joints, *moving, *rates)
    features, changes = _seen(body, state, count)
    full = 2.0 * body.torque
    return RobotSpec(
        name=body.name,
        period=body.period,
        measurement=state,
        channels=_channels(body),
        state=state,
        # The rate lets a command cross its whole range in one period.
        action=tuple(
            Limit(name, TORQUE_SHARE, -body.torque, body.torque, rate=1.001 * full / body.period)
            for name in body.motors
        ),
        features=features,
        changes=changes,
        change_weights=(1.0,) * len(changes),
        envelope=_envelope(body, moving, rates),
    )


def _quantities(body: Body) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
    """Return the trunk's coordinates, and the joints."""
    units = {"pitch": "rad", "yaw": "rad", "qw": "1", "qx": "1", "qy": "1", "qz": "1"}
    trunk = tuple(Quantity(name, units.get(name, "m")) for name in body.trunk)
    return trunk, tuple(Quantity(name, "rad") for name in body.joints)


def _seen(
    body: Body, state: tuple[Quantity, ...], count: int
) -> tuple[tuple[str, ...], tuple[Quantity, ...]]:
    """Return the features of a model, and what it predicts; see the maps of `robots/runner.py`."""
    names = tuple(quantity.name for quantity in state)
    if body.trunk != FREE:
        angle, height = body.trunk[2], ("z",) if body.trunk == SIDE else ()
        return (*height, f"sin_{angle}", f"cos_{angle}", *names[count:]), state
    end = count + len(body.joints)
    joints, rates = state[count:end], state[end + 3 :]
    velocity = ("forward_velocity", "left_velocity", "upward_velocity")
    changes = (
        *(Quantity(name, "m") for name in ("forward", "left", "upward")),
        *(Quantity(f"turn_{axis}", "rad") for axis in "xyz"),
        *joints,
        *(Quantity(name, "m/s") for name in velocity),
        *rates,
    )
    up = tuple(f"up_{axis}" for axis in "xyz")
    return ("z", *up, *body.joints, *velocity, *(quantity.name for quantity in rates)), changes


def _channels(body: Body) -> tuple[str, ...]:
    """Return where each number travels: an angle in a plane as a passive joint, unwrapped.

    The trunk's linear velocity is one of the map frame.
    """
    order = [body.motors.index(name) for name in body.joints]
    positions = [f"joint_states.position.{k}" for k in order]
    velocities = [f"joint_states.velocity.{k}" for k in order]
    place = "odom.pose.pose"
    if body.trunk == FREE:
        return (
            *(f"{place}.position.{axis}" for axis in "xyz"),
            *(f"{place}.orientation.{axis}" for axis in "wxyz"),
            *positions,
            *(f"velocity.vector.{axis}" for axis in "xyz"),
            *(f"imu.angular_velocity.{axis}" for axis in "xyz"),
            *velocities,
        )
    axes, angle = body.trunk[:2], len(body.motors)
    return (
        *(f"{place}.position.{axis}" for axis in axes),
        f"joint_states.position.{angle}",
        *positions,
        *(f"velocity.vector.{axis}" for axis in axes),
        f"joint_states.velocity.{angle}",
        *velocities,
    )


def _envelope(body: Body, moving: tuple[Quantity, ...], rates: tuple[Quantity, ...]) -> Envelope:
    """Return an envelope that only states which are physically impossible leave."""
    places = [name for name in body.trunk if name in "xyz"]
    limits = {
        **dict.fromkeys((name for name in places if name != "z"), (-1000.0, 1000.0)),
        **dict.fromkeys((name for name in places if name == "z"), (-100.0, 100.0)),
        **dict.fromkeys(body.joints, (-3.2, 3.2)),
        **{q.name: (-30.0, 30.0) if q.unit == "m/s" else (-100.0, 100.0) for q in moving},
        **dict.fromkeys((quantity.name for quantity in rates), (-200.0, 200.0)),
    }
    return Envelope(
        state_timeout=0.11,
        command_timeout=0.095,
        max_model_error=100.0,
        state_limits=MappingProxyType(limits),
        live_sensors=(
            LiveSensor(tuple(places) if body.trunk == FREE else body.trunk),
            LiveSensor(body.joints),
        ),
    )
