"""Files of one study with different training seeds are one experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.joined import read


def rows(method: str, seeds: tuple[int | None, ...], episodes: int = 3) -> list[dict[str, Any]]:
    return [
        {"method": method, "train_seed": s, "condition": "unseen", "seed": e, "return": 1.0 * e}
        for s in seeds
        for e in range(episodes)
    ]


def write(path: Path, own: list[dict[str, Any]], name: str = "cheetah-slope") -> Path:
    report = {"command": "evaluate", "config": {"experiment": name}, "results": {"rows": own}}
    path.write_text(json.dumps(report))
    return path


def test_training_seeds_are_joined_and_what_was_not_trained_counts_once(tmp_path: Path) -> None:
    chance = rows("random", (None,))
    first = write(tmp_path / "0.json", [*rows("mb", (0, 1)), *chance])
    later = write(tmp_path / "2.json", [*rows("mb", (2,)), *chance, *rows("grbal", (2,))])
    found = read((first, later))["cheetah-slope"].rows
    assert found == [*rows("mb", (0, 1)), *chance, *rows("mb", (2,)), *rows("grbal", (2,))]


def test_other_experiments_stay_apart(tmp_path: Path) -> None:
    files = (write(tmp_path / name, rows("mb", (0,)), name) for name in ("a", "b"))
    assert list(read(tuple(files))) == ["a", "b"]


def test_a_training_seed_twice_is_refused(tmp_path: Path) -> None:
    files = [
        write(tmp_path / name, rows("mb", seeds)) for name, seeds in (("a", (0, 1)), ("b", (1,)))
    ]
    with pytest.raises(UserError, match="'cheetah-slope' again with training seed 1 of 'mb'"):
        read(files)
