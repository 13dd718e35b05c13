"""Sizes of the study of M3PO are those of the paper, where it says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.evaluation.policies.scales_m3po import CHANGING
from ros_mbmrl.evaluation.policies.studies import make_policy_study
from ros_mbmrl.evaluation.policies.training import Training

STUDY = make_policy_study("m3po")


def test_the_paper_has_six_environments_and_six_trials() -> None:
    paper = STUDY.at("paper")
    assert paper.environments == CHANGING and len(CHANGING) == 6
    assert (paper.train_seeds, paper.tests) == (6, 50)
    assert {points[-1] for points in paper.points.values()} == {200_000}


@pytest.mark.parametrize(("place", "each"), [(CHANGING[0], (1000, 40)), (CHANGING[2], (500, 20))])
def test_roll_outs_and_gradient_steps_of_table_2(place: str, each: tuple[int, int]) -> None:
    entry = STUDY.entry("m3po")
    config = Training(STUDY.at("paper"), entry, place, 0, 200_000, Path()).config
    assert (config.rollouts, config.updates) == each
    assert (config.length, config.units, config.soft.hidden) == (1, 5, (400, 400))


def test_entries_of_the_ablation() -> None:
    small = STUDY.at("small")
    made = {
        name: Training(small, STUDY.entry(name), CHANGING[0], 0, 3600, Path()).config
        for name in ("m3po", "m3po_k3", "m3po_k10", "m3po_full", "m2po", "m3po_h")
    }
    assert [made[name].length for name in ("m3po", "m3po_k3", "m3po_k10")] == [1, 3, 10]
    assert made["m3po_full"].full and not made["m3po"].full
    assert made["m3po_h"].anneal == (80.0, 130.0)
    assert not made["m2po"].meta
