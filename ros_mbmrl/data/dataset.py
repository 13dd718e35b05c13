"""Data set: a folder with `rollouts.npz` (plain arrays) and `dataset.yaml` (their meaning)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.files import ARRAYS_FILE, CARD_FILE, data_in, is_dataset, sha256_of
from ros_mbmrl.data.from_recording import check_rates, rollouts_of
from ros_mbmrl.data.quality import LONGEST, impossible, inspect_rollout, spread
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import adopt_beside, keep_beside
from ros_mbmrl.robots.quantities import Quantity
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.untrusted import dump_yaml, read_arrays, read_yaml, refuse_pointer

FORMAT = 1
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
# Optional, of each action: what actuators have lost; what else has changed.
LOST, CAUSES = "effectiveness", "causes"
OPTIONAL = (LOST, CAUSES)


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
            content: dict[str, Any] = dict(_joined(rollouts))
            # No `allow_pickle=False`: NumPy before 2.1 would write it as an array of that name.
            np.savez(stream, **content)
        os.replace(temporary, arrays)
        digest = sha256_of(arrays)
        temporary = folder / f".{CARD_FILE}.{os.getpid()}"
        temporary.write_text(dump_yaml(_card(spec, rollouts, digest)))
        os.replace(temporary, folder / CARD_FILE)
        keep_beside(folder, rollouts[0].robot)
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
    return [rollout for each in load_each(paths) for rollout in each]


def load_each(paths: Iterable[Path]) -> list[list[Rollout]]:
    """Return the rollouts of each path. Raises UserError as `load` does."""
    each: list[list[DataSet | Run]] = [
        [read_dataset(file) if is_dataset(file) else read_run(file) for file in data_in(path)]
        for path in map(Path, paths)
    ]
    parts = [part for some in each for part in some]
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
        [
            rollout
            for part in some
            for rollout in (rollouts_of(part) if isinstance(part, Run) else part.rollouts)
        ]
        for some in each
    ]


def _joined(rollouts: Sequence[Rollout]) -> dict[str, NDArray[Any]]:
    return {
        "states": np.concatenate([r.states for r in rollouts]).astype(np.float32),
        "actions": np.concatenate([r.actions for r in rollouts]).astype(np.float32),
        "times": np.concatenate([r.times for r in rollouts]).astype(np.float64),
        "marks": np.concatenate([r.marks for r in rollouts]).astype(np.uint8),
        "steps": np.array([len(r) for r in rollouts], dtype=np.int64),
        **_optional(LOST, [(len(r), r.effectiveness) for r in rollouts]),
        **_optional(CAUSES, [(len(r), r.causes) for r in rollouts]),
    }


def _optional(
    name: str, each: Sequence[tuple[int, NDArray[np.float32] | None]]
) -> dict[str, NDArray[Any]]:
    """Return rollouts' arrays of so many steps, NaN if unknown; nothing if all of them are."""
    width = next((own.shape[1] for _, own in each if own is not None), None)
    if width is None:
        return {}
    known = [np.full((steps, width), np.nan) if own is None else own for steps, own in each]
    return {name: np.concatenate(known).astype(np.float32)}


def _card(spec: RobotSpec, rollouts: Sequence[Rollout], digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "robot": spec.name,
        "period": spec.period,
        "sha256": digest,
        "state": _named(spec.state),
        "action": _named(spec.action),
        **({"causes": _named(spec.causes)} if any(r.causes is not None for r in rollouts) else {}),
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
    if "causes" in card:
        _check_names(folder, "cause", card["causes"], _named(spec.causes))
    if card.get("period", spec.period) != spec.period:
        raise UserError(
            f"{folder}: made with a period of {card['period']} s, expected {spec.period} s of "
            f"{spec.name}"
        )
    refuse_pointer(folder / ARRAYS_FILE)
    if sha256_of(folder) != card["sha256"]:
        raise UserError(f"{folder / ARRAYS_FILE}: damaged or changed, its sha256 is not the card's")
    arrays = _read_arrays(folder / ARRAYS_FILE)
    widths = {"states": len(spec.state), "actions": len(spec.action), LOST: len(spec.action)}
    widths |= {CAUSES: len(spec.causes)}
    for name, width in widths.items():
        if name in arrays and arrays[name].shape[1] != width:
            raise UserError(f"{folder}: expected {width} columns of {name}, as {spec.name} has")
    steps, tags = arrays["steps"], card["rollouts"]
    if (steps < 0).any():
        raise UserError(f"{folder}: expected rollouts of 0 steps or more, got {steps.min()}")
    total = sum(steps.tolist())  # not NumPy's sum, which may overflow
    expected = {"states": total + len(steps), "times": total + len(steps)}
    expected |= {"actions": total, "marks": total}
    expected |= {name: total for name in OPTIONAL if name in arrays}
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
                effectiveness=_known(arrays[LOST][moves]) if LOST in arrays else None,
                causes=_known(arrays[CAUSES][moves]) if CAUSES in arrays else None,
            )
        )
    return rollouts


def _known(values: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return an optional array of a rollout, None where it was unknown."""
    return values if np.isfinite(values).all() else None


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
    adopt_beside(folder, str(card["robot"]))
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
    arrays = read_arrays(path, (*ARRAYS, *OPTIONAL))
    optional = {name: ARRAYS["actions"] for name in OPTIONAL if name in arrays}
    for name, (dtype, dimensions) in {**ARRAYS, **optional}.items():
        array = arrays.get(name)
        if array is None or array.dtype != dtype or array.ndim != dimensions:
            found = "none" if array is None else f"{array.ndim} of {array.dtype}"
            expected = f"{dimensions} dimensions of {np.dtype(dtype)}"
            raise UserError(f"{path}: {name}: expected {expected}, got {found}")
    return arrays
