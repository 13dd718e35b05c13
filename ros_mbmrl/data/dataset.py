"""Data set: a folder with `rollouts.npz` (plain arrays) and `dataset.yaml` (their meaning)."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.from_recording import check_rates, rollouts_of
from ros_mbmrl.data.quality import LONGEST, impossible, inspect_rollout, spread
from ros_mbmrl.data.recording import SUFFIX, SUFFIXES
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.steps import Run, read_run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Quantity, RobotSpec
from ros_mbmrl.untrusted import dump_yaml, read_arrays, read_yaml, refuse_pointer

FORMAT = 1
ARRAYS_FILE = "rollouts.npz"
CARD_FILE = "dataset.yaml"
# Type and number of dimensions of each array.
ARRAYS = MappingProxyType(
    {
        "states": (np.float32, 2),
        "actions": (np.float32, 2),
        "times": (np.float64, 1),
        "marks": (np.uint8, 1),
        "steps": (np.int64, 1),
    }
)


def save(folder: Path, rollouts: Sequence[Rollout]) -> str:
    """Write a data set of one robot's rollouts; return the sha256 of its arrays.

    Each file is written completely or not at all. Raises UserError for no rollouts or several
    robots.
    """
    robots = sorted({rollout.robot for rollout in rollouts})
    if len(robots) != 1:
        raise UserError(f"{folder}: expected rollouts of one robot, got {robots or 'none'}")
    spec = make_robot(robots[0]).spec
    try:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = folder / ARRAYS_FILE
        temporary = folder / f".{ARRAYS_FILE}.{os.getpid()}"
        with open(temporary, "wb") as stream:
            np.savez(stream, allow_pickle=False, **_joined(rollouts))
        os.replace(temporary, arrays)
        digest = sha256_of(arrays)
        temporary = folder / f".{CARD_FILE}.{os.getpid()}"
        temporary.write_text(dump_yaml(_card(spec, rollouts, digest)))
        os.replace(temporary, folder / CARD_FILE)
    except OSError as error:
        raise UserError(f"{folder}: cannot write a data set here ({error})") from error
    return digest


@dataclass(frozen=True)
class DataSet:
    """The rollouts of a data set, with marks on the transitions that are not used for training."""

    path: Path
    robot: str
    rollouts: tuple[Rollout, ...]

    @property
    def period(self) -> float:
        """Return the median time between steps [s]; nan without any."""
        steps = self._steps()
        return float(np.median(steps)) if len(steps) else math.nan

    @property
    def seconds(self) -> float:
        """Return the time that its steps cover [s], without gaps."""
        steps = self._steps()
        return float(steps[steps <= LONGEST * self.period].sum())

    def _steps(self) -> NDArray[np.float64]:
        """Return the times between successive rows [s]."""
        steps: NDArray[np.float64] = np.concatenate(
            [np.zeros(0), *(np.diff(each.times) for each in self.rollouts)]
        )
        return steps[np.isfinite(steps) & (steps > 0)]


def load(paths: Iterable[Path]) -> list[Rollout]:
    """Return the rollouts of data sets, recordings and folders of recordings, in order.

    Raises UserError for data that is missing or damaged, has other names or units, is of another
    robot than the rest, or at another rate.
    """
    parts: list[DataSet | Run] = []
    for path in map(Path, paths):
        parts += [
            read_dataset(file) if is_dataset(file) else read_run(file) for file in data_in(path)
        ]
    if not parts:
        raise UserError("no data: expected at least one data set or recording")
    robots: dict[str, Path] = {}
    for part in parts:
        robots.setdefault(part.robot, part.path)
    if len(robots) > 1:
        whose = ", ".join(f"{path} is of {name}" for name, path in robots.items())
        raise UserError(f"expected data of one robot, got several: {whose}")
    check_rates(parts)
    return [
        rollout
        for part in parts
        for rollout in (rollouts_of(part) if isinstance(part, Run) else part.rollouts)
    ]


def is_dataset(path: Path) -> bool:
    """Return whether a path is the folder of a data set."""
    return (path / CARD_FILE).is_file()


def data_in(path: Path) -> list[Path]:
    """Return the path itself, or the data sets and recordings in a folder and its sub-folders.

    The order is by name, with numbers by value, so that `_2` comes before `_10`. Recordings that
    cannot be read are included, so that they are refused and not left out. Raises UserError if
    there is none.
    """
    if path.is_file() or is_dataset(path):
        return [path]
    found, seen = [], {path.resolve()}
    for name, folders, files in os.walk(path, onerror=_unreadable, followlinks=True):
        here = [Path(name, folder) for folder in folders]
        found += [folder for folder in here if is_dataset(folder)]
        found += [Path(name, file) for file in files if file.endswith(SUFFIXES)]
        inside = [f for f in here if not is_dataset(f) and f.resolve() not in seen]
        seen |= {folder.resolve() for folder in inside}
        folders[:] = [folder.name for folder in inside]
    if not found:
        raise UserError(
            f"{path}: not a data set, expected a folder with {CARD_FILE} or with recordings, "
            f"or a recording ({SUFFIX})"
        )
    return sorted(found, key=_by_number)


def _unreadable(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):
        return  # an empty result, which the caller reports
    raise UserError(f"{error.filename}: cannot be read ({error.strerror})")


def _by_number(path: Path) -> list[list[str | int]]:
    """Return a sort key: every part of a path as texts and numbers in turn."""
    return [
        [int(each) if k % 2 else each for k, each in enumerate(re.split("([0-9]+)", part))]
        for part in path.parts
    ]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal; for a data set, that of its arrays.

    For a folder of recordings or data sets, the sha256 of their sha256s.
    """
    if path.is_dir() and not is_dataset(path):
        return hashlib.sha256("".join(map(sha256_of, data_in(path))).encode()).hexdigest()
    file = path / ARRAYS_FILE if path.is_dir() else path
    digest = hashlib.sha256()
    try:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def select(rollouts: Sequence[Rollout], **tags: Sequence[str]) -> list[Rollout]:
    """Return the rollouts whose tags have one of the given values: `terrain=["carpet", "turf"]`.

    Raises UserError for a value that no rollout has.
    """
    chosen = list(rollouts)
    for tag, values in tags.items():
        known = {rollout.tags.get(tag, "") for rollout in rollouts} - {""}
        for value in values:
            if value not in known:
                expected = ", ".join(sorted(known)) or "none"
                raise UserError(f"no data with {tag} '{value}': there is {expected}")
        chosen = [rollout for rollout in chosen if rollout.tags.get(tag) in values]
    return chosen


