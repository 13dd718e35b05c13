"""Sizes of the studies of policies: smoke (seconds), small (two cores, two hours), paper.

Paper: tables and appendices A.1, B.3 and C.4.1 of the thesis, as far as they say a size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ros_mbmrl.evaluation.policies.description import Kind, Scale, Settings
from ros_mbmrl.simulation.benchmarks import BENCHMARKS

_LEARN_IN_MODELS = (Kind.MODELS, Kind.META_MODELS)
CORNERS, CENTRE = "point_corners", "point_centre"
WANG = "mbbl-half-cheetah"  # on which results of others are published


def _rows(prefix: str) -> tuple[str, ...]:
    return tuple(name for name in BENCHMARKS if name.startswith(prefix))


ME_ENVIRONMENTS = (*_rows("me-trpo-"), WANG)
MB_ENVIRONMENTS = (*_rows("mb-mpo-"), WANG)
MAAC_ENVIRONMENTS = (WANG, "mbbl-hopper", "mbbl-walker2d", "mbbl-ant")
# The six of figure 13 first, then those of figure 42.
META_ENVIRONMENTS = (
    "promp-half-cheetah-fwd-back",
    "promp-ant-rand-direc",
    "promp-walker2d-fwd-back",
    "promp-humanoid-rand-direc",
    "promp-hopper-rand-params",
    "promp-walker2d-rand-params",
    "promp-half-cheetah-rand-vel",
    "promp-ant-fwd-back",
    "promp-humanoid-fwd-back",
)

# A.1.2 and A.1.3, but silu for ReLU; "25 passes" is said in steps of a fit, and an iteration ends
# after 200 updates.
_MODEL_A1: Settings = {
    "hidden": (1024, 1024),
    "supervised_steps": 5000,
    "rows": 1000,
    "validate_every": 250,
    "patience": 5,
}
_IN_MODELS: Settings = {"rows": 50, "model": _MODEL_A1}
_TINY_MODEL: Settings = {
    "hidden": (8,),
    "supervised_steps": 10,
    "validate_every": 5,
    "rows": 16,
    "batch": 8,
}
_TINY: Settings = {
    "rows": 4,
    "tests": 2,
    "hidden": (8,),
    "model": _TINY_MODEL,
    "validation": {"every": 1, "tolerance": 1, "updates": 2, "episodes": 2},
}
_TINY_META: Settings = {
    "rows": 5,
    "tests": 2,
    "hidden": (8,),
    "meta_steps": 1,
    "episodes_of_model": 2,
    "model": _TINY_MODEL,
}
_TINY_FREE: Settings = {"hidden": (8,)}


def _every(step: int, last: int, *more: int) -> tuple[int, ...]:
    """Return step, 2 step, ... up to `last`, and others, in order."""
    return tuple(sorted({*range(step, last + 1, step), *more}))


def me_trpo_scales(
    full: tuple[str, ...], small: tuple[str, ...], smoke: tuple[str, ...]
) -> Mapping[str, Scale]:
    """Return the sizes of chapter 4 for the entries that take part in each."""
    humanoid = {Kind.MODELS: {"episodes": 60, "hidden": (100, 50, 25)}}
    humanoid[Kind.FREE] = {"hidden": (100, 50, 25)}
    on_wang = {Kind.MODELS: {"rows": 5}}  # 1000 steps an episode: as many imagined transitions
    return {
        "smoke": _smoke(("me-trpo-half-cheetah",), smoke),
        "small": Scale(
            train_seeds=2,
            tests=10,
            points={
                Kind.MODELS: _every(3000, 24_000),
                Kind.FREE: _every(3000, 24_000, 48_000, 96_000, 192_000),
            },
            batch={Kind.MODELS: 3000, Kind.FREE: 3000},
            settings={Kind.FREE: {"hidden": (32, 32)}},
            environments=("me-trpo-half-cheetah", "me-trpo-swimmer"),
            entries=small,
        ),
        "paper": Scale(
            train_seeds=5,
            tests=50,
            points={
                Kind.MODELS: _every(15_000, 300_000, 201_000),
                Kind.FREE: _every(100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
            },
            batch={Kind.MODELS: 3000, Kind.FREE: 50_000},
            settings={Kind.MODELS: _IN_MODELS, Kind.FREE: {"hidden": (32, 32)}},
            environments=ME_ENVIRONMENTS,
            entries=full,
            special={"me-trpo-humanoid": humanoid, WANG: on_wang},
        ),
    }


def mb_mpo_scales(
    full: tuple[str, ...], small: tuple[str, ...], smoke: tuple[str, ...]
) -> Mapping[str, Scale]:
    """Return the sizes of chapter 5 for the entries that take part in each."""
    points = _every(4000, 24_000)
    on_wang: Mapping[Kind, Settings] = {Kind.MODELS: {"rows": 5}, Kind.META_MODELS: {"rows": 100}}
    in_models: Settings = {"model": {**_MODEL_A1, "hidden": (512, 512)}}
    return {
        "smoke": _smoke(("mb-mpo-swimmer", CENTRE), smoke),
        "small": Scale(
            train_seeds=2,
            tests=10,
            points={
                **dict.fromkeys(_LEARN_IN_MODELS, points),
                Kind.FREE: (*points, 48_000, 96_000, 192_000),
            },
            batch=dict.fromkeys((*_LEARN_IN_MODELS, Kind.FREE), 4000),
            settings={Kind.MODELS: {"rows": 25}, Kind.FREE: {"hidden": (32, 32)}},
            environments=("mb-mpo-half-cheetah", "mb-mpo-swimmer", CENTRE),
            entries=small,
        ),
        "paper": Scale(
            train_seeds=5,
            tests=50,
            points={
                **dict.fromkeys(_LEARN_IN_MODELS, _every(20_000, 200_000)),
                Kind.FREE: _every(100_000, 200_000, 1_000_000, 3_000_000, 10_000_000),
            },
            batch={**dict.fromkeys(_LEARN_IN_MODELS, 4000), Kind.FREE: 50_000},
            settings={
                Kind.MODELS: {"rows": 25, **in_models},
                Kind.META_MODELS: {"rows": 500, **in_models},  # 100,000 imagined transitions
                Kind.FREE: {"hidden": (32, 32)},
            },
            environments=(*MB_ENVIRONMENTS, "me-trpo-half-cheetah", CENTRE),
            entries=full,
            special={WANG: on_wang},
        ),
    }


def promp_scales(full: tuple[str, ...], smoke: tuple[str, ...]) -> Mapping[str, Scale]:
    """Return the sizes of chapter 6: table 3 and C.4.2 in `paper`."""
    corners: Mapping[str, Any] = {CORNERS: {Kind.META: {"inner": {"steps": 3}}}}
    paper: Settings = {"tasks": 40, "inner": {"episodes": 20, "rate": 0.01}}
    tiny: Settings = {"tasks": 2, "inner": {"episodes": 1}, "hidden": (8,)}
    return {
        "smoke": Scale(
            train_seeds=1,
            tests=2,
            points={Kind.META: (800, 1600)},
            batch={},
            settings={Kind.META: tiny},
            environments=("promp-half-cheetah-fwd-back", CORNERS),
            entries=smoke,
            special=corners,
        ),
        "small": Scale(
            train_seeds=2,
            tests=20,
            points={Kind.META: _every(80_000, 800_000)},
            batch={},
            settings={Kind.META: {"tasks": 10, "inner": {"episodes": 4}}},
            environments=("promp-half-cheetah-fwd-back", CORNERS),
            entries=full,
            special=corners,
        ),
        "paper": Scale(
            train_seeds=3,
            tests=40,
            points={Kind.META: _every(1_280_000, 12_800_000)},
            batch={},
            settings={Kind.META: paper},
            environments=(*META_ENVIRONMENTS, CORNERS),
            entries=full,
            special={**_special_meta(), **corners},
        ),
    }


def maac_scales(
    full: tuple[str, ...], small: tuple[str, ...], smoke: tuple[str, ...]
) -> Mapping[str, Scale]:
    """Return the sizes of chapter 7, which says none but the environments: those of MBPO."""
    free: Settings = {"soft": {"hidden": (128, 128)}, "worlds": 1}
    model: Settings = {"hidden": (128, 128), "supervised_steps": 500}
    modest: Settings = {**free, "updates": 1, "branches": {"rows": 5000}, "model": model}
    fits: Settings = {"hidden": (200, 200, 200), "members": 7, "elites": 5}
    whole: Settings = {"updates": 20, "branches": {"rows": 100_000}, "model": fits}
    kinds = (Kind.OFF, Kind.OFF_MODELS)
    return {
        "smoke": _smoke_off(smoke),
        "small": Scale(
            train_seeds=2,
            tests=10,
            planned=2,
            points=dict.fromkeys(kinds, _every(2000, 10_000)),
            batch={},
            settings={Kind.OFF: free, Kind.OFF_MODELS: modest},
            environments=("mbbl-half-cheetah",),
            entries=small,
        ),
        "paper": Scale(
            train_seeds=4,
            tests=50,
            planned=20,
            points={
                Kind.OFF_MODELS: _every(10_000, 200_000),
                Kind.OFF: _every(10_000, 200_000, 1_000_000, 3_000_000),
            },
            batch={},
            settings={Kind.OFF_MODELS: whole},
            environments=MAAC_ENVIRONMENTS,
            entries=full,
        ),
    }


def _special_meta() -> dict[str, Any]:
    """Return the settings that table 3 and C.4.2 say of single environments."""
    drawn = (name for name in META_ENVIRONMENTS if name.endswith("rand-params"))
    special: dict[str, Any] = {name: {Kind.META: {"inner": {"rate": 0.05}}} for name in drawn}
    wide = (name for name in META_ENVIRONMENTS if "humanoid" in name)
    return special | {name: {Kind.META: {"hidden": (128, 128)}} for name in wide}


def _smoke(environments: tuple[str, ...], entries: tuple[str, ...]) -> Scale:
    """Return a size to see that everything runs; its figures mean nothing."""
    points_of = dict.fromkeys((*_LEARN_IN_MODELS, Kind.FREE), (400, 800))
    return Scale(
        train_seeds=1,
        tests=2,
        points=points_of,
        batch=dict.fromkeys(points_of, 400),
        settings={Kind.MODELS: _TINY, Kind.META_MODELS: _TINY_META, Kind.FREE: _TINY_FREE},
        environments=environments,
        entries=entries,
    )


def _smoke_off(entries: tuple[str, ...]) -> Scale:
    """Return the same for off-policy methods."""
    tiny: Settings = {"soft": {"hidden": (8,), "rows": 8}, "first": 100, "worlds": 2}
    fit = {**_TINY_MODEL, "members": 2, "elites": 1}
    models: Settings = {**tiny, "updates": 1, "branches": {"rows": 20}, "model": fit}
    return Scale(
        train_seeds=1,
        tests=2,
        points=dict.fromkeys((Kind.OFF, Kind.OFF_MODELS), (200, 400)),
        batch={},
        settings={Kind.OFF: tiny, Kind.OFF_MODELS: models},
        environments=("me-trpo-half-cheetah",),
        entries=entries,
        planned=1,
    )
