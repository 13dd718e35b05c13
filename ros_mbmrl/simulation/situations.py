"""Situations of simulated robots: ground, faults, a force, a goal, and other physics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots.ant import LEGS
from ros_mbmrl.robots.bodies import BODIES, SIDE
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.robots.described.twin_reading import read_twin
from ros_mbmrl.robots.half_cheetah import JOINTS
from ros_mbmrl.robots.running import BACKWARD, FORWARD, Course

TERRAINS = ("flat", "slope", "gentle", "steep", "hill", "basin", "pier")
STEEPEST = math.radians(40)  # of a slope; friction carries nothing on more


@dataclass(frozen=True)
class TimedFault:
    """The fault called `name`, present from `begin` until `end` [s] of simulated time."""

    name: str
    begin: float = 0.0
    end: float = math.inf

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("fault: expected a name, got none")
        if not 0 <= self.begin < self.end:
            raise ValueError(
                f"fault '{self.name}': expected 0 <= begin < end, got {self.begin} and {self.end}"
            )


@dataclass(frozen=True)
class Terrain:
    """The ground. angle: upwards [rad], of kind 'slope'; seed: of kind 'pier', its blocks."""

    kind: str = "flat"
    angle: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in TERRAINS:
            raise ValueError(f"terrain: expected one of {', '.join(TERRAINS)}, got '{self.kind}'")
        if not abs(self.angle) <= STEEPEST:
            raise ValueError(f"angle: expected at most {STEEPEST:.2f} rad, got {self.angle}")
        if self.angle and self.kind != "slope":
            raise ValueError(f"angle: expected 0 for terrain '{self.kind}', got {self.angle}")
        if self.seed < 0 or (self.seed and self.kind != "pier"):
            raise ValueError(f"seed: terrain '{self.kind}' cannot have {self.seed}")


@dataclass(frozen=True)
class Factors:
    """Differences of a robot from the nominal one, as factors; 1 is as it should be.

    mass: of all its bodies. trunk: of its outermost body alone, on top of that. friction: between
    it and the ground. gear: of the torque that a command gives. damping: of its joints.
    """

    mass: float = 1.0
    friction: float = 1.0
    gear: float = 1.0
    damping: float = 1.0
    trunk: float = 1.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not 0 < value < math.inf:
                raise ValueError(f"{each.name}: expected a factor above 0, got {value}")


@dataclass(frozen=True)
class RandomParameters:
    """A draw of a robot's parameters: HopperRandParams and WalkerRandParams, appendix C.4.2.

    Every body's mass, every axis of its inertia, and every number of a geom's friction is
    multiplied by 1.5^u, every joint's damping by 1.3^u, with u uniform from -spread to spread, as
    in the published code.

    Args:
        seed: of the draw.
        spread: see above.
    """

    seed: int
    spread: float = 3.0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed: expected 0 or more, got {self.seed}")
        if not 0 < self.spread <= 10:
            raise ValueError(f"spread: expected more than 0, at most 10, got {self.spread}")


@dataclass(frozen=True)
class Change:
    """Another task from `begin` [s] on, within an episode (Hiraoka et al., section A.5).

    course, physics: from then on; None: as before.
    """

    begin: float
    course: Course | None = None
    physics: Factors | None = None

    def __post_init__(self) -> None:
        if not 0 < self.begin < math.inf:
            raise ValueError(f"change: expected a second above 0, got {self.begin}")
        if self.course is None and self.physics is None:
            raise ValueError("change: expected a course or physics, got none")


@dataclass(frozen=True)
class Situation:
    """The conditions that a robot runs under; `check_situation` says which robots can have which.

    force: (x, y, z) on the arm's tip [N], from `force_begin` [s] on. goal: where the arm's tip
    shall be [m]; None: drawn from the world's seed. course: of a runner; it decides the reward, and
    no policy sees it. parameters: drawn ones; None: the body's own. changes: of course and physics
    while the robot runs, the earliest first. start: x, y [m] and yaw [rad] that a base begins with;
    None: the model's own. masses: of the parts of a robot of `simulation/mechanisms.py` [kg]; none:
    the nominal ones.
    """

    terrain: Terrain = field(default_factory=Terrain)
    faults: tuple[TimedFault, ...] = ()
    force: tuple[float, float, float] = (0.0, 0.0, 0.0)
    force_begin: float = 0.0
    goal: tuple[float, float, float] | None = None
    physics: Factors = field(default_factory=Factors)
    course: Course = FORWARD
    parameters: RandomParameters | None = None
    changes: tuple[Change, ...] = ()
    start: tuple[float, float, float] | None = None
    masses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        begins = [change.begin for change in self.changes]
        if begins != sorted(set(begins)):
            raise ValueError(f"changes: expected one after the other, got seconds {begins}")
        for name in ("force", "goal", "start"):
            value = getattr(self, name)
            if value is not None and not (len(value) == 3 and all(map(math.isfinite, value))):
                raise ValueError(f"{name}: expected three finite numbers, got {value}")
        if not all(0 < mass < math.inf for mass in self.masses):
            raise ValueError(f"masses: expected numbers above 0, got {self.masses}")
        if not 0 <= self.force_begin < math.inf:
            raise ValueError(f"force_begin: expected 0 or more, got {self.force_begin}")

    def at(self, seconds: float) -> Situation:
        """Return the situation with the course and the physics of `seconds` after the reset."""
        if not self.changes:
            return self
        course, physics = self.course, self.physics
        for change in self.changes:
            if change.begin <= seconds + 1e-9:
                course, physics = change.course or course, change.physics or physics
        return replace(self, course=course, physics=physics, changes=())


def postponed(situation: Situation, seconds: float) -> Situation:
    """Return the situation with faults and force so many seconds later; without them, if inf."""
    if math.isinf(seconds):
        return replace(situation, faults=(), force=(0.0, 0.0, 0.0), force_begin=0.0)
    later = (
        replace(fault, begin=fault.begin + seconds, end=fault.end + seconds)
        for fault in situation.faults
    )
    return replace(situation, faults=tuple(later), force_begin=situation.force_begin + seconds)


@dataclass(frozen=True)
class Possible:
    """The possible situations of a robot.

    pushed: a force can act on it. aims: it has a goal. courses: "none", "line" (forward and
    backward), or "plane" (any heading). placed: it can begin at any place.
    """

    terrains: tuple[str, ...] = ("flat",)
    faults: tuple[str, ...] = ()
    pushed: bool = False
    aims: bool = False
    courses: str = "none"
    placed: bool = False


class _Possible(Mapping[str, Possible]):
    """Possible situations by robot: those of the thesis, and of files that describe a twin."""

    def __init__(self, own: Mapping[str, Possible]) -> None:
        self._own = own

    def __getitem__(self, robot: str) -> Possible:
        if robot in self._own:
            return self._own[robot]
        found = described()[robot]
        if found.twin is None:
            raise KeyError(robot)
        return Possible(faults=tuple(read_twin(found).faults), placed=bool(found.pose))

    def __iter__(self) -> Iterator[str]:
        files = (name for name, each in described().items() if each.twin is not None)
        return iter((*self._own, *files))

    def __len__(self) -> int:
        return len(list(iter(self)))


POSSIBLE: Mapping[str, Possible] = _Possible(
    {
        "half_cheetah": Possible(
            TERRAINS, tuple(f"{joint}_disabled" for joint in JOINTS), courses="line"
        ),
        "ant": Possible(faults=tuple(f"leg_{leg}_crippled" for leg in LEGS), courses="plane"),
        "arm_7dof": Possible(pushed=True, aims=True),
        **dict.fromkeys(("pr2_reach", "pr2_insertion", "pr2_stacking"), Possible()),
        **{
            name: Possible(
                faults=tuple(f"{joint}_disabled" for joint in body.motors),
                courses="line" if body.trunk == SIDE else "plane",
            )
            for name, body in BODIES.items()
            if name not in ("half_cheetah", "ant")
        },
    }
)


# A robot as it would be modelled without data: every number a fifth off, no fault, on flat ground.
NOMINAL = Situation(physics=Factors(mass=1.2, friction=0.8, gear=0.8, damping=1.2))


def check_situation(robot: str, situation: Situation) -> None:
    """Raise UserError for a robot that is not simulated, or a situation that it cannot have."""
    choose("simulated robot", robot, POSSIBLE)
    possible = POSSIBLE[robot]
    choose("terrain", situation.terrain.kind, possible.terrains)
    for fault in situation.faults:
        choose("fault", fault.name, possible.faults)
    if any(situation.force) and not possible.pushed:
        raise UserError(f"force: robot '{robot}' cannot be pushed")
    if situation.goal is not None and not possible.aims:
        raise UserError(f"goal: robot '{robot}' has none")
    if situation.masses:
        raise UserError(f"masses: robot '{robot}' has other physics: expected factors of them")
    if situation.start is not None and not possible.placed:
        raise UserError(f"start: robot '{robot}' begins where it does")
    later = [change.course for change in situation.changes if change.course is not None]
    for course in (situation.course, *later):
        if possible.courses == "none" and course != FORWARD:
            raise UserError(f"course: robot '{robot}' has none")
        if possible.courses == "line" and course.heading not in (FORWARD.heading, BACKWARD.heading):
            raise UserError(f"heading: robot '{robot}': expected 0 or pi, got {course.heading}")
