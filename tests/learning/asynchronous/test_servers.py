"""Servers are folders: whole or not at all, in order, none double."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.servers import (
    LATEST,
    DataServer,
    Servers,
    Trajectory,
    VersionServer,
)
from ros_mbmrl.networks import tensor_file

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def wrote(text: str, folder: Path) -> None:
    (folder / "x").write_text(text)


def trajectory(seed: int, steps: int = 4, collector: str = "collector-0") -> Trajectory:
    rng = np.random.default_rng(seed)
    rollout = Rollout(
        "slider",
        rng.normal(size=(steps + 1, 2)).astype(np.float32),
        rng.normal(size=(steps, 1)).astype(np.float32),
        np.arange(steps + 1) * 0.1,
        np.zeros(steps, dtype=np.uint8),
        {"session": f"s-{seed}"},
        effectiveness=np.ones((steps, 1), dtype=np.float32),
    )
    return Trajectory(rollout, -1.5, collector, 3, 7, seed, 2.0, 2.4)


def test_a_trajectory_comes_back_as_it_was_pushed(tmp_path: Path) -> None:
    server = DataServer(tmp_path)
    assert [server.push(trajectory(k)) for k in range(3)] == [0, 1, 2]
    (found,) = server.since(2)
    pushed = trajectory(2)
    assert found.facts == pushed.facts == server.facts(2)
    assert dict(found.rollout.tags) == {"session": "s-2"}
    assert found.rollout.causes is None
    for name in ("states", "actions", "times", "marks", "effectiveness"):
        assert (getattr(found.rollout, name) == getattr(pushed.rollout, name)).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f"00000{k}.safetensors" for k in range(3)
    ]


def test_many_collectors_at_once_give_every_number_once(tmp_path: Path) -> None:
    def collect(k: int) -> list[int | None]:
        server = DataServer(tmp_path, limit=20)
        return [server.push(trajectory(k, collector=f"collector-{k}")) for _ in range(8)]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for each in pool.map(collect, range(4)) for number in each]
    assert sorted(n for n in numbers if n is not None) == list(range(20))
    assert numbers.count(None) == 4 * 8 - 20
    server = DataServer(tmp_path, limit=20)
    assert len(server) == 20 and server.complete
    assert len(list(tmp_path.iterdir())) == 20


def test_a_full_disk_leaves_no_half_trajectory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = DataServer(tmp_path)

    def full(self: Path, data: bytes) -> None:
        self.touch()
        raise NO_SPACE

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="No space left on device"):
        server.push(trajectory(0))
    assert not list(tmp_path.iterdir())
    assert len(server) == 0


def test_a_file_that_is_no_trajectory_is_refused(tmp_path: Path) -> None:
    server = DataServer(tmp_path)
    tensor_file.save(server.path(0), {"states": torch.zeros(2, 2)}, {"robot": "slider"})
    with pytest.raises(UserError, match=r"000000.safetensors: not a trajectory"):
        server.since(0)


def test_versions_rise_and_the_newest_are_kept(tmp_path: Path) -> None:
    server = VersionServer(tmp_path, keep=2)
    assert server.latest() is None and server.pull(Path.exists) is None
    for k in range(4):
        assert server.push(partial(wrote, str(k)), {"made": k}) == k
    assert server.versions() == [2, 3]
    assert server.facts(3) == {"made": 3} and server.facts(0) == {}
    assert (tmp_path / LATEST).read_text() == "000003\n"
    assert server.pull(lambda folder: (folder / "x").read_text()) == (3, "3")
    assert server.pull(Path.exists, after=3) is None
    with pytest.raises(ValueError, match="keep: expected at least 2"):
        VersionServer(tmp_path, keep=1)


def test_a_version_that_was_not_finished_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = VersionServer(tmp_path)
    server.push(lambda folder: None)
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "half").touch()  # a worker was killed here
    assert server.latest() == 0

    def full(folder: Path) -> None:
        (folder / "half").touch()
        raise NO_SPACE

    with pytest.raises(RunError, match="No space left on device"):
        server.push(full)
    assert server.versions() == [0]
    assert server.push(lambda folder: None) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["000000", "000001", LATEST]


def test_a_version_that_is_removed_while_it_is_read_is_read_anew(tmp_path: Path) -> None:
    server = VersionServer(tmp_path, keep=2)
    server.push(lambda folder: None)
    read: list[str] = []

    def load(folder: Path) -> str:
        read.append(folder.name)
        if len(read) == 1:
            for _ in range(2):
                server.push(lambda folder: None)
            raise UserError("gone")
        return folder.name

    assert server.pull(load) == (2, "000002")
    assert read == ["000000", "000002"]

    def damaged(folder: Path) -> None:
        raise UserError("damaged")

    with pytest.raises(UserError, match="damaged"):
        server.pull(damaged)


def test_servers_of_a_run_and_heartbeats(tmp_path: Path) -> None:
    servers = Servers(tmp_path, limit=1)
    servers.data.push(trajectory(0))
    assert servers.data.complete
    assert servers.heartbeats() == {}
    path = servers.heartbeat("model")
    path.parent.mkdir()
    path.write_text('{"step": 4}')
    assert servers.heartbeats() == {"model": {"step": 4}}
    folders = servers.data.folder, servers.models.folder, servers.policies.folder
    assert [each.name for each in folders] == ["trajectories", "models", "policies"]
