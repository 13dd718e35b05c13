"""A run: its schedule, what it keeps, when it stops, and that a broken one goes on as if whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.run import Phase, Run, cosine
from ros_mbmrl.networks import tensor_file


class Walk:
    """A number that is moved at random, by the store's step."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.rate, self.rates = 1.0, list[float]()
        self.x = tensors.get("x", torch.zeros(1)).clone()

    def update(self, store: float, generator: Generator) -> dict[str, float]:
        self.rates.append(self.rate)
        self.x = self.x + store * torch.randn(1, generator=generator)
        return {"moved": float(self.x)}

    def snapshot(self) -> dict[str, Tensor]:
        return {"parameters/x": self.x}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.x = tensors["parameters/x"].clone()


def height(parameters: Mapping[str, Tensor]) -> dict[str, float]:
    return {"after": abs(float(parameters["x"]) - 1.0)}


class KilledError(Exception):
    """The end of a process in the middle of a run."""


@dataclass
class Killer:
    """Ends a run at its n-th validation."""

    left: int

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError


def walks(path: Path | None = None, steps: int = 7, **more: Any) -> Run[float]:
    phases = (Phase("down", steps, Walk, height), Phase("up", 5, Walk, height))
    given = {"every": 2, **more}
    identity = {"seed": 3, "sizes": (1, 2)}
    return Run(phases, 0.5, Generator().manual_seed(3), identity, path, **given)


def test_the_last_update_of_a_phase_is_validated_and_the_best_is_kept() -> None:
    kept, end = walks().run({})
    assert [(row["phase"], row["step"]) for row in end.log] == [
        *(("down", k) for k in (2, 4, 6, 7)),
        *(("up", k) for k in (2, 4, 5)),
    ]
    best = min(row["after"] for row in end.log if row["phase"] == "up")
    assert end.best == best == height(kept)["after"]


def test_a_phase_begins_with_what_the_one_before_it_kept() -> None:
    begun = list[float]()

    def begin(tensors: dict[str, Tensor]) -> Walk:
        begun.append(float(tensors.get("x", torch.zeros(1))))
        return Walk(tensors)

    phases = (Phase("down", 6, begin, height), Phase("up", 1, begin, height))
    _, end = Run(phases, 0.5, Generator().manual_seed(3), {}).run({})
    best = min((r for r in end.log if r["phase"] == "down"), key=lambda row: row["after"])
    assert begun == [0.0, best["moved"]]


@pytest.mark.parametrize("validations", range(7))
def test_a_broken_run_goes_on_bit_for_bit(tmp_path: Path, validations: int) -> None:
    whole, end = walks(tmp_path / "whole.safetensors").run({})
    path = tmp_path / "broken.safetensors"
    with pytest.raises(KilledError):
        walks(path, progress=Killer(validations)).run({})
    again, ended = walks(path).run({})
    assert torch.equal(again["x"], whole["x"])
    assert ended == end
    assert path.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert walks(path, progress=Killer(0)).run({})[1] == end  # nothing is left to do


def test_patience_ends_a_phase_and_what_it_began_with_is_kept_if_that_was_trained() -> None:
    start = {"x": torch.ones(1)}  # nothing is better
    warm, end = walks(patience=2, warm=True).run(start)
    assert torch.equal(warm["x"], start["x"]) and end.best == 0.0
    assert len(end.log) == 4
    assert walks(patience=2).run(start)[1].best > 0.0


def test_without_a_judge_the_newest_is_kept() -> None:
    kept, end = Run((Phase("walk", 3, Walk),), 0.5, Generator().manual_seed(3), {}).run({})
    assert float(kept["x"]) == end.log[-1]["moved"]


def test_the_rate_falls_by_a_cosine() -> None:
    learner = Walk({})
    begin: Callable[[dict[str, Tensor]], Walk] = lambda _: learner  # noqa: E731
    Run((Phase("walk", 4, begin),), 0.5, Generator(), {}).run({})
    assert learner.rates == [cosine(k, 4) for k in range(4)]
    assert learner.rates[0] == 1.0 and learner.rates == sorted(learner.rates, reverse=True)
    assert cosine(4, 4) == pytest.approx(0.05)


def test_what_is_no_checkpoint_of_this_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    walks(path).run({})
    tensors, state = tensor_file.load(path)
    tensor_file.save(path, tensors, {**state, "run": {"seed": 4}})
    with pytest.raises(UserError, match="of another run: seed is 4, expected 3; .*--fresh"):
        walks(path).run({})
    tensor_file.save(path, tensors, {**state, "colour": "red"})
    with pytest.raises(UserError, match="written by another version"):
        walks(path).run({})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="not a readable tensor file"):
        walks(path).run({})
