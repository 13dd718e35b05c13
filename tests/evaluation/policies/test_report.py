"""The report has the figures by their numbers, and says what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ros_mbmrl.evaluation.policies.report import left_out, protocol, write_report
from ros_mbmrl.evaluation.policies.studies import make_policy_study

STUDY = make_policy_study("me-trpo")


def test_a_report_of_what_there_is(tmp_path: Path) -> None:
    rows = [
        {
            "method": method,
            "train_seed": seed,
            "condition": "me-trpo-swimmer",
            "transitions": n,
            "return": float(n),
            "returns": [float(n)] * 5,
            "imagined": 2.0 * n,
            "optimism": float(n),
        }
        for method in ("me_trpo", "one_model_trpo")
        for seed in (0, 1)
        for n in (3000, 6000)
    ]
    rng = np.random.default_rng(0)
    page, summary = write_report(tmp_path, STUDY, STUDY.at("small"), rows, rng, ("mb_mpo",))
    text = page.read_text()
    for number in ("4", "5", "6", "36", "37"):
        assert f"Figure {number}: " in text and (tmp_path / f"figure_{number}.png").exists()
    assert "mb_mpo is not installed" in text and "Figure 38: " in text
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(json.dumps(summary))
    assert [row["optimism"] for row in summary["finals"]] == [6000.0, 6000.0]


def test_sentences_about_budgets_and_gaps() -> None:
    assert "meta-learned: up to 800000" in str(protocol(make_policy_study("promp").at("small"))[0])
    assert any("Figure 17" in str(each) for each in left_out(make_policy_study("promp"), ()))
