"""Import of LeRobot data sets, version 3 of their format: numbers of states and actions, no images.

A measured quantity is found by its name among those of `observation.state` and of other features
that begin with `observation.`, a command by its name among those of `action`. LeRobot calls the
position of a joint `elbow.pos`, which is found as `elbow`, and `elbow.vel` as `elbow_velocity`. It
tells no units: numbers are taken to be in those of the robot's description.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.foreign.layout import Column, Layout
from ros_mbmrl.data.foreign.samples import NANO, Samples
from ros_mbmrl.data.lerobot_export import ACTION, INFO, import_parquet
from ros_mbmrl.data.measurement_messages import nanoseconds
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import Field
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.untrusted import YAML_LIMIT, read_bytes

OBSERVATION = "observation."
ENDINGS = (("", ""), ("_velocity", ".vel"), ("", ".pos"))  # ours, and LeRobot's
BETWEEN = 10.0  # [s] between two episodes, whose timestamps all begin at 0
ROWS = 1 << 16  # that are read at a time
NUMBERS = ("float32", "float64", "int32", "int64")


def lerobot_layout(spec: RobotSpec) -> Layout:
    """Return a robot's layout whose only topic is the frames; fields are names of numbers."""
    return Layout(
        spec.name,
        spec.period,
        tuple(_column(q.name, q.unit, OBSERVATION) for q in spec.measurement),
        tuple(_column(each.name, each.unit, ACTION) for each in spec.action),
    )


def _column(name: str, unit: str, kind: str) -> Column:
    return Column(name, unit, "frames", kind, Field((name,)))


def read_lerobot(folder: Path, layout: Layout) -> list[Samples]:
    """Read the samples of a data set.

    Raises:
        UserError: it is none, of another version, damaged, or lacks a number of the robot.
    """
    info = _info(folder)
    places = _places(folder, info, layout)
    features = list(dict.fromkeys(feature for feature, _ in places))
    time = "time" if _is_number(info["features"].get("time")) else "timestamp"
    blocks, times, episodes = [], [], []
    for batch in _batches(folder, [*features, time, "episode_index"]):
        parts = {name: _matrix(folder, name, batch[name]) for name in features}
        blocks.append(np.stack([_part(folder, parts[f], f, k) for f, k in places], axis=1))
        times.append(_matrix(folder, time, batch[time])[:, 0])
        episodes.append(_matrix(folder, "episode_index", batch["episode_index"])[:, 0])
    if sum(map(len, times)) < 2:
        raise UserError(f"{folder}: expected two frames or more")
    own = time == "time"
    ns = _times(folder, np.concatenate(times), np.concatenate(episodes), own)
    values = np.concatenate(blocks)
    values[~np.isfinite(values)] = np.nan
    return [Samples("frames", layout.columns, np.arange(len(ns)), ns, None, values)]


def _info(folder: Path) -> dict[str, Any]:
    path = folder / INFO
    if not path.is_file():
        raise UserError(f"{folder}: not a LeRobot data set: expected a folder with {INFO}")
    try:
        info = json.loads(read_bytes(path, YAML_LIMIT))
        version, features = str(info["codebase_version"]), dict(info["features"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: not as LeRobot writes it ({error})") from None
    if not version.startswith("v3."):
        raise UserError(
            f"{path}: version {version}: expected v3 (`lerobot.datasets.v30."
            "convert_dataset_v21_to_v30` makes it one)"
        )
    return {"features": features}


def _places(folder: Path, info: Mapping[str, Any], layout: Layout) -> list[tuple[str, int]]:
    """Return the feature of each column of the layout, and its place in it."""
    known: dict[str, dict[str, tuple[str, int]]] = {OBSERVATION: {}, ACTION: {}}
    for feature, told in info["features"].items():
        kind = ACTION if feature == ACTION else OBSERVATION
        if feature == ACTION or (feature.startswith(OBSERVATION) and _is_number(told)):
            for k, name in enumerate(_names(told)):
                known[kind].setdefault(name, (feature, k))
    found = []
    for column in layout.columns:
        names = known[column.type_name]
        there = [name for name in _spellings(column.name) if name in names]
        if not there:
            where = ACTION if column.type_name == ACTION else "observations"
            raise UserError(
                f"{folder}: no '{column.name}' of {layout.robot} among its {where}: expected it "
                f"among {', '.join(names)[:300] or 'none that have names'}"
            )
        found.append(names[there[0]])
    return found


def _spellings(name: str) -> Iterator[str]:
    """Yield the names that LeRobot may have for one of ours."""
    for ours, theirs in ENDINGS:
        if name.endswith(ours):
            yield name.removesuffix(ours) + theirs if ours else name + theirs


def _names(told: Any) -> list[str]:
    """Return the names of a feature's numbers: a list, or a mapping of lists."""
    names = told.get("names") if isinstance(told, Mapping) else None
    if isinstance(names, Mapping):
        names = [each for part in names.values() for each in (part if _is_list(part) else [])]
    return [str(name) for name in names] if isinstance(names, list) else []


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_number(told: Any) -> bool:
    return isinstance(told, Mapping) and told.get("dtype") in NUMBERS


def _batches(folder: Path, names: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the wanted columns of all data files, some rows at a time."""
    parquet = import_parquet()
    files = sorted((folder / "data").glob("*/*.parquet"))
    if not files:
        raise UserError(f"{folder}: expected files data/chunk-000/file-000.parquet, found none")
    for file in files:
        try:
            with parquet.ParquetFile(file) as stream:
                for batch in stream.iter_batches(ROWS, columns=names):
                    yield {name: batch.column(name) for name in names}
        except UserError:
            raise
        except Exception as error:  # any error that parsing may raise
            said = " ".join(str(error).split())[:200]
            raise UserError(
                f"{file}: damaged, or without one of {', '.join(names)} ({said})"
            ) from None


def _matrix(folder: Path, name: str, column: Any) -> Array:
    """Return a column of numbers, or of lists of equal length, as rows (n, k)."""
    lists = hasattr(column, "flatten") and column.type.num_fields > 0
    flat = column.flatten() if lists else column
    try:
        values = np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float64)
        return values.reshape(len(column), -1)
    except (TypeError, ValueError) as error:
        raise UserError(f"{folder}: {name}: expected numbers in each frame ({error})") from None


def _part(folder: Path, values: Array, feature: str, place: int) -> Array:
    if place >= values.shape[1]:
        raise UserError(
            f"{folder}: {feature} has {values.shape[1]} numbers, its names tell {place + 1} or more"
        )
    part: Array = values[:, place]
    return part


def _times(folder: Path, times: Array, episodes: Array, own: bool) -> Any:
    """Return the frames' times [ns]; episodes whose times begin at 0 come one after the other."""
    if not np.isfinite(times).all() or (times < 0).any():
        raise UserError(f"{folder}: expected times of 0 s or later in each frame")
    if own:
        return np.array([nanoseconds(time) for time in times], dtype=np.int64)
    starts = np.flatnonzero(np.diff(episodes, prepend=np.nan) != 0)
    shifted, end = times.copy(), 0.0
    for begin, stop in zip(starts, [*starts[1:], len(times)], strict=True):
        shifted[begin:stop] += end
        end = float(shifted[stop - 1]) + BETWEEN
    return np.round(shifted * NANO).astype(np.int64)
