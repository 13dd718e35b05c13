"""The study of GSSM (Wang and van Hoof): tables 1, 2 and 6, figures 2, 3 and 6.

Model-based methods learn in a contextual model, and meet tasks that they have not seen. DR-PPO is
PPO across the tasks; PE-PPO is told a code of the task that it infers.
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
from ros_mbmrl.methods import look
from ros_mbmrl.methods.method import COLOURS, Look

_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS
CART_POLE, ACROBOT = "cart-pole", "acrobot"
CHEETAH, HUMANOID = "gssm-half-cheetah", "gssm-slim-humanoid"
ENVIRONMENTS = (CART_POLE, ACROBOT, CHEETAH, HUMANOID)


def _in_models(name: str, method: str, shown: str) -> Entry:
    """Return an entry as the paper calls it."""
    return Entry(name, method, Kind.CONTEXTUAL, drawn=replace(look(method), name=shown))


def _ablated(
    name: str, shown: str, colour: str, marker: str, method: str = "gssm_policy", **settings: Any
) -> Entry:
    return Entry(name, method, Kind.CONTEXTUAL, settings, Look(shown, colour, marker=marker))


GSSM = _in_models("gssm", "gssm_policy", "GSSM")
FINE_TUNED = (
    _in_models("m_dpilco", "m_dpilco_policy", "M-DPILCO"),
    _in_models("mlsm_v0", "mlsm_v0_policy", "MLSM-v0"),
    _in_models("mlsm_v1", "mlsm_v1_policy", "MLSM-v1"),
)
PLANNED = _in_models("l2a", "l2a_policy", "L2A")
MODEL_FREE = (
    Entry("dr_ppo", "ppo", Kind.FREE, drawn=Look("DR-PPO", _SKY, line="--", marker="<")),
    Entry("pe_ppo", "pe_ppo", Kind.META, drawn=Look("PE-PPO", _PINK, line="--", marker=">")),
)
# Section 5.3: the policy without z, and other sizes of z. A mean over the context in place of the
# graph, with z in the policy, is ours.
WITHOUT = _ablated("gssm_no_z", "GSSM, z not in the policy", _ORANGE, "v", acting="fine_tuned")
POOLED = _ablated(
    *("gssm_pooled", "mean in place of the graph", _PINK, "P", "mlsm_v0_policy"), acting="amortised"
)
SIZES = tuple(
    _ablated(
        *(f"gssm_{size}", f"GSSM, z of {size} numbers", colour, marker),
        model={"latent": {"size": size}},
    )
    for size, colour, marker in ((32, _GREEN, "D"), (64, _RED, "s"))
)
TABLE = (GSSM, *FINE_TUNED, PLANNED)
ABLATIONS = (WITHOUT, POOLED, *SIZES)
ENTRIES = (*TABLE, *MODEL_FREE, *ABLATIONS)

WIDENED = 5.0  # of the cart-pole's reward, at first
_PPO: Settings = {"network": "mlp", "hidden": (128,), "step_kind": "ppo", "log_std": -0.5}
# Tables 4 and 5, section D.2: sizes, contexts, how long a task lasts. On cart-pole the policy is
# radial and improved by back-propagation through time, elsewhere PPO improves a perceptron.
PAPER: Mapping[str, Settings] = MappingProxyType(
    {
        CART_POLE: {
            "context": 50,
            "resampled": 10,
            "widened": WIDENED,
            "model": {"hidden": (200, 200)},
        },
        ACROBOT: {"context": 50, "resampled": 3, "model": {"hidden": (400,) * 5}, **_PPO},
        CHEETAH: {"context": 500, "resampled": 2, "model": {"hidden": (400,) * 5}, **_PPO},
        HUMANOID: {"context": 500, "resampled": 2, "model": {"hidden": (400,) * 5}, **_PPO},
    }
)


def _names(*entries: Entry) -> tuple[str, ...]:
    return tuple(entry.name for entry in entries)


def _special(settings: Mapping[str, Settings]) -> Mapping[str, Mapping[Kind, Settings]]:
    return {place: {Kind.CONTEXTUAL: each} for place, each in settings.items()}


def _free(*points: int) -> Mapping[Kind, tuple[int, ...]]:
    """Return the points of model-free methods."""
    return {Kind.FREE: points, Kind.META: points}


# About a minute of a core a curve on cart-pole: smaller networks, fewer steps; two episodes a task.
_SMALL: Settings = {
    "episodes": 2,
    "resampled": 1,
    "chance": 4,
    "updates": 40,
    "rows": 4,
    "starts": "visited",
    "imagined": 25,
    "step": {"learning_rate": 0.02},
    "model": {
        "hidden": (64, 64),
        "first": 400,
        "fit": {"steps": 100, "batch": 8, "targets": 25},
    },
}
_SMALL_CART_POLE: Settings = {"widened": WIDENED, "starts": "initial"}
_SMALL_ACROBOT: Settings = {**_PPO, "hidden": (64,), "episodes": 1, "chance": 2, "imagined": 50}
_TINY: Settings = {
    "chance": 1,
    "updates": 2,
    "tasks": 2,
    "rows": 2,
    "context": 20,
    "tests": 1,
    "resampled": 1,
    "fine_tuning": {"steps": 1},
    "shooting": {"candidates": 4, "horizon": 3},
    "model": {"hidden": (8,), "first": 5, "fit": {"steps": 5, "batch": 4}},
}
SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "smoke": Scale(
            train_seeds=1,
            tests=2,
            points={Kind.CONTEXTUAL: (50, 100), Kind.FREE: (200,), Kind.META: (200,)},
            batch={Kind.FREE: 200},
            settings={Kind.CONTEXTUAL: _TINY, Kind.META: {"tasks": 4, "history": 10}},
            environments=(CART_POLE,),
            entries=_names(*ENTRIES),
        ),
        "small": Scale(
            train_seeds=5,
            tests=50,
            points={Kind.CONTEXTUAL: (500, 1000), **_free(5000, 10_000)},
            batch={Kind.FREE: 1000},
            settings={Kind.CONTEXTUAL: _SMALL},
            special=_special({ACROBOT: _SMALL_ACROBOT, CART_POLE: _SMALL_CART_POLE}),
            environments=(CART_POLE, ACROBOT),
            entries=_names(*TABLE, *MODEL_FREE, WITHOUT, POOLED),
        ),
        "paper": Scale(
            train_seeds=5,
            tests=50,
            points={Kind.CONTEXTUAL: (10_000, 20_000, 30_000, 40_000), **_free(60_000, 120_000)},
            batch={Kind.FREE: 5000},
            settings={},
            environments=ENVIRONMENTS,
            entries=_names(*ENTRIES),
            special=_special(PAPER),
        ),
    }
)
GSSM_STUDY = PolicyStudy(
    "gssm",
    "Graph structured surrogate models and amortised policies",
    ENTRIES,
    (
        Figure("2", "Returns in the course of meta-training", _names(*TABLE), ENVIRONMENTS),
        Figure("3", "Ablations", _names(GSSM, *ABLATIONS), (CART_POLE, ACROBOT)),
        Figure("6", "Model-free methods", _names(*MODEL_FREE), ENVIRONMENTS),
    ),
    SCALES,
    versus=_names(GSSM),
)