def split(
    rollouts: Sequence[Rollout], by: str = "session", held_out: float = 0.2, seed: int = 0
) -> tuple[list[Rollout], list[Rollout]]:
    """Split rollouts into training and held-out ones: whole groups of equal tag `by`, never rows.

    Groups are drawn within each terrain, so that both sides contain every terrain that has two
    groups or more. A single session is split by its episodes, if it has any. Raises UserError if a
    side would be empty.

    Args:
        rollouts: to split.
        by: tag of the groups.
        held_out: share of the groups.
        seed: of the drawing.

    Returns:
        Training rollouts, held-out rollouts.
    """
    if not 0 < held_out < 1:
        raise UserError(f"expected a share between 0 and 1 to hold out, got {held_out}")
    alone = len({rollout.tags.get(by, "") for rollout in rollouts}) == 1
    if by == "session" and alone and all("episode" in rollout.tags for rollout in rollouts):
        by = "episode"
    groups: dict[str, set[str]] = {}
    for rollout in rollouts:
        if by not in rollout.tags:
            raise UserError(f"cannot split by '{by}': a rollout has tags {sorted(rollout.tags)}")
        groups.setdefault(rollout.tags.get("terrain", ""), set()).add(rollout.tags[by])
    generator = np.random.default_rng(seed)
    held: set[tuple[str, str]] = set()
    for terrain in sorted(groups):
        names = generator.permutation(sorted(groups[terrain]))
        count = min(max(1, round(held_out * len(names))), len(names) - 1)
        held |= {(terrain, str(name)) for name in names[:count]}
    sides: tuple[list[Rollout], list[Rollout]] = ([], [])
    for rollout in rollouts:
        key = (rollout.tags.get("terrain", ""), rollout.tags[by])
        sides[key in held].append(rollout)
    if not sides[0] or not sides[1]:
        raise UserError(f"cannot split by '{by}': expected two groups or more of one terrain")
    return sides


def _joined(rollouts: Sequence[Rollout]) -> dict[str, NDArray[Any]]:
    return {
        "states": np.concatenate([r.states for r in rollouts]).astype(np.float32),
        "actions": np.concatenate([r.actions for r in rollouts]).astype(np.float32),
        "times": np.concatenate([r.times for r in rollouts]).astype(np.float64),
        "marks": np.concatenate([r.marks for r in rollouts]).astype(np.uint8),
        "steps": np.array([len(r) for r in rollouts], dtype=np.int64),
    }


def _card(spec: RobotSpec, rollouts: Sequence[Rollout], digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "robot": spec.name,
        "period": spec.period,
        "sha256": digest,
        "state": _named(spec.state),
        "action": _named(spec.action),
        "rollouts": [dict(rollout.tags) for rollout in rollouts],
    }


def _named(quantities: Sequence[Quantity]) -> list[list[str]]:
    return [[quantity.name, quantity.unit] for quantity in quantities]


