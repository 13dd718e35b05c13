"""Files of data: which a folder holds, in which order, and their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ros_mbmrl.data.files import data_in, sha256_of
from ros_mbmrl.errors import UserError

NAMES = [
    *("run_1.mcap", "run_2.mcap", "run_10.mcap", "day/run_9.mcap", "day/run_10.mcap"),
    *("day2/x/deep.mcap", "day10/a.mcap.zstd", "old/b.db3", "old/c.bag", "packed/d.mcap.gz"),
]


def test_a_folder_is_read_with_its_sub_folders_in_the_order_of_numbers(tmp_path: Path) -> None:
    for name in [*NAMES, "notes.txt", "day/metadata.yaml", "day/set/dataset.yaml"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in data_in(tmp_path)]
    assert found == [
        *("day/run_9.mcap", "day/run_10.mcap", "day/set", "day2/x/deep.mcap", "day10/a.mcap.zstd"),
        *("old/b.db3", "old/c.bag", "packed/d.mcap.gz"),
        *("run_1.mcap", "run_2.mcap", "run_10.mcap"),
    ]
    assert data_in(tmp_path / "old" / "b.db3") == [tmp_path / "old" / "b.db3"]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.mcap").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "link").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "back").symlink_to(tmp_path / "b")
    assert data_in(tmp_path / "b") == [tmp_path / "b" / "link" / "run.mcap"]


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="not a data set, expected a folder with dataset.yaml"):
        data_in(tmp_path)


def test_a_folders_hash_is_that_of_its_files_hashes(tmp_path: Path) -> None:
    for name in ("run_10.mcap", "run_2.mcap"):
        (tmp_path / name).write_text(name)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset.yaml").touch()
    (tmp_path / "set" / "rollouts.npz").write_text("arrays")
    each = [hashlib.sha256(t.encode()).hexdigest() for t in ("run_2.mcap", "run_10.mcap", "arrays")]
    assert sha256_of(tmp_path / "run_2.mcap") == each[0]
    assert sha256_of(tmp_path / "set") == each[2]
    assert sha256_of(tmp_path) == hashlib.sha256("".join(each).encode()).hexdigest()
    with pytest.raises(UserError, match="cannot be read"):
        sha256_of(tmp_path / "nothing.mcap")
