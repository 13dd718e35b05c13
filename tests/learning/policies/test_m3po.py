"""M3PO on a slider whose force may act the other way, which nobody tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.sequence_fit import SequenceFit
from ros_mbmrl.learning.policies.m3po import M3PO_H, M3POLearner, config_of, train_m3po
from ros_mbmrl.learning.policies.m3po_config import M3POConfig
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks

SOFT = SoftConfig(hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95)
FIT = SequenceFit(steps=100, rows=32, learning_rate=3e-3, every=50)
SMALL = M3POConfig(
    budget=640,
    worlds=4,
    horizon=20,
    first=140,
    updates=1,
    soft=SOFT,
    history=3,
    every=40,
    rollouts=8,
    heads=2,
    model_hidden=(32,),
    fit=FIT,
)


def _ways(sliders: Tasks) -> Tasks:
    """Return sliders whose force acts as it is told in one half of the episodes, or against it."""

    class Ways:
        def __init__(self, situations: Sequence[Any], seeds: Sequence[int]) -> None:
            self._inner: Any = sliders.make(situations, seeds)
            self._way = np.array(situations, dtype=float)[:, None]

        def __len__(self) -> int:
            return len(self._way)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def step(self, actions: Any) -> Any:
            return self._inner.step(self._way * actions)

    return replace(
        sliders,
        draw=lambda rng: 2.0 * float(rng.integers(2)) - 1,  # type: ignore[arg-type, return-value]
        make=Ways,  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_a_slider_learns_to_park(sliders: Tasks) -> None:
    curve = train_m3po(sliders, replace(SMALL, budget=2400)).curve
    returns = [point.mean_return for point in curve]
    assert sum(returns[-10:]) / 10 > 0.5 * sum(returns[:10]) / 10  # they are negative


def test_an_interrupted_run_ends_as_an_uninterrupted_one(sliders: Tasks, tmp_path: Path) -> None:
    tasks = _ways(sliders)
    whole = train_m3po(tasks, replace(SMALL, budget=240))
    train_m3po(tasks, replace(SMALL, budget=160), tmp_path)
    resumed = train_m3po(tasks, replace(SMALL, budget=240), tmp_path)
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_roll_outs_begin_at_real_histories_and_go_on_with_them(sliders: Tasks) -> None:
    learner = M3POLearner(sliders, replace(SMALL, length=2, rollouts=5, imagined=10_000))
    for _ in range(3):
        learner.update(sliders, Generator())
    batch = learner.imagined.draw(400, Generator().manual_seed(0))
    states, size = batch.observations[:, :2], learner.layout.size
    seen = batch.observations[:, 2:]
    assert seen.shape[1] == size
    torch.testing.assert_close(seen[:, :2], states)  # a slider sees its state
    after = learner.layout.moved(seen, batch.actions, batch.rewards, batch.following[:, :2])
    torch.testing.assert_close(batch.following[:, 2:], after)
    real = learner.sequences.at(learner.sequences.numbers).observations
    apart = (batch.observations[:, None] - real[None]).abs().amax(dim=2).amin(dim=1)
    share = float((apart == 0).float().mean())
    assert 0.35 < share < 0.65  # the first of two steps


def test_full_roll_outs_begin_where_episodes_do(sliders: Tasks) -> None:
    learner = M3POLearner(sliders, replace(SMALL, full=True, length=10, imagined=10_000))
    for _ in range(3):
        learner.update(sliders, Generator())
    batch = learner.imagined.draw(500, Generator().manual_seed(0))
    valid = learner.layout.parts(batch.observations[:, 2:]).valid.sum(dim=1)
    share = float((valid == 0).float().mean())
    assert len(learner.imagined) == 10_000
    assert share == pytest.approx(0.1, abs=0.05)  # the first of ten steps


def test_the_share_of_the_imagined_falls_from_epoch_to_epoch(sliders: Tasks) -> None:
    config = M3PO_H.configured(0, {})
    assert [config.share(e) for e in (0, 80, 105, 130, 200)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    learner = M3POLearner(sliders, replace(SMALL, anneal=(0.0, 4.0)))
    for _ in range(3):
        learner.update(sliders, Generator())  # 60 periods: an epoch and a half
    own = learner.hybrid(Generator().manual_seed(0)).observations
    real = learner.sequences.at(learner.sequences.numbers).observations
    found = (own[:, None] == real[None]).all(dim=2).any(dim=1)
    assert found[48:].all()  # a quarter of 64: an epoch of four is over


def test_m2po_has_a_model_without_memory(sliders: Tasks) -> None:
    assert not config_of("m2po").meta
    learner = M3POLearner(sliders, replace(SMALL, meta=False))
    for _ in range(3):
        learner.update(sliders, Generator())
    assert learner.world is not None
    assert learner.world.model.encoder is None
    assert learner.soft.policy.first_memory(1) is not None  # the policy has one all the same


def test_bad_settings(sliders: Tasks) -> None:
    with pytest.raises(ValueError, match="k of at least 1 control period, got 0"):
        M3POConfig(length=0)
    for beta in (-0.1, 1.5):
        with pytest.raises(ValueError, match="beta: expected a share from 0 to 1"):
            M3POConfig(beta=beta)
    with pytest.raises(ValueError, match="two rising epochs"):
        M3POConfig(anneal=(5.0, 5.0))
    with pytest.raises(ValueError, match="history, units"):
        M3POConfig(history=0)
    with pytest.raises(UserError, match="has goals"):
        M3POLearner(replace(sliders, goals=2), SMALL)
