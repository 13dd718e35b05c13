"""Files of data: data sets and recordings, found in folders and told apart by their hashes."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ros_mbmrl.data.bag_reader import files_of, parts_of
from ros_mbmrl.data.recording import SUFFIX, SUFFIXES
from ros_mbmrl.errors import UserError

ARRAYS_FILE = "rollouts.npz"
CARD_FILE = "dataset.yaml"


def is_dataset(path: Path) -> bool:
    """Return whether a path is the folder of a data set."""
    return (path / CARD_FILE).is_file()


def is_whole(path: Path) -> bool:
    """Return whether a folder is one thing: a data set, or a bag in several files."""
    return is_dataset(path) or len(parts_of(path)) > 1


def data_in(path: Path) -> list[Path]:
    """Return the path itself, or the data sets and recordings in a folder and its sub-folders.

    The order is by name, with numbers by value, so that `_2` comes before `_10`. Recordings that
    cannot be read are included, so that they are refused and not left out. Raises UserError if
    there is none.
    """
    if path.is_file() or is_whole(path):
        return [path]
    found, seen = [], {path.resolve()}
    for name, folders, files in os.walk(path, onerror=_unreadable, followlinks=True):
        here = [Path(name, folder) for folder in folders]
        found += [folder for folder in here if is_whole(folder)]
        found += [Path(name, file) for file in files if file.endswith(SUFFIXES)]
        inside = [f for f in here if not is_whole(f) and f.resolve() not in seen]
        seen |= {folder.resolve() for folder in inside}
        folders[:] = [folder.name for folder in inside]
    if not found:
        raise UserError(
            f"{path}: not a data set, expected a folder with {CARD_FILE} or with recordings, "
            f"or a recording ({SUFFIX}, .db3)"
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
        parts = files_of(path) if is_whole(path) else data_in(path)
        return hashlib.sha256("".join(map(sha256_of, parts)).encode()).hexdigest()
    file = path / ARRAYS_FILE if path.is_dir() else path
    digest = hashlib.sha256()
    try:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()
