"""Reporter: one call reaches the terminal, TensorBoard and the tracker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ros_mbmrl.commands import reporter
from ros_mbmrl.commands.reporter import Reporter, how_to_watch

SCALARS = {"before": 2.0, "after": 1.0}


class Kept:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, Mapping[str, float]]] = []

    def log(self, phase: str, step: int, scalars: Mapping[str, float]) -> None:
        self.rows.append((phase, step, scalars))

    def close(self) -> None:
        raise AssertionError("it is of the whole training, not of one report")


def test_everybody_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    kept = Kept()
    with Reporter(tmp_path, "a model", kept, "round 1/") as report:
        report("fit", 5, 10, SCALARS)
    assert kept.rows == [("round 1/fit", 5, SCALARS)]
    assert capsys.readouterr().out.startswith("a model\nfit 5/10: 1.0000\n")
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))
    assert how_to_watch(tmp_path) == f"curves: tensorboard --logdir {tmp_path}"


def test_without_tensorboard_the_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ros_mbmrl.learning.tracking.find_spec", lambda _: None)
    with reporter.Reporter(tmp_path, "a model") as report:
        report("fit", 1, 1, SCALARS)
    assert how_to_watch(tmp_path).endswith("pip install 'ros_mbmrl[train]'")
