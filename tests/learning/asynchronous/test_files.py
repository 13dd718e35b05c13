"""A write that fails leaves nothing behind, and says so in one line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous import files


def test_a_full_disk_is_one_line_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "worker.json"
    files.write_json(path, {"step": 1})

    def full(self: Path, text: str) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match="No space left on device.*the same command goes on") as told:
        files.write_json(path, {"step": 2})
    assert "\n" not in str(told.value)
    assert files.read_json(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_read_is_an_empty_mapping(tmp_path: Path) -> None:
    assert files.read_json(tmp_path / "none.json") == {}
    (tmp_path / "half.json").write_text('{"step": ')
    (tmp_path / "list.json").write_text("[1]")
    assert files.read_json(tmp_path / "half.json") == files.read_json(tmp_path / "list.json") == {}


def test_files_and_folders_are_removed_if_they_are_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "file").touch()
    for name in ("folder", "file", "none"):
        files.remove(tmp_path / name)
    assert not list(tmp_path.iterdir())
