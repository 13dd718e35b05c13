"""Small logs of the VelociRoACH's format, and runs of the graph, made up here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.recording import Recorded, RecordingInfo
from ros_mbmrl.data.step_reader import Reader
from ros_mbmrl.data.steps import Run
from ros_mbmrl.data.velociroach import COLUMNS
from ros_mbmrl.robots import make_robot


def driving_log(runs: int = 2, rows: int = 10) -> dict[str, np.ndarray]:
    """Runs that drive at .2 m/s while turning left at .5 rad/s, right legs faster."""
    time = 0.1 * np.arange(rows)
    yaw = 0.5 * time
    column: dict[str, np.ndarray] = dict.fromkeys(COLUMNS, np.zeros(rows))
    column |= {"t_robot": 1e9 + time, "t_mocap": 1e9 + time - 0.005}
    column |= {"cmd_left": np.full(rows, 262.144), "cmd_right": np.full(rows, 327.68)}
    column |= {"pos_left": 26214.4 * time * 10, "pos_right": 32768 * time * 10}
    column |= {"gyro_x": 100 + time, "gyro_y": 200 + time, "gyro_z": 0.5 / 0.0010658 + time}
    column |= {"bemf_left": np.full(rows, 50.0), "bemf_right": np.full(rows, -60.0)}
    column |= {"vbat": np.full(rows, 889.0)}
    column |= {"x": 0.4 * np.sin(yaw), "y": 0.4 * (1 - np.cos(yaw)), "z": np.full(rows, 0.05)}
    column |= {"qz": np.sin(yaw / 2), "qw": np.cos(yaw / 2)}
    samples = np.stack([column[name] for name in COLUMNS], axis=1)
    return {
        "samples": np.concatenate([samples] * runs),
        "columns": np.array(COLUMNS),
        "length": np.full(runs, rows, dtype=np.int32),
        "session": np.array([f"carpet_{k // 2}" for k in range(runs)]),
        "surface": np.array(["carpet"] * runs),
        "run": np.arange(runs, dtype=np.int32),
    }


@pytest.fixture
def log() -> dict[str, np.ndarray]:
    """The arrays of a clean log of two runs of ten rows."""
    return driving_log()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes arrays as a log file."""

    def written(arrays: dict[str, Any]) -> Path:
        path = tmp_path / "logs.npz"
        np.savez(path, **arrays)
        return path

    return written


class Script:
    """What a recorder of the hexapod's graph would have seen, in its order; times in ns."""

    names = ("left_legs", "right_legs")

    def __init__(self) -> None:
        self.messages: list[tuple[str, int, Any]] = []
        self.ahead = 10**18  # of the recorder's clock before the stamps

    def add(self, topic: str, stamp: int, **fields: Any) -> None:
        header = SimpleNamespace(stamp=_stamp(stamp))
        self.messages.append((topic, self.ahead + stamp, SimpleNamespace(header=header, **fields)))

    def state(self, stamp: int, values: np.ndarray, without: tuple[str, ...] = ()) -> None:
        """The state topics, in an order of their own, and when the oldest part was measured."""
        m = values
        turn = SimpleNamespace(w=m[3], x=m[4], y=m[5], z=m[6])
        pose = SimpleNamespace(pose=SimpleNamespace(position=_xyz(m[:3]), orientation=turn))
        contents: dict[str, dict[str, Any]] = {
            "sensor_time": {"time_ref": _stamp(max(0, stamp - 5_000_000))},
            "battery": {"voltage": m[17]},
            "joint_states": {"name": self.names, "position": list(m[13:15])},
            "odom": {"pose": pose},
            "imu": {"angular_velocity": _xyz(m[7:10]), "linear_acceleration": _xyz(m[10:13])},
            "back_emf": {"name": self.names, "effort": list(m[15:17])},
        }
        for topic, fields in contents.items():
            if topic not in without:
                self.add(topic, stamp, **fields)

    def command(self, stamp: int, values: list[float], topic: str = "command/safe") -> None:
        self.add(topic, stamp, name=list(self.names) if values else [], velocity=values)

    def line(
        self, topic: str, stamp: int, name: str, owner: str = "hexapod", **values: Any
    ) -> None:
        """A line of diagnostics."""
        pairs = [SimpleNamespace(key=key, value=str(value)) for key, value in values.items()]
        self.add(topic, stamp, status=[SimpleNamespace(name=name, hardware_id=owner, values=pairs)])

    def timing(
        self,
        stamp: int,
        missed: int = 0,
        offset: float = 0.02,
        delay: float = 0.0,
        **more: Any,
    ) -> None:
        told = {"missed": missed, "offset_s": offset, "delay_s": delay, **more}
        self.line("/diagnostics", stamp, "driver: timing", **told)

    def episode(self, event: str, index: int, **tags: str) -> None:
        self.line("episode", 0, "collect: episode", event=event, index=index, **tags)

    def steps(self, first: int, count: int) -> None:
        """Whole steps from number `first` on, 100 ms apart, each with a command (stamp, 2)."""
        for k in range(first, first + count):
            stamp = 10**9 + k * 10**8
            self.state(stamp, walking(k))
            self.command(stamp, [stamp / 1e9, 2.0])
            self.timing(stamp)

    def run(self, complete: bool = True) -> Run:
        reader = Reader(make_robot("hexapod"), Path("folder/run.mcap"), "hexapod")
        for topic, logged, message in self.messages:
            reader.add(topic, Recorded(topic, "", logged, message))
        return reader.run(RecordingInfo({}, 0, 0, 0, complete))


def walking(k: int) -> np.ndarray:
    """The measurement (18,) of step k of a straight walk at .2 m/s, with a little noise."""
    noise = 0.01 * np.random.default_rng(k).normal(size=18)
    values = np.array([0.02 * k, 0, 0.05, 1, *[0] * 9, k, 2 * k, 0.5, 0.6, 3.9]) + noise
    values[3:7] /= np.linalg.norm(values[3:7])
    return values


def _stamp(stamp: int) -> SimpleNamespace:
    return SimpleNamespace(sec=stamp // 10**9, nanosec=stamp % 10**9)


def _xyz(values: np.ndarray) -> SimpleNamespace:
    return SimpleNamespace(**dict(zip("xyz", values, strict=True)))


@pytest.fixture
def script() -> Script:
    """An empty one."""
    return Script()


@pytest.fixture
def measurement() -> Callable[[int], np.ndarray]:
    """`walking`."""
    return walking
