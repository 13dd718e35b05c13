"""Servers of the asynchronous framework: folders, through which workers exchange all they have.

A run's folder is its own checkpoint: whatever is killed, each trajectory and each version is there
whole or not at all. Other processes, other machines with the same files, and a ROS graph see the
same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.files import (
    read_json,
    remove,
    write_json,
    write_text,
    written,
)
from ros_mbmrl.networks import tensor_file

SUFFIX = ".safetensors"
FACTS = "facts.json"  # of a version, in its folder
LATEST = "latest"  # name of the newest version, in the server's folder
PARTIAL, OLD = ".partial", ".old"  # folders on their way in and out
KEEP = 5  # versions: a reader has so long to load one
_ARRAYS = ("states", "actions", "times", "marks")
_OPTIONAL = ("effectiveness", "causes")

T = TypeVar("T")


@dataclass(frozen=True)
class Trajectory:
    """A run of the robot, and how it came about.

    Args:
        rollout: what was measured and commanded.
        episode_return: sum of its rewards.
        collector: name of who made it.
        model_version: of the model that acted, or that the policy was learned in; None: none.
        policy_version: of the policy that acted; None: none.
        seed: of what was drawn for it.
        began, ended: on the collector's clock [s].
    """

    rollout: Rollout
    episode_return: float = 0.0
    collector: str = ""
    model_version: int | None = None
    policy_version: int | None = None
    seed: int = 0
    began: float = 0.0
    ended: float = 0.0

    @property
    def facts(self) -> dict[str, Any]:
        """Return all but the rollout, as its file's header tells it."""
        return {
            "episode_return": self.episode_return,
            "collector": self.collector,
            "model_version": self.model_version,
            "policy_version": self.policy_version,
            "seed": self.seed,
            "began": self.began,
            "ended": self.ended,
        }


class DataServer:
    """Trajectories in the order in which they were pushed, numbered from 0 without a gap.

    Args:
        folder: of the files, one a trajectory.
        limit: number of trajectories at which the run ends; None: no end.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder, self.limit = folder, limit
        self._counted = 0

    def path(self, number: int) -> Path:
        """Return the file of a trajectory."""
        return self.folder / f"{number:06d}{SUFFIX}"

    def __len__(self) -> int:
        """Return the number of trajectories."""
        while self.path(self._counted).exists():
            self._counted += 1
        return self._counted

    @property
    def complete(self) -> bool:
        """Return whether there are as many trajectories as the run is to have."""
        return not self._has_room(len(self))

    def _has_room(self, count: int) -> bool:
        """Return whether there may be more than so many trajectories."""
        return self.limit is None or count < self.limit

    def push(self, trajectory: Trajectory) -> int | None:
        """Add a trajectory under the next free number; several collectors may do so at once.

        Returns:
            Its number; None if the run has enough without it.

        Raises:
            RunError: it cannot be written.
        """
        name = trajectory.collector or "trajectory"
        waiting = self.folder / f".{name}{SUFFIX}"
        with written(self.folder, waiting, waiting.with_suffix(".partial")):
            tensor_file.save(waiting, _tensors(trajectory.rollout), _header(trajectory))
            while self._has_room(number := len(self)):
                try:  # a link never replaces what another collector has just pushed
                    os.link(waiting, self.path(number))
                except FileExistsError:
                    continue
                waiting.unlink()
                return number
            waiting.unlink()
        return None

    def read(self, number: int) -> Trajectory:
        """Read a trajectory. Raises UserError if there is none that can be read."""
        tensors, state = tensor_file.load(self.path(number))
        try:
            arrays = {name: tensors[name].numpy() for name in _ARRAYS}
            known = {name: tensors[name].numpy() for name in _OPTIONAL if name in tensors}
            tags = MappingProxyType({str(k): str(v) for k, v in state.pop("tags").items()})
            rollout = Rollout(state.pop("robot"), **arrays, tags=tags, **known)
            return Trajectory(rollout, **state)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{self.path(number)}: not a trajectory ({error!r})") from None

    def since(self, number: int) -> list[Trajectory]:
        """Read the trajectories from a number on; the first one has that number."""
        return [self.read(n) for n in range(number, len(self))]

    def facts(self, number: int) -> dict[str, Any]:
        """Return what a trajectory's header tells, see `Trajectory.facts`."""
        return self.read(number).facts


