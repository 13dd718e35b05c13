"""Sizes of the study of M3PO: Hiraoka et al., section 7 and tables 2 and 3, as far as they say."""

from __future__ import annotations

from collections.abc import Mapping

from ros_mbmrl.evaluation.policies.description import Kind, Scale, Settings
from ros_mbmrl.simulation.benchmarks import BENCHMARKS

CHANGING = tuple(name for name in BENCHMARKS if name.startswith("m3po-"))
_CHEETAH, _PIER = "m3po-half-cheetah-fwd-bwd", "m3po-half-cheetah-pier"

_TINY_SOFT: Settings = {"hidden": (8,), "rows": 16}
_TINY: Settings = {
    "first": 1700,  # of 1800: the last 100 periods learn
    "updates": 1,
    "soft": _TINY_SOFT,
    "every": 50,
    "rollouts": 4,
    "imagined": 2000,
    "heads": 2,
    "model_hidden": (8,),
    "history": 2,
    "fit": {"steps": 10, "rows": 16, "every": 5},
}
_TINY_REPLAYED: Settings = {"first": 1700, "updates": 1, "soft": _TINY_SOFT, "history": 2}

# Two cores: fewer roll-outs, steps and units than the paper's.
_SMALL: Settings = {
    "updates": 2,
    "soft": {"hidden": (128, 128)},
    "rollouts": 50,
    "every": 900,
    "heads": 3,
    "model_hidden": (128, 128),
    "history": 5,
}
_SMALL_REPLAYED: Settings = {"updates": 2, "soft": {"hidden": (128, 128)}, "history": 16}


def m3po_scales(
    full: tuple[str, ...], small: tuple[str, ...], smoke: tuple[str, ...]
) -> Mapping[str, Scale]:
    """Return the sizes for the entries that take part in each.

    Of table 2 we have M and G without the environments that they are of: the larger of each is
    taken for half-cheetahs, the smaller for the others.
    """
    heavy: Mapping[Kind, Settings] = {
        Kind.OFF_MODELS: {"rollouts": 1000, "updates": 40},
        Kind.OFF: {"updates": 40},
    }
    return {
        "smoke": Scale(
            train_seeds=1,
            tests=2,
            points=dict.fromkeys((Kind.OFF_MODELS, Kind.OFF), (900, 1800)),
            batch={},
            settings={Kind.OFF_MODELS: _TINY, Kind.OFF: _TINY_REPLAYED},
            environments=(_CHEETAH,),
            entries=smoke,
        ),
        "small": Scale(
            train_seeds=2,
            tests=10,
            points=dict.fromkeys((Kind.OFF_MODELS, Kind.OFF), tuple(range(3600, 18_001, 3600))),
            batch={},
            settings={Kind.OFF_MODELS: _SMALL, Kind.OFF: _SMALL_REPLAYED},
            environments=(_CHEETAH, _PIER),
            entries=small,
        ),
        "paper": Scale(
            train_seeds=6,
            tests=50,
            points=dict.fromkeys(
                (Kind.OFF_MODELS, Kind.OFF), tuple(range(10_000, 200_001, 10_000))
            ),
            batch={},
            settings={
                Kind.OFF_MODELS: {"rollouts": 500, "updates": 20},
                Kind.OFF: {"updates": 20, "soft": {"hidden": (400, 400)}},
            },
            environments=CHANGING,
            entries=full,
            special={_CHEETAH: heavy, _PIER: heavy},
        ),
    }
