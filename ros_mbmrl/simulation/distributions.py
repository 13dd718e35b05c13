"""The situations of the thesis, sections 9.4 and 8.4.5: what is trained, chosen and tested on.

A situation is drawn from a generator; one of a test or a validation also from how long the episode
is [s], as something may happen in its middle. Seeds of piers, and of worlds by `draw_seed`, are
apart by construction for the three uses. What is left out of training follows
iclavera/learning_to_adapt where it says: there, too, the joint tested on is `bthigh` and the leg
`leg_4`. Validation has a joint and a leg of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from ros_mbmrl.simulation.situations import Situation, Terrain, TimedFault

Draw = Callable[[np.random.Generator], Situation]
DrawFor = Callable[[np.random.Generator, float], Situation]

ROBOTS: Mapping[str, str] = MappingProxyType(
    {
        "cheetah-disabled": "half_cheetah",
        "cheetah-slope": "half_cheetah",
        "cheetah-pier": "half_cheetah",
        "ant-crippled": "ant",
        "arm-force": "arm_7dof",
        # Section 8.4.5: nothing but the start differs.
        "pr2-reach": "pr2_reach",
        "pr2-insertion": "pr2_insertion",
        "pr2-stacking": "pr2_stacking",
    }
)
HANDS = tuple(name for name in ROBOTS if name.startswith("pr2-"))
EXPERIMENTS = tuple(name for name in ROBOTS if name not in HANDS)  # of section 9.4

# Causes beside the actuators that change in an experiment.
CHANGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cheetah-slope": ("slope",), "arm-force": ("force_x", "force_y", "force_z")}
)

TRAINING_SEEDS = (0, 2**30)  # first, and one more than the last
VALIDATION_SEEDS = (2**30, 2**31)
TEST_SEEDS = (2**31, 2**32)

TRAINING_JOINTS = ("bshin", "bfoot", "fthigh", "ffoot")
VALIDATION_JOINT, TEST_JOINT = "fshin", "bthigh"
TRAINING_LEGS, VALIDATION_LEG, TEST_LEG = (1, 2), 3, 4
LOW_SLOPE = 0.1  # either way [rad]
VALIDATION_SLOPE = 0.15  # [rad]; the steep one has 0.22
FORCES = (0.1, 2.0)  # on the arm's tip [N]; the reference has half of it on half of the torque
VALIDATION_FORCE, TEST_FORCE = 3.0, 4.0  # [N]


def draw_seed(rng: np.random.Generator, seeds: tuple[int, int]) -> int:
    """A seed of one of the three uses, as `TEST_SEEDS`."""
    return int(rng.integers(*seeds))


def _disabled(joint: str) -> Situation:
    return Situation(faults=(TimedFault(f"{joint}_disabled"),))


def _switched(first: str, second: str, duration: float) -> Situation:
    """One joint disabled in the first half, another one in the second."""
    middle = duration / 2
    begun, later = f"{first}_disabled", f"{second}_disabled"
    return Situation(faults=(TimedFault(begun, end=middle), TimedFault(later, begin=middle)))


def _training_joint(rng: np.random.Generator) -> str:
    return str(rng.choice(TRAINING_JOINTS))


def _two_training_joints(rng: np.random.Generator, duration: float) -> Situation:
    first, second = rng.choice(TRAINING_JOINTS, 2, replace=False)
    return _switched(str(first), str(second), duration)


def _slope(angle: float) -> Situation:
    return Situation(Terrain("slope", angle=angle))


def _ground(kind: str) -> DrawFor:
    return lambda rng, duration: Situation(Terrain(kind))


def _pier(rng: np.random.Generator, seeds: tuple[int, int]) -> Situation:
    return Situation(Terrain("pier", seed=draw_seed(rng, seeds)))


def _crippled(leg: int, begin: float = 0.0) -> Situation:
    return Situation(faults=(TimedFault(f"leg_{leg}_crippled", begin),))


def _training_leg(rng: np.random.Generator) -> int:
    return int(rng.choice(TRAINING_LEGS))


def _pushed(rng: np.random.Generator, newtons: float, begin: float = 0.0) -> Situation:
    """A force in any direction, all directions alike."""
    direction = rng.standard_normal(3)
    x, y, z = (newtons * direction / np.linalg.norm(direction)).tolist()
    return Situation(force=(x, y, z), force_begin=begin)


def _as_it_is(rng: np.random.Generator) -> Situation:
    """The robot as it is, from another start each time."""
    return Situation()


def push_up_to(rng: np.random.Generator, newtons: float) -> Situation:
    """A force of up to so much in any direction: figure 47 trains on several such ranges."""
    return _pushed(rng, float(rng.uniform(0.0, newtons)))


TRAINING: Mapping[str, Draw] = MappingProxyType(
    {
        "cheetah-disabled": lambda rng: _disabled(_training_joint(rng)),
        "cheetah-slope": lambda rng: _slope(float(rng.uniform(-LOW_SLOPE, LOW_SLOPE))),
        "cheetah-pier": lambda rng: _pier(rng, TRAINING_SEEDS),
        "ant-crippled": lambda rng: _crippled(_training_leg(rng)),
        "arm-force": lambda rng: _pushed(rng, float(rng.uniform(*FORCES))),
        **dict.fromkeys(HANDS, _as_it_is),
    }
)

VALIDATION: Mapping[str, Mapping[str, DrawFor]] = MappingProxyType(
    {
        "cheetah-disabled": {
            "unseen": lambda rng, duration: _disabled(VALIDATION_JOINT),
            "switching": lambda rng, duration: _switched(
                _training_joint(rng), VALIDATION_JOINT, duration
            ),
        },
        "cheetah-slope": {
            "up": lambda rng, duration: _slope(VALIDATION_SLOPE),
            "down": lambda rng, duration: _slope(-VALIDATION_SLOPE),
        },
        "cheetah-pier": {"pier": lambda rng, duration: _pier(rng, VALIDATION_SEEDS)},
        "ant-crippled": {
            "unseen": lambda rng, duration: _crippled(VALIDATION_LEG),
            "failing": lambda rng, duration: _crippled(VALIDATION_LEG, duration / 2),
        },
        "arm-force": {
            "constant": lambda rng, duration: _pushed(rng, VALIDATION_FORCE),
            "change": lambda rng, duration: _pushed(rng, FORCES[1] / 2, duration / 2),
        },
        **{name: {"start": lambda rng, duration: Situation()} for name in HANDS},
    }
)

TEST: Mapping[str, Mapping[str, DrawFor]] = MappingProxyType(
    {
        "cheetah-disabled": {
            "unseen": lambda rng, duration: _disabled(TEST_JOINT),
            "switching": _two_training_joints,
            "training": lambda rng, duration: _disabled(_training_joint(rng)),
        },
        "cheetah-slope": {kind: _ground(kind) for kind in ("gentle", "steep", "hill", "basin")},
        "cheetah-pier": {
            "fixed": lambda rng, duration: Situation(Terrain("pier", seed=TEST_SEEDS[0])),
            "random": lambda rng, duration: _pier(rng, (TEST_SEEDS[0] + 1, TEST_SEEDS[1])),
        },
        "ant-crippled": {
            "unseen": lambda rng, duration: _crippled(TEST_LEG),
            "failing": lambda rng, duration: _crippled(_training_leg(rng), duration / 2),
            "training": lambda rng, duration: _crippled(_training_leg(rng)),
        },
        "arm-force": {
            "constant": lambda rng, duration: _pushed(rng, TEST_FORCE),
            "change": lambda rng, duration: _pushed(rng, FORCES[1], duration / 2),
            "none": lambda rng, duration: Situation(),
        },
        **{name: {"start": lambda rng, duration: Situation()} for name in HANDS},
    }
)
