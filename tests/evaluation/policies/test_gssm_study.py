"""The study of GSSM: its smoke scale from training to tables; test_studies.py configures all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.evaluation.policies.gssm_study import GSSM_STUDY, PAPER, TABLE, WITHOUT
from ros_mbmrl.evaluation.policies.report import write_report
from ros_mbmrl.evaluation.policies.run import Runner
from ros_mbmrl.evaluation.policies.training import Training

SMOKE = replace(GSSM_STUDY.at("smoke"), entries=("gssm", "gssm_no_z", "m_dpilco", "l2a"))


def test_sizes_of_the_paper() -> None:
    scale = GSSM_STUDY.at("paper")
    for place, entry in GSSM_STUDY.pairs(scale, [each.name for each in TABLE]):
        config = Training(scale, entry, place, 0, 10_000, Path()).config
        assert config.model.hidden == PAPER[place]["model"]["hidden"]
        assert config.model.latent.size == 16 and config.context == PAPER[place]["context"]
        assert config.step_kind == ("bptt" if place == "cart-pole" else "ppo")


def test_the_ablation_takes_z_out_of_the_policy_alone() -> None:
    scale = GSSM_STUDY.at("smoke")
    config = Training(scale, WITHOUT, "cart-pole", 0, 50, Path()).config
    assert (config.kind, config.acting) == ("gssm", "fine_tuned")


@pytest.mark.slow
def test_smoke(tmp_path: Path) -> None:
    runner = Runner(GSSM_STUDY, SMOKE, SMOKE.entries, tmp_path, workers=1)
    rows, times = runner.run(), runner.adaptation_times()
    assert {row["method"] for row in rows} == set(SMOKE.entries)
    assert all(len(row["error_random"]) == len(row["error_own"]) == 2 for row in rows)
    again = Runner(GSSM_STUDY, SMOKE, SMOKE.entries, tmp_path, workers=1)
    assert again.run() == rows and again.adaptation_times() == times
    (timed,) = times
    assert set(timed["times"]) == set(SMOKE.entries)
    assert timed["times"]["gssm"]["adapt"] < timed["times"]["gssm_no_z"]["adapt"]
    rng = np.random.default_rng(0)
    page, summary = write_report(tmp_path, GSSM_STUDY, SMOKE, rows, rng, (), times)
    assert len(summary["new_tasks"]) == 4 and "published reward" in page.read_text()
