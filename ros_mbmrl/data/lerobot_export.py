"""Export of recordings as a LeRobot data set, version 3.0 of its format.

Format: https://huggingface.co/docs/lerobot/lerobot-dataset-v3, as `lerobot` 0.4 reads it. A frame
is a control step: `observation.state` is what the robot measured and `action` what acted until the
next step. An episode is a stretch of the run without a gap; its last state, after which nothing
acted, is left out. Frames of a step that training leaves out have `doubtful` true. LeRobot counts
time in frames, `timestamp` is that; `time` is the robot's clock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.steps import Run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array, RobotSpec

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "v3.0"
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA, EPISODES, TASKS = f"data/{FILE}", f"meta/episodes/{FILE}", "meta/tasks.parquet"
INFO, STATS = "meta/info.json", "meta/stats.json"
STATE, ACTION = "observation.state", "action"
FILES_A_CHUNK, FILE_MB, VIDEO_MB = 1000, 100, 200  # as lerobot's own
QUANTILES = MappingProxyType({"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99})
SCALARS: MappingProxyType[str, str] = MappingProxyType(
    {
        **{"time": "float64", "doubtful": "bool", "timestamp": "float32"},
        **{f"{name}index": "int64" for name in ("frame_", "episode_", "", "task_")},
    }
)


@dataclass(frozen=True)
class Episode:
    """Frames of an episode.

    Args:
        times: on the robot's clock (n,) [s].
        measurements: (n, dm) float32.
        actions: that acted after each (n, da) float32.
        doubtful: frames that training leaves out (n,).
        task: in words.
    """

    times: Array
    measurements: NDArray[np.float32]
    actions: NDArray[np.float32]
    doubtful: NDArray[np.bool_]
    task: str


def episodes_of(run: Run) -> list[Episode]:
    """Return the episodes of a recorded run. Raises UserError if no two steps follow each other."""
    found, begin = [], 0
    for rollout in rollouts_of(run):
        while run.steps[begin].time != rollout.times[0]:
            begin += 1
        steps = run.steps[begin : begin + len(rollout)]
        words = [f"{key} {value}" for key, value in rollout.tags.items() if key in ("terrain",)]
        found.append(
            Episode(
                times=rollout.times[:-1],
                measurements=np.array([step.measurement for step in steps], dtype=np.float32),
                actions=rollout.actions,
                doubtful=rollout.marks != 0,
                task=" ".join([f"drive the {run.robot}", *words]),
            )
        )
        begin += len(rollout)
    return found


def export(runs: Iterable[Run], out: Path) -> dict[str, int]:
    """Write a LeRobot data set, completely or not at all; return counts of episodes and frames.

    Args:
        runs: of one robot.
        out: folder, which must not exist.

    Raises:
        UserError: no runs, several robots, pyarrow is missing, or the folder is there.
    """
    if out.exists():
        raise UserError(f"{out}: is there already: expected a new folder")
    parquet = import_parquet()
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        writer = _Writer(temporary, parquet)
        for run in runs:
            for episode in episodes_of(run):
                writer.add(run.robot, episode)
        counts = writer.finish()
        os.replace(temporary, out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return counts


def import_parquet() -> Any:
    """Return `pyarrow.parquet`. Raises UserError without the extra."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise UserError(
            "LeRobot's data sets need pyarrow: expected `pip install ros_mbmrl[lerobot]`"
        ) from None
    return parquet