def read_dataset(folder: Path) -> DataSet:
    """Read a data set. Raises UserError.

    Marks are those it was saved with and those its rows require: gaps, times that go back, numbers
    that are not finite, commands that cannot have acted.
    """
    card = _read_card(folder)
    spec = make_robot(str(card["robot"])).spec
    for part in ("state", "action"):
        _check_names(folder, part, card[part], _named(getattr(spec, part)))
    if card.get("period", spec.period) != spec.period:
        raise UserError(
            f"{folder}: made with a period of {card['period']} s, expected {spec.period} s of "
            f"{spec.name}"
        )
    refuse_pointer(folder / ARRAYS_FILE)
    if sha256_of(folder) != card["sha256"]:
        raise UserError(f"{folder / ARRAYS_FILE}: damaged or changed, its sha256 is not the card's")
    arrays = _read_arrays(folder / ARRAYS_FILE)
    for name, width in (("states", len(spec.state)), ("actions", len(spec.action))):
        if arrays[name].shape[1] != width:
            raise UserError(f"{folder}: expected {width} columns of {name}, as {spec.name} has")
    steps, tags = arrays["steps"], card["rollouts"]
    if (steps < 0).any():
        raise UserError(f"{folder}: expected rollouts of 0 steps or more, got {steps.min()}")
    total = sum(steps.tolist())  # not NumPy's sum, which may overflow
    expected = {"states": total + len(steps), "times": total + len(steps)}
    expected |= {"actions": total, "marks": total}
    for name, rows in expected.items():
        if len(arrays[name]) != rows:
            raise UserError(f"{folder}: expected {rows} rows of {name}, got {len(arrays[name])}")
    mappings = isinstance(tags, list) and all(isinstance(each, dict) for each in tags)
    if not mappings or len(tags) != len(steps):
        raise UserError(f"{folder / CARD_FILE}: expected tags of {len(steps)} rollouts")
    rollouts = [_marked(spec, each) for each in _parted(spec.name, arrays, tags)]
    return DataSet(folder, spec.name, tuple(rollouts))


def _marked(spec: RobotSpec, rollout: Rollout) -> Rollout:
    """Return a rollout with the additional marks that its own rows require."""
    marks = rollout.marks | spread(inspect_rollout(spec, rollout), len(rollout))
    marks[impossible(spec, rollout.actions)] |= np.uint8(Mark.COMMAND)
    return replace(rollout, marks=marks)


def _parted(
    robot: str, arrays: Mapping[str, NDArray[Any]], tags: Sequence[Mapping[str, str]]
) -> list[Rollout]:
    ends = np.cumsum(arrays["steps"])
    rollouts = []
    for k, (end, length) in enumerate(zip(ends, arrays["steps"], strict=True)):
        moves = slice(end - length, end)
        rows = slice(end - length + k, end + k + 1)  # every rollout has one more state than actions
        rollouts.append(
            Rollout(
                robot=robot,
                states=arrays["states"][rows],
                actions=arrays["actions"][moves],
                times=arrays["times"][rows],
                marks=arrays["marks"][moves],
                tags=MappingProxyType({str(a): str(b) for a, b in tags[k].items()}),
            )
        )
    return rollouts


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_FILE
    if not path.is_file():
        raise UserError(f"{folder}: not a data set, expected a folder with {CARD_FILE}")
    card = read_yaml(path)
    names = ("format", "robot", "sha256", "state", "action", "rollouts")
    missing = [name for name in names if not isinstance(card, dict) or name not in card]
    if missing:
        raise UserError(f"{path}: {', '.join(missing)} missing")
    if card["format"] != FORMAT:
        raise UserError(f"{path}: format {card['format']}, this version reads format {FORMAT}")
    return dict(card)


def _check_names(folder: Path, part: str, got: Any, expected: list[list[str]]) -> None:
    for k, want in enumerate(expected):
        have = got[k] if isinstance(got, list) and k < len(got) else None
        if have != want:
            raise UserError(
                f"{folder}: {part} {k} is {_words(have)}, this robot's is {_words(want)}"
            )
    if len(got) > len(expected):
        raise UserError(f"{folder}: {len(got)} {part} names, this robot has {len(expected)}")


def _words(quantity: Any) -> str:
    if isinstance(quantity, list) and len(quantity) == 2:
        return f"'{quantity[0]}' [{quantity[1]}]"
    return "missing"


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    arrays = read_arrays(path, ARRAYS)
    for name, (dtype, dimensions) in ARRAYS.items():
        array = arrays.get(name)
        if array is None or array.dtype != dtype or array.ndim != dimensions:
            found = "none" if array is None else f"{array.ndim} of {array.dtype}"
            expected = f"{dimensions} dimensions of {np.dtype(dtype)}"
            raise UserError(f"{path}: {name}: expected {expected}, got {found}")
    return arrays
