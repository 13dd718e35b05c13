"""`mbmrl check`: its words as arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ros_mbmrl.arguments.check import Check


def test_words_are_arguments(parsed: Callable[..., Check]) -> None:
    assert parsed("check", "robot", "arm.yaml") == Check("robot", Path("arm.yaml"))
    both = parsed("check", "what:=robot", "file:=arm.yaml")
    assert both == Check("robot", Path("arm.yaml"))


def test_only_a_robots_file_is_checked(refused: Callable[..., str]) -> None:
    said = refused("check", "model", "arm.yaml")
    assert "invalid choice 'model'" in said and "Traceback" not in said
    assert "FILE" in refused("check", "robot")
