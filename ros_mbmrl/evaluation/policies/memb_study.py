"""The study of MEMB (Tan et al.): its figures 1, 2 (b), 2 (c) and 4, with the sizes of table 2.

Of the environments of table 1 there are those with a row of `simulation/benchmarks.py`, whose
rewards are those of Wang et al. 2019, without termination, and the pendulum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ros_mbmrl.evaluation.policies.description import (
    Entry,
    Figure,
    Kind,
    PolicyStudy,
    Scale,
    Settings,
)
from ros_mbmrl.evaluation.policies.entries import OFF
from ros_mbmrl.methods import look
from ros_mbmrl.methods.method import COLOURS
from ros_mbmrl.robots.pendulum import PENDULUM

_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS
CHEETAH = "mbbl-half-cheetah"
ENVIRONMENTS = (PENDULUM, CHEETAH, "mbbl-swimmer", "mbbl-hopper", "mbbl-walker2d")


def _variant(name: str, shown: str, colour: str, marker: str, **settings: Any) -> Entry:
    """Return MEMB with other settings, drawn as a variant of it."""
    drawn = replace(look("memb"), name=shown, colour=colour, marker=marker)
    return Entry(name, "memb", Kind.OFF_MODELS, settings, drawn)


MEMB = Entry("memb", "memb", Kind.OFF_MODELS)
SAC = OFF[0]
# Section 3.2: with imagined steps in the targets of Q; MEMB itself is H = 1, without expansion.
EXPANDED = tuple(
    _variant(f"memb_h{steps}", f"MEMB, H = {steps}", colour, marker, own={"expansion": steps})
    for steps, colour, marker in ((2, _ORANGE, "^"), (5, _RED, "v"))
)
# Appendix B.3: the physics in place of the learned dynamics, and the task's reward.
TRUE = _variant("memb_true", "true model", _BLUE, "D", true_model=True, learned_reward=False)
TASK_REWARD = _variant("memb_task_reward", "task's reward", _PINK, "P", learned_reward=False)

# Table 2, as far as its cells can be told apart; models' rates are ours (`memb.MODEL`).
TABLE_2: Mapping[str, Settings] = MappingProxyType(
    {
        PENDULUM: {
            "updates": 5,
            "soft": {"temperature": 0.2},
            "own": {"value_rate": 3e-4},
            "model": {"hidden": (32, 16)},
        },
        CHEETAH: {"updates": 5, "soft": {"temperature": 0.4}, "own": {"value_rate": 1e-3}},
        "mbbl-hopper": {"updates": 5, "soft": {"temperature": 0.4}, "own": {"value_rate": 1e-3}},
        "mbbl-walker2d": {
            "updates": 3,
            "soft": {"temperature": 0.4},
            "own": {"value_rate": 3e-4},
            "model": {"hidden": (256, 256)},
        },
        "mbbl-swimmer": {"updates": 5, "soft": {"temperature": 0.4}, "own": {"value_rate": 3e-4}},
    }
)
_SPECIAL = {place: {Kind.OFF_MODELS: settings} for place, settings in TABLE_2.items()}
_TINY: Settings = {
    "first": 100,
    "every": 200,
    "updates": 1,
    "soft": {"hidden": (8,), "rows": 16},
    "model": {
        "hidden": (8,),
        "supervised_steps": 10,
        "validate_every": 5,
        "rows": 16,
        "batch": 8,
    },
}
_TINY_FREE: Settings = {"first": 100, "soft": {"hidden": (8,), "rows": 16}}
_KINDS = (Kind.OFF_MODELS, Kind.OFF)


def _points(step: int, last: int) -> Mapping[Kind, tuple[int, ...]]:
    return dict.fromkeys(_KINDS, tuple(range(step, last + 1, step)))


def _names(*entries: Entry) -> tuple[str, ...]:
    return tuple(entry.name for entry in entries)


SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "smoke": Scale(
            train_seeds=1,
            tests=2,
            points=_points(200, 400),
            batch={},
            settings={Kind.OFF_MODELS: _TINY, Kind.OFF: _TINY_FREE},
            environments=(PENDULUM,),
            entries=_names(MEMB, *EXPANDED, TRUE, TASK_REWARD, SAC),
        ),
        # On two cores: the pendulum alone, 20 minutes of a core a curve.
        "small": Scale(
            train_seeds=2,
            tests=10,
            points=_points(1000, 10_000),
            batch={},
            settings={
                Kind.OFF_MODELS: {"soft": {"hidden": (64, 64), "rows": 128}},
                Kind.OFF: {"soft": {"hidden": (64, 64), "rows": 128}},
            },
            environments=(PENDULUM,),
            entries=_names(MEMB, *EXPANDED, TRUE, TASK_REWARD, SAC),
            special=_SPECIAL,
        ),
        "paper": Scale(
            train_seeds=5,
            tests=20,
            points=_points(10_000, 200_000),
            batch={},
            settings={},
            environments=ENVIRONMENTS,
            entries=_names(MEMB, *EXPANDED, TRUE, TASK_REWARD, SAC),
            special=_SPECIAL,
        ),
    }
)

MEMB_STUDY = PolicyStudy(
    "memb",
    "Model embedding model-based reinforcement learning",
    (MEMB, *EXPANDED, TRUE, TASK_REWARD, SAC),
    (
        Figure("1", "Beside a model-free method", _names(MEMB, SAC), ENVIRONMENTS),
        Figure("2", "Value expansion", _names(MEMB, *EXPANDED), (PENDULUM, CHEETAH)),
        Figure("4", "True and learned model", _names(MEMB, TRUE), (PENDULUM,)),
        Figure("5", "Learned and given reward, ours", _names(MEMB, TASK_REWARD), ENVIRONMENTS),
    ),
    SCALES,
    versus=_names(SAC),
    open=MappingProxyType(
        {
            "1": "DDPG, SVG, SLBO and POPLIN are not part of this project; InvertedPendulum and "
            "Reacher are none of the rows. Budgets are 200,000 transitions for all environments.",
            "2": "Panel (a), SVG and other temperatures, is not made.",
            "3": "`mbmrl bounds` tells the model's error in Wasserstein distances.",
        }
    ),
)
