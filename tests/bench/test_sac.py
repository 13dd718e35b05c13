"""`bench sac`: both learn in a round, and what is measured is told."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("stable_baselines3")

from ros_mbmrl.bench import sac
from ros_mbmrl.bench.sac import QUICK, STEPS, Config


def test_both_are_measured_in_the_same_run() -> None:
    found = sac.run(QUICK)
    results = found.results
    assert results["over_sb3"] > 0
    per_round = results["medians_ms"]
    assert results["updates_per_s"] == pytest.approx(1e3 * STEPS / per_round["ours"])
    assert results["sb3_updates_per_s"] == pytest.approx(1e3 * STEPS / per_round[sac.THEIRS])


def test_a_round_of_theirs_moves_their_policy() -> None:
    steps = sac.theirs(QUICK)
    (model,) = (
        each.cell_contents
        for each in steps.__closure__ or ()  # type: ignore[attr-defined]
        if hasattr(each.cell_contents, "actor")
    )
    before = model.actor.mu.weight.detach().clone()
    steps()
    assert not torch.equal(before, model.actor.mu.weight)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="samples: expected an integer of at least 1"):
        Config(samples=0)