class _Writer:
    """Writer of episodes, one after the other, into a folder."""

    def __init__(self, folder: Path, parquet: Any) -> None:
        self._folder, self._parquet = folder, parquet
        self._robot = ""
        self._tasks: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._frames = self._file = self._bytes = 0
        self._data: Any = None
        self._all: dict[str, list[Array]] = {}

    def add(self, robot: str, episode: Episode) -> None:
        """Write an episode. Raises UserError if it is of another robot than those before."""
        if self._robot not in ("", robot):
            raise UserError(f"expected runs of one robot, got {self._robot} and {robot}")
        self._robot = robot
        if episode.task not in self._tasks:
            self._tasks.append(episode.task)
        columns = self._columns(episode)
        table = _table(columns)
        if self._data is not None and self._bytes + table.nbytes > FILE_MB << 20:
            self._data.close()
            self._data, self._bytes, self._file = None, 0, self._file + 1
        where = _place(self._file)
        if self._data is None:
            path = self._folder / DATA.format(**where)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._data = self._parquet.ParquetWriter(path, table.schema, compression="snappy")
        self._data.write_table(table)
        self._bytes += table.nbytes
        self._rows.append(self._row(episode, columns, where))
        self._frames += len(episode.times)
        for name in (STATE, ACTION):
            self._all.setdefault(name, []).append(np.asarray(columns[name], dtype=np.float64))

    def finish(self) -> dict[str, int]:
        """Write what describes all episodes; return their numbers. Raises UserError for none."""
        if not self._rows:
            raise UserError("expected at least one recording, got none")
        self._data.close()
        spec = make_robot(self._robot).spec
        episodes = self._folder / EPISODES.format(**_place(0))
        episodes.parent.mkdir(parents=True)
        import pyarrow

        self._parquet.write_table(pyarrow.Table.from_pylist(self._rows), episodes)
        self._parquet.write_table(_task_table(self._tasks), self._folder / TASKS)
        stats = {name: _stats(np.concatenate(rows)) for name, rows in self._all.items()}
        _write_json(self._folder / STATS, stats)
        counts = {"episodes": len(self._rows), "frames": self._frames, "tasks": len(self._tasks)}
        _write_json(self._folder / INFO, _info(spec, counts))
        return counts

    def _columns(self, episode: Episode) -> dict[str, NDArray[Any]]:
        frames = len(episode.times)
        fps = _fps(make_robot(self._robot).spec)
        return {
            STATE: episode.measurements,
            ACTION: episode.actions,
            "time": episode.times,
            "doubtful": episode.doubtful,
            "timestamp": (np.arange(frames) / fps).astype(np.float32),
            "frame_index": np.arange(frames),
            "episode_index": np.full(frames, len(self._rows)),
            "index": self._frames + np.arange(frames),
            "task_index": np.full(frames, self._tasks.index(episode.task)),
        }

    def _row(
        self, episode: Episode, columns: dict[str, NDArray[Any]], where: dict[str, int]
    ) -> dict[str, Any]:
        frames = len(episode.times)
        row: dict[str, Any] = {
            "episode_index": len(self._rows),
            "tasks": [episode.task],
            "length": frames,
            "data/chunk_index": where["chunk_index"],
            "data/file_index": where["file_index"],
            "dataset_from_index": self._frames,
            "dataset_to_index": self._frames + frames,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        for name in (STATE, ACTION):
            for key, value in _stats(np.asarray(columns[name], dtype=np.float64)).items():
                row[f"stats/{name}/{key}"] = value
        return row


def _place(number: int) -> dict[str, int]:
    chunk, file = divmod(number, FILES_A_CHUNK)
    return {"chunk_index": chunk, "file_index": file}


def _fps(spec: RobotSpec) -> float:
    """Return the control rate [Hz], as an integer if it is one."""
    rate = 1 / spec.period
    return round(rate) if abs(rate - round(rate)) < 1e-9 * rate else rate


def _table(columns: dict[str, NDArray[Any]]) -> pa.Table:
    """Return columns as LeRobot has them: vectors are lists, those of one number are numbers."""
    import pyarrow

    arrays: dict[str, Any] = {}
    for name, values in columns.items():
        flat = pyarrow.array(np.ascontiguousarray(values).reshape(-1))
        if values.ndim == 2 and values.shape[1] > 1:
            offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
            flat = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), flat)
        arrays[name] = flat
    return pyarrow.table(arrays)


def _task_table(tasks: Sequence[str]) -> pa.Table:
    """Return tasks as pandas writes a frame that has them as its index, which lerobot expects."""
    import pyarrow

    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": own, "metadata": None}
        for name, kind, own in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    told = {"index_columns": ["task"], "column_indexes": [], "columns": columns}
    meta = {b"pandas": json.dumps({**told, "pandas_version": "2.0.0"}).encode()}
    table = pyarrow.table({"task_index": list(range(len(tasks))), "task": list(tasks)})
    return table.replace_schema_metadata(meta)


def _stats(values: Array) -> dict[str, list[float]]:
    """Return statistics of rows (n, k), a list of k each."""
    rows = values.reshape(len(values), -1)
    known = np.where(np.isfinite(rows), rows, np.nan)
    with np.errstate(all="ignore"):
        found = {
            "min": np.nanmin(known, axis=0),
            "max": np.nanmax(known, axis=0),
            "mean": np.nanmean(known, axis=0),
            "std": np.nanstd(known, axis=0),
            **{name: np.nanquantile(known, q, axis=0) for name, q in QUANTILES.items()},
        }
    return {**{name: each.tolist() for name, each in found.items()}, "count": [len(rows)]}


def _info(spec: RobotSpec, counts: dict[str, int]) -> dict[str, Any]:
    features: dict[str, Any] = {
        STATE: _feature("float32", [quantity.name for quantity in spec.measurement]),
        ACTION: _feature("float32", [limit.name for limit in spec.action]),
    }
    features |= {n: {"dtype": d, "shape": [1], "names": None} for n, d in SCALARS.items()}
    return {
        "codebase_version": VERSION,
        "robot_type": spec.name,
        **{f"total_{name}": count for name, count in counts.items()},
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": FILE_MB,
        "video_files_size_in_mb": VIDEO_MB,
        "fps": _fps(spec),
        "splits": {"train": f"0:{counts['episodes']}"},
        "data_path": DATA,
        "video_path": None,
        "features": features,
    }


def _feature(dtype: str, names: list[str]) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [len(names)], "names": names}


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=4) + "\n")
