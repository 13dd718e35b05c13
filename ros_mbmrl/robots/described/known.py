"""Known files: robots by name whose description is a file, in this process and those it starts.

A robot's name is what topics, models and recordings go by; which file describes it is told by the
environment variable MBMRL_ROBOTS, as PYTHONPATH tells of modules: paths joined by `:`. So nodes and
worker processes know the robots of the process that started them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.reading import parse_description, read_description

VARIABLE = "MBMRL_ROBOTS"
ENDINGS = (".yaml", ".yml")
FILE = "robot.yaml"  # in a folder of a model, a policy, or a data set


def is_file(text: str) -> bool:
    """Return whether a robot's name is the path of a file."""
    return text.endswith(ENDINGS)


def adopt(path: Path) -> str:
    """Make the robot of a file known under its name, which is returned.

    Raises:
        UserError: the file is wrong, or another one describes a robot of this name otherwise.
    """
    whole = path.resolve()
    description = _described(whole)
    known = described().get(description.name)
    if known is not None and known.text != description.text:
        raise UserError(
            f"robot '{description.name}' is described by {known.file} and otherwise by {whole}: "
            "expected one of them, or another name"
        )
    if known is None:
        os.environ[VARIABLE] = os.pathsep.join((*map(str, files()), str(whole)))
    return description.name


def adopt_text(text: str, origin: Path) -> str:
    """Make the robot of a file's text known, which recordings, models and data sets carry.

    The text is kept in the user's cache: other processes read it there. A twin's model file is not
    beside it.

    Args:
        text: of the robot's file.
        origin: the file that carries it, for messages.

    Raises:
        UserError: see `adopt`.
    """
    name = parse_description(text, origin).name
    folder = _cache() / hashlib.sha256(text.encode()).hexdigest()[:16]
    path = folder / f"{name}.yaml"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{name}.{os.getpid()}"
        partial.write_text(text)
        os.replace(partial, path)
    return adopt(path)


def adopt_beside(folder: Path, name: str) -> None:
    """Make a robot known whose file is in a folder of a model or data, unless it is known.

    Raises:
        UserError: see `adopt`.
    """
    path = folder / FILE
    if name not in described() and path.is_file():
        adopt(path)


def keep_beside(folder: Path, name: str) -> None:
    """Write a robot's file into a folder, if the robot has one."""
    found = described().get(name)
    if found is not None:
        (folder / FILE).write_text(found.text)


def _cache() -> Path:
    """Return the folder of the user's cache, or a new one if there is none that can be written."""
    usual = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(usual or Path.home() / ".cache") / "ros_mbmrl" / "robots"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ros_mbmrl-robots-"))
    return folder


def name_in(path: Path) -> str:
    """Return the name of the robot of a file, which does not become known. Raises UserError."""
    return _described(path.resolve()).name


def files() -> tuple[Path, ...]:
    """Return the files that are known."""
    return tuple(Path(each) for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each)


def described() -> dict[str, Description]:
    """Return the descriptions that are known, by the robots' names. Raises UserError."""
    return {each.name: each for each in map(_described, files())}


def _described(path: Path) -> Description:
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    return _read(path, changed)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> Description:
    return read_description(path)
