"""Windows after a change: groups by time since it, and one small run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import window_after_change
from ros_mbmrl.evaluation.window_after_change import (
    AFTER,
    BEFORE,
    Config,
    changing,
    run,
    since_change,
)
from ros_mbmrl.evaluation.windows import Judge
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find


def test_stretches_are_grouped_by_the_time_since_the_change(tmp_path: Path) -> None:
    runs = changing(Config(tmp_path, workers=1), ("weak_left", "none"), 1, seed=0)
    assert [len(each) for each in runs] == [BEFORE + AFTER] * 2
    folder = find("models/hexapod/mb")
    assert folder is not None
    judge = Judge(load_model(folder, make_robot("hexapod")), runs, BEFORE, 16, 8)
    groups = since_change(judge)
    assert [int(here.sum()) for here in groups.values()] == [2, 2, 4, 8, 17]
    assert (judge.places[groups["16 to 31"]] - BEFORE).tolist() == [16, 24]
    assert (np.stack(list(groups.values())).sum(axis=0) <= 1).all()


def test_a_small_run_writes_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_after_change, "VALIDATION", ("weak_right",))
    monkeypatch.setattr(window_after_change, "TEST", ("weak_left",))
    config = Config(tmp_path, (16,), ("residual",), runs=1, validation_runs=1, workers=1)
    run(config)
    rows = json.loads((tmp_path / "window_after_change.json").read_text())["rows"]
    assert [(row["window"], row["horizon"]) for row in rows] == [(16, 1), (16, 16)] * 5
    assert rows[-1]["group"] == "nothing changed"


@pytest.mark.parametrize(
    "wrong", [{"runs": 0}, {"windows": (256,)}, {"windows": ()}, {"methods": ("mb",)}]
)
def test_bad_input_is_one_line(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match="expected"):
        Config(tmp_path, **wrong)  # type: ignore[arg-type]
