"""The job of `mbmrl train` on data that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ros_mbmrl import cli
from ros_mbmrl.data import dataset
from ros_mbmrl.data.files import sha256_of
from ros_mbmrl.data.rollout import Rollout

RECIPE = """
hidden: [4]
adapt_windows: [4]
predict_window: 4
supervised_steps: 2
meta_steps: 0
batch: 4
validate_every: 2
horizon: 2
"""


def test_each_data_set_is_read_once_and_stands_on_the_card(
    tmp_path: Path,
    registered: Any,
    make_rollouts: Callable[..., list[Rollout]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    folders = [tmp_path / name for name in ("few", "more")]
    for folder, count in zip(folders, (3, 4), strict=True):
        dataset.save(folder, make_rollouts(count, steps=20))
    read: list[Path] = []
    original = dataset.read_dataset
    monkeypatch.setattr(dataset, "read_dataset", lambda path: read.append(path) or original(path))
    out = tmp_path / "model"
    words = ["train", "mb", "toy", "--data", *folders, "--recipe", tmp_path / "recipe.yaml"]
    cli.main([str(word) for word in (*words, "--out", out)])
    assert read == folders
    facts = [
        {"name": folder.name, "sha256": sha256_of(folder), "runs": runs}
        for folder, runs in zip(folders, (3, 4), strict=True)
    ]
    assert yaml.safe_load((out / "card.yaml").read_text())["data"] == facts
