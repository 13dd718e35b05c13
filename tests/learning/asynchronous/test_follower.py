"""Follower: the newest version once, broken ones told once, nobody waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.follower import Follower, Version
from ros_mbmrl.learning.asynchronous.servers import VersionServer


def load(folder: Path) -> str:
    text = (folder / "text").read_text()
    if text == "broken":
        raise UserError(f"{folder}: not readable")
    return text


class Run:
    """A server of texts, what follows it, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.server, self.told = VersionServer(folder), list[str]()
        self.follower = Follower(self.server, load, self.told.append)

    def push(self, text: str) -> int:
        return self.server.push(lambda folder: (folder / "text").write_text(text))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "models")


def test_nothing_is_taken_before_there_is_anything(run: Run) -> None:
    run.follower.look()
    assert run.follower.take() is None


def test_each_version_is_taken_once_and_the_newest_alone(run: Run) -> None:
    run.push("a")
    run.follower.look()
    assert run.follower.take() == Version(0, "a")
    assert run.follower.take() is None
    for text in ("b", "c"):
        run.push(text)
        run.follower.look()
    assert run.follower.take() == Version(2, "c")
    assert run.follower.take() is None


def test_a_broken_version_is_told_once_and_the_next_good_one_is_taken(run: Run) -> None:
    run.push("a")
    run.follower.look()
    run.follower.take()
    run.push("broken")
    for _ in range(3):
        run.follower.look()
    assert run.follower.take() is None
    (line,) = run.told
    assert line.startswith("version 1 is refused, and the one before it stays: ")
    assert line.endswith("000001: not readable")
    run.push("b")
    run.follower.look()
    assert run.follower.take() == Version(2, "b")


def test_whatever_a_file_does_to_its_reader_is_one_line(run: Run) -> None:
    run.push("a")
    (run.server.path(0) / "text").unlink()
    run.follower.look()
    assert len(run.told) == 1


def test_a_version_that_is_removed_while_it_is_read_is_not_told(run: Run) -> None:
    def removed(folder: Path) -> str:
        (folder / "text").unlink()
        (folder / "facts.json").unlink()
        folder.rmdir()
        raise FileNotFoundError(folder)

    follower = Follower(run.server, removed, run.told.append)
    run.push("a")
    follower.look()
    assert run.told == []
