"""Pause: seen by all who know the run's folder."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.learning.asynchronous.pause import Pause


def test_a_pause_has_a_reason_and_an_end(tmp_path: Path) -> None:
    here, there = Pause(tmp_path), Pause(tmp_path)
    assert there.reason == ""
    here.begin("stopped")
    assert there.reason == "stopped"
    here.end()
    here.end()
    assert there.reason == ""


def test_a_person_may_pause_by_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "paused").touch()
    assert Pause(tmp_path).reason == "paused"
