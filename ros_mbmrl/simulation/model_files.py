"""Model files of described robots: an MJCF or a URDF of one's own, or of an installed package."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np

from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.simulation.engine import mujoco

MENAGERIE = "mujoco_menagerie"


def read_model(marked: Marked, folder: Path) -> mujoco.MjSpec:
    """Read a MuJoCo model.

    Args:
        marked: its path, or `package:path` of a package that comes with it.
        folder: what a path is relative to.

    Raises:
        UserError: there is no such file, or it is no model.
    """
    path = _path(marked, folder)
    if not path.is_file():
        raise marked.error(f"no file {path}")
    try:
        return mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise marked.error(f"{path}: {told(error)}") from None


def digest_of(model: mujoco.MjModel) -> str:
    """Return the SHA-256 of a compiled model: the same for the same files and the same MuJoCo."""
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.sha256(buffer.tobytes()).hexdigest()


def told(error: Exception) -> str:
    """Return what MuJoCo says, in one line."""
    return " ".join(str(error).split())


def _path(marked: Marked, folder: Path) -> Path:
    text = marked.text()
    package, colon, inside = text.partition(":")
    if not colon:
        return folder / text
    if package == MENAGERIE:
        return _of_menagerie(marked, inside)
    # A package without dots is found, not imported.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise marked.error(f"no package '{package}' is installed")
    return Path(next(iter(spec.submodule_search_locations))) / inside


def _of_menagerie(marked: Marked, inside: str) -> Path:
    """Return a file of MuJoCo's menagerie, which its package downloads on first use."""
    try:
        import mujoco_menagerie
    except ImportError:
        needed = "pip install 'ros_mbmrl[menagerie]'"
        raise marked.error(f"{MENAGERIE} is not installed: {needed}") from None
    robot, _, path = inside.partition("/")
    try:
        return Path(mujoco_menagerie.get(robot).path()) / path
    except (mujoco_menagerie.MenagerieError, OSError) as error:
        raise marked.error(told(error)) from None
