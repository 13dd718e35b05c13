"""The arm that differs a little from rollout to rollout, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.simulation.randomisation import Ranges, check_signs
from ros_mbmrl.simulation.schedule import Onset


@dataclass(frozen=True)
class ArmPhysics:
    """An arm's physics, which differ between rollouts; the defaults are the nominal arm.

    payload: in the gripper [kg]. damping, friction: factors on all joints. efforts: what becomes
    of a torque, a factor a joint. latency: from command to motors [s].
    sensor_noise: factor on the deviations of the sensors. push: force on the gripper [N].
    """

    payload: float = 0.0
    damping: float = 1.0
    friction: float = 1.0
    efforts: tuple[float, ...] = (1.0,) * 7
    latency: float = 0.0
    sensor_noise: float = 1.0
    push: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.efforts) != 7 or not all(0 <= factor <= 2 for factor in self.efforts):
            raise ValueError(f"efforts: expected 7 factors from 0 to 2, got {self.efforts}")
        check_signs(self, (), ("payload", "damping", "friction", "latency", "sensor_noise"))


NOMINAL = ArmPhysics()


@dataclass(frozen=True)
class ArmRandomisation(Ranges[ArmPhysics]):
    """A range for every number of `ArmPhysics`."""

    nominal: ClassVar = NOMINAL
    payload: tuple[float, float] = (0.0, 0.8)
    damping: tuple[float, float] = (0.75, 1.3)
    friction: tuple[float, float] = (0.5, 1.75)
    efforts: tuple[float, float] = (0.6, 1.2)
    latency: tuple[float, float] = (0.0, 0.01)
    sensor_noise: tuple[float, float] = (0.5, 1.5)


MILD = ArmRandomisation()  # what is trained on


@dataclass(frozen=True)
class ArmBreaking:
    """Arms of `MILD` on which several things are wrong at once, each with its own chance.

    What varies together can be told apart afterwards.

    Args:
        joint, payload, push: chances that a joint is weak, each by itself, that the payload is
            drawn from the wide range below, that the gripper is pushed.
        shares: of a weak joint.
        masses: of a payload [kg].
        force: largest component of a push [N].
    """

    joint: float = 0.2
    payload: float = 0.5
    push: float = 0.5
    shares: tuple[float, float] = (0.1, 1.0)
    masses: tuple[float, float] = (0.0, 1.8)
    force: float = 12.0

    def sample(self, rng: np.random.Generator) -> ArmPhysics:
        """Draw one arm."""
        weak = rng.random(7) < self.joint
        shares = np.where(weak, rng.uniform(*self.shares, 7), 1.0)
        payload, push = rng.random(2) < (self.payload, self.push)
        mass, (x, y, z) = (
            rng.uniform(*self.masses),
            rng.uniform(-self.force, self.force, 3).tolist(),
        )
        drawn = MILD.sample(rng)
        return replace(
            drawn,
            efforts=tuple((np.array(drawn.efforts) * shares).tolist()),
            payload=mass if payload else drawn.payload,
            push=(x, y, z) if push else (0.0, 0.0, 0.0),
        )


BROKEN = ArmBreaking()  # what a model that learns causes is trained on


@dataclass(frozen=True)
class ArmEffect:
    """The effect of one or several faults.

    payload: [kg] more in the gripper. weak: what is left of a joint's torque, by the joint's
    place. stiff: friction more, by the joint's place [N m]. push: force on the gripper [N].
    """

    payload: float = 0.0
    weak: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    stiff: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    push: tuple[float, float, float] = (0.0, 0.0, 0.0)


def _at(name: str, value: float) -> Mapping[int, float]:
    places = {joint.name: k for k, joint in enumerate(JOINTS)}
    return MappingProxyType({places[f"l_{name}_joint"]: value})


FAULTS: Mapping[str, ArmEffect] = MappingProxyType(
    {
        "none": ArmEffect(),
        "payload": ArmEffect(payload=1.0),
        "weak_shoulder_lift": ArmEffect(weak=_at("shoulder_lift", 0.4)),
        "weak_elbow": ArmEffect(weak=_at("elbow_flex", 0.4)),
        "stiff_elbow": ArmEffect(stiff=_at("elbow_flex", 2.0)),
        "push": ArmEffect(push=(0.0, 10.0, 0.0)),
        # Milder, or elsewhere: to choose settings on without looking at the ones above.
        "payload_small": ArmEffect(payload=0.6),
        "weak_shoulder_pan": ArmEffect(weak=_at("shoulder_pan", 0.5)),
        "stiff_upper_arm": ArmEffect(stiff=_at("upper_arm_roll", 1.5)),
        "push_small": ArmEffect(push=(4.0, 0.0, -4.0)),
    }
)
VALIDATION_FAULTS = ("payload_small", "weak_shoulder_pan", "stiff_upper_arm", "push_small")


def combine(effects: Iterable[ArmEffect]) -> ArmEffect:
    """Join effects: masses, friction, forces add up; what is left of a joint multiplies."""
    payload, push = 0.0, np.zeros(3)
    weak: dict[int, float] = {}
    stiff: dict[int, float] = {}
    for effect in effects:
        payload += effect.payload
        push += effect.push
        for k, share in effect.weak.items():
            weak[k] = weak.get(k, 1.0) * share
        for k, friction in effect.stiff.items():
            stiff[k] = stiff.get(k, 0.0) + friction
    x, y, z = push.tolist()
    return ArmEffect(payload, MappingProxyType(weak), MappingProxyType(stiff), (x, y, z))


@dataclass(frozen=True)
class ArmFault(Onset):
    """A fault of the arm."""

    known: ClassVar = FAULTS


NO_FAULT = ArmFault("none")
