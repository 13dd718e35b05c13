"""The study of asynchronous learning as data: arms, figures, sizes (thesis, section 8.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.learning.asynchronous.schedules import Sizes
from ros_mbmrl.methods.method import COLOURS, Look
from ros_mbmrl.runtime.kept import plain

NAME, TITLE = "asynchronous", "Asynchronous model-based reinforcement learning"
TIME, TRANSITIONS = "time_s", "transitions"
Settings = Mapping[str, Any]
_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS


@dataclass(frozen=True)
class Arm:
    """A method with an order of its workers and settings, under a name of its own.

    Args:
        name: in tables and on the command line.
        method: as the registry calls it.
        schedule: see `SCHEDULES`; empty: all workers at once.
        look: how it is drawn.
        settings: of `AsynchronousConfig`, where they differ from the scale's.
    """

    name: str
    method: str
    schedule: str
    look: Look
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """A figure of the thesis: curves of arms, against time or transitions.

    Args:
        number: in the thesis.
        title: what it shows.
        arms: by name.
        against: name of the figure on the x axis.
    """

    number: str
    title: str
    arms: tuple[str, ...]
    against: str

    @property
    def file(self) -> str:
        """Return the name of its picture."""
        return f"figure_{self.number}.png"


@dataclass(frozen=True)
class Scale:
    """The study's size.

    Args:
        train_seeds: runs of each arm on each environment.
        tests: real episodes without exploration at each point of a curve; not counted.
        trajectories: of a run with all workers at once.
        longer: times as many trajectories of a run, for each schedule; 1 where nothing is said.
        every: trajectories between two points of a curve.
        environments: rows of `simulation/benchmarks.py`, or simulated robots.
        arms: that take part.
        sizes: of rounds, for each schedule.
        settings: of all methods.
        special: settings of one method, beside them.
        asynchronous: settings of servers and workers.
        first_test: seed of the tests.
    """

    train_seeds: int
    tests: int
    trajectories: int
    every: int
    environments: tuple[str, ...]
    arms: tuple[str, ...]
    sizes: Mapping[str, Sizes]
    settings: Settings = field(default_factory=dict)
    special: Mapping[str, Settings] = field(default_factory=dict)
    asynchronous: Settings = field(default_factory=dict)
    first_test: int = 1000
    longer: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train_seeds", "tests", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.trajectories < max(2, self.every):
            raise ValueError(f"trajectories: expected at least 2, got {self.trajectories}")


def _pair(method: str, shown: str, colour: str, marker: str) -> tuple[Arm, Arm]:
    """Return a method with all workers at once, and in the classic order (dashed)."""
    return (
        Arm(f"{method}_async", method, "", Look(f"asynch-{shown}", colour, marker=marker)),
        Arm(
            f"{method}_sync",
            method,
            "synchronous",
            Look(f"synch-{shown}", colour, line="--", marker=marker, hollow=True),
        ),
    )


def _variant(name: str, shown: str, colour: str, marker: str, **settings: float) -> Arm:
    return Arm(name, "me_trpo", "", Look(shown, colour, marker=marker), settings)


PAIRS = (
    *_pair("me_trpo", "ME-TRPO", _BLUE, "^"),
    *_pair("me_ppo", "ME-PPO", _GREEN, "s"),
    *_pair("mb_mpo", "MB-MPO", _RED, "D"),
)
PARTIAL = (
    Arm(
        "interleaved_models",
        "me_trpo",
        "interleaved_models",
        Look("model and policy by turns", _ORANGE, marker="v"),
    ),
    Arm(
        "interleaved_data",
        "me_trpo",
        "interleaved_data",
        Look("policy and data by turns", _PINK, marker="P"),
    ),
)
STOPPED = (
    _variant("ema_50", "weight 0.5", _SKY, "o", ema_weight=0.5),
    _variant("ema_99", "weight 0.99", _YELLOW, "X", ema_weight=0.99),
)
PACED = (
    _variant("half_speed", "half the speed", _GREY, "<", pace=0.5),
    _variant("twice_speed", "twice the speed", _ORANGE, ">", pace=2.0),
)
ARMS: Mapping[str, Arm] = MappingProxyType(
    {arm.name: arm for arm in (*PAIRS, *PARTIAL, *STOPPED, *PACED)}
)


def _names(*groups: Sequence[Arm]) -> tuple[str, ...]:
    return tuple(arm.name for group in groups for arm in group)


PANELS = (
    Panel("24", "Wall clock", _names(PAIRS), TIME),
    Panel("25", "Sample complexity", _names(PAIRS), TRANSITIONS),
    Panel(
        "26a",
        "Model and policy by turns",
        ("me_trpo_sync", "interleaved_models"),
        TRANSITIONS,
    ),
    Panel("26b", "Policy and data by turns", ("me_trpo_sync", "interleaved_data"), TRANSITIONS),
    Panel("27a", "Early stopping", ("me_trpo_async", *_names(STOPPED)), TRANSITIONS),
    Panel("27b", "Speed of the collection", ("me_trpo_async", *_names(PACED)), TRANSITIONS),
)
_TINY: Settings = {
    "horizon": 13,
    "rows": 4,
    "hidden": (8,),
    "model": {"hidden": (8,), "members": 2, "rows": 16, "batch": 8},
}
_ORDERS = ("synchronous", "interleaved_models", "interleaved_data")
SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "smoke": Scale(
            train_seeds=1,
            tests=2,
            trajectories=4,
            every=2,
            environments=("pendulum",),
            arms=(*_names(PAIRS[:2]), *_names(PARTIAL), *_names(STOPPED[:1]), *_names(PACED[1:])),
            sizes=dict.fromkeys(_ORDERS, Sizes(2, 2, 2, 2)),
            settings=_TINY,
            asynchronous={"held_out": 0.5},
        ),
        "small": Scale(
            train_seeds=1,
            tests=8,
            trajectories=20,
            longer={"synchronous": 4},
            every=2,
            environments=("me-trpo-half-cheetah",),
            arms=_names(PAIRS[:2]),
            # The classic order as it is tuned for: all epochs and updates that still help.
            sizes={
                "synchronous": Sizes(rollouts=5, epochs=200, updates=100),
                "interleaved_models": Sizes(rollouts=5, epochs=20, updates=10, repeats=10),
                "interleaved_data": Sizes(rollouts=5, epochs=200, updates=20),
            },
        ),
        "paper": Scale(
            train_seeds=4,
            tests=20,
            trajectories=300,
            every=10,
            environments=("mb-mpo-half-cheetah", "mb-mpo-hopper", "mb-mpo-walker2d", "arm_7dof"),
            arms=_names(PAIRS, PARTIAL, STOPPED, PACED),
            sizes={
                "synchronous": Sizes(rollouts=20, epochs=200, updates=200),
                "interleaved_models": Sizes(rollouts=20, epochs=20, updates=20, repeats=10),
                "interleaved_data": Sizes(rollouts=20, epochs=200, updates=10),
            },
            settings={"model": {"hidden": (512, 512)}},
        ),
    }
)
# Figures that are not made, and why.
OPEN: Mapping[str, str] = MappingProxyType(
    {
        "24": "The model-free curves of figures 24 and 25 are those of `mbmrl evaluate mb-mpo`.",
        "29": "The PR2's tasks are not part of this study.",
    }
)


def scale_of(name: str) -> Scale:
    """Return the study's size by name. Raises UserError."""
    choose("scale", name, SCALES)
    return SCALES[name]


def describe(scale: Scale, arms: Sequence[str]) -> dict[str, Any]:
    """Return all that decides the study's outcome, as plain data."""
    facts = {
        "name": NAME,
        "arms": {
            name: {
                "method": ARMS[name].method,
                "schedule": ARMS[name].schedule,
                "settings": ARMS[name].settings,
            }
            for name in arms
        },
        "scale": {
            name: getattr(scale, name)
            for name in (
                *("tests", "trajectories", "every", "environments", "sizes"),
                *("settings", "special", "asynchronous", "first_test", "longer"),
            )
        },
    }
    described = plain(facts)
    assert isinstance(described, dict)
    return described