class VersionServer:
    """Versions of a model or a policy: a folder each, of which the newest few are kept.

    One worker pushes; any number may pull.

    Args:
        folder: of the versions' folders.
        keep: versions that are kept.
    """

    def __init__(self, folder: Path, keep: int = KEEP) -> None:
        if keep < 2:
            raise ValueError(f"keep: expected at least 2, so that one can be read, got {keep}")
        self.folder, self._keep = folder, keep

    def path(self, version: int) -> Path:
        """Return the folder of a version."""
        return self.folder / f"{version:06d}"

    def versions(self) -> list[int]:
        """Return the versions that are there, rising."""
        if not self.folder.is_dir():
            return []
        return sorted(int(each.name) for each in self.folder.iterdir() if each.name.isdecimal())

    def latest(self) -> int | None:
        """Return the newest version; None before the first."""
        return max(self.versions(), default=None)

    def facts(self, version: int) -> dict[str, Any]:
        """Return what was pushed with a version; empty if it is gone."""
        return read_json(self.path(version) / FACTS)

    def push(
        self, write: Callable[[Path], None], facts: Mapping[str, Any] = MappingProxyType({})
    ) -> int:
        """Add a version.

        Args:
            write: writes it into the folder that it is told.
            facts: what it was made of, such as the model of a policy and the data of a model.

        Returns:
            Its number: one above the newest, from 0 on.

        Raises:
            RunError: it cannot be written.
        """
        newest = self.latest()
        version = 0 if newest is None else newest + 1
        partial = self.folder / PARTIAL
        remove(partial)  # of a worker that was killed
        with written(self.path(version), partial):
            partial.mkdir(parents=True)
            write(partial)
            write_json(partial / FACTS, facts)
            partial.rename(self.path(version))
            write_text(self.folder / LATEST, f"{version:06d}\n")
            self._prune()
        return version

    def pull(self, load: Callable[[Path], T], after: int | None = None) -> tuple[int, T] | None:
        """Load the newest version.

        Args:
            load: loads it from its folder.
            after: version that is there already.

        Returns:
            Its number and what was loaded; None if there is none newer than `after`.

        Raises:
            UserError: it cannot be loaded.
        """
        while (version := self.latest()) is not None and version != after:
            try:
                return version, load(self.path(version))
            except (OSError, UserError):
                if version == self.latest():  # not one that was removed while it was read
                    raise
        return None

    def _prune(self) -> None:
        for version in self.versions()[: -self._keep]:
            old = self.folder / OLD
            remove(old)
            self.path(version).rename(old)  # gone at once, not file by file
            remove(old)


@dataclass(frozen=True)
class Servers:
    """The three servers of a run, and where its workers tell how they are."""

    run: Path
    limit: int | None = None
    keep: int = KEEP
    data: DataServer = field(init=False)
    models: VersionServer = field(init=False)
    policies: VersionServer = field(init=False)

    def __post_init__(self) -> None:
        own = {
            "data": DataServer(self.run / "trajectories", self.limit),
            "models": VersionServer(self.run / "models", self.keep),
            "policies": VersionServer(self.run / "policies", self.keep),
        }
        for name, server in own.items():
            object.__setattr__(self, name, server)

    def heartbeat(self, worker: str) -> Path:
        """Return the file in which a worker tells how it is."""
        return self.run / "workers" / f"{worker}.json"

    def heartbeats(self) -> dict[str, dict[str, Any]]:
        """Return what all workers told last, by name."""
        files = sorted((self.run / "workers").glob("*.json"))
        return {file.stem: read_json(file) for file in files}


def _tensors(rollout: Rollout) -> dict[str, torch.Tensor]:
    arrays = {name: getattr(rollout, name) for name in (*_ARRAYS, *_OPTIONAL)}
    return {
        name: torch.from_numpy(np.ascontiguousarray(array))
        for name, array in arrays.items()
        if array is not None
    }


def _header(trajectory: Trajectory) -> dict[str, Any]:
    rollout = trajectory.rollout
    return {**trajectory.facts, "robot": rollout.robot, "tags": dict(rollout.tags)}
