"""Times of adaptation: one job an environment, of methods with a contextual model alone."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.evaluation.policies.adaptation_time import COUNT, measure, timings
from ros_mbmrl.evaluation.policies.gssm_study import GSSM_STUDY
from ros_mbmrl.evaluation.policies.training import Training, train


def job(name: str, out: Path) -> Training:
    scale = GSSM_STUDY.at("smoke")
    return Training(scale, GSSM_STUDY.entry(name), "cart-pole", 0, 50, out)


def test_model_free_methods_are_not_timed(tmp_path: Path) -> None:
    found = timings([job(name, tmp_path) for name in ("gssm", "dr_ppo", "l2a")])
    assert [[each.entry.name for each in timing.trainings] for timing in found] == [["gssm", "l2a"]]
    assert timings([job("dr_ppo", tmp_path)]) == []


def test_a_trained_method_is_timed_from_its_checkpoint(tmp_path: Path) -> None:
    own = job("gssm", tmp_path)
    train(own)
    (timing,) = timings([own])
    key, row = measure(timing)
    assert key == timing.key and row["condition"] == "cart-pole" and COUNT > 1
    told = row["times"]["gssm"]
    assert 0 < told["look"] < told["adapt"] and told["act"] > 0
