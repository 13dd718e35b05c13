"""A study from its rows to its page, its summary, and the README's table."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.study import results_table, tables
from ros_mbmrl.evaluation.study.report import write_report

MEANS = {"mb": 100.0, "grbal": 120.0, "mb_oracle": 130.0, "true_model": 140.0, "random": 5.0}


@dataclass(frozen=True)
class Stated:
    better: str
    worse: str
    conditions: tuple[str, ...] = ()
    measure: str = "return"


@dataclass(frozen=True)
class Described:
    name: str = "ant-crippled"
    title: str = "Ant with a crippled leg"
    methods: tuple[str, ...] = ("mb", "grbal", "mb_oracle", "true_model", "random")
    hypotheses: tuple[Stated, ...] = (
        Stated("grbal", "mb"),
        Stated("mb", "grbal", ("unseen",)),
        Stated("grbal", "mb", measure="error"),
        Stated("rebal", "mb"),
    )


def _rows() -> list[dict[str, Any]]:
    """Of every training seed its own episodes, as of a study."""
    rng = np.random.default_rng(0)
    return [
        {
            "method": method,
            "train_seed": s,
            "condition": condition,
            "path": "run",
            "seed": 1000 * s + k,
            "return": mean + rng.normal(),
            "return_after": mean,
            "accepted_fraction": 0.9,
            "safety_stops": 0,
        }
        for method, mean in MEANS.items()
        for s in range(1 if method == "true_model" else 4)
        for condition in ("unseen", "midrun")
        for k in range(6)
    ]


def _errors() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    before = rng.uniform(0.1, 0.3, 30).tolist()
    return [
        {
            "method": method,
            "train_seed": s,
            "condition": condition,
            "before": before,
            "after": (np.array(before) * rng.uniform(factor - 0.05, factor + 0.05, 30)).tolist(),
            "rollout": [k // 5 for k in range(30)],
            "time": [0.1 * (k % 5) for k in range(30)],
        }
        for method, factor in (("mb", 1.0), ("grbal", 0.7))
        for s in range(3)
        for condition in ("unseen", "midrun")
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("study") / "new"
    curves = [
        {"method": m, "train_seed": s, "transitions": n, "condition": "unseen", "return": n * 1.0}
        for m in ("mb", "grbal")
        for s in range(3)
        for n in (1000, 9000)
    ]
    page = write_report(
        out,
        Described(),
        np.random.default_rng(0),
        _rows(),
        curves,
        _errors(),
        tuning=[{"method": "mb_de", "return": 3.0, "error": 0.1, "inner_lr": 0.1, "chosen": True}],
        onsets={"midrun": 0.2},
        protocol={"scale": "small"},
    )
    assert page == out / "report.html"
    return out


def _summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def test_the_page_begins_with_what_was_stated(folder: Path) -> None:
    page = unescape((folder / "report.html").read_text())
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "Stated in advance",
        "Returns",
        "After the change",
        "What a perfect model would be worth",
        "Effect of the update",
        "Sample efficiency",
        "Protocol",
    ]
    for row in _summary(folder)["hypotheses"]:
        assert row["sentence"] in page
    assert "Judged before windows were kept, so without them: MB, GrBAL" in page
    assert 'src="data:image/png' in page and "scale: small" in page and "inner_lr 0.1" in page


def test_the_summary_holds_outcomes_and_figures(folder: Path) -> None:
    summary = _summary(folder)
    outcomes = [row["outcome"] for row in summary["hypotheses"]]
    assert outcomes == ["supported", "contradicted", "supported", "not tested"]
    own = {(r["method"], r["condition"]): r for r in summary["returns"]}
    assert own["grbal", "unseen"]["normalised"] == pytest.approx(120 / 130, abs=0.02)
    assert own["grbal", "unseen"]["n_episodes"] == 24
    assert summary["headroom"][0]["reached"]["grbal"] == pytest.approx(0.5, abs=0.1)
    assert summary["ranks"] == {"mb": 2.0, "grbal": 1.0}
    assert {c["verdict"] for c in summary["comparisons"]} <= {"better", "worse"}
    assert len(tables.all_tables(summary)) == 8


def test_the_same_rows_and_generator_give_the_same_summary(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(tmp_path / name, Described(), np.random.default_rng(3), _rows())
    one, two = ((tmp_path / name / "summary.json").read_text() for name in ("one", "two"))
    assert one == two
    assert "Effect of the update" not in (tmp_path / "one" / "report.html").read_text()


def test_the_table_is_filled_between_its_marks(folder: Path) -> None:
    text = f"# Title\n{results_table.BEGIN}old\n{results_table.END}the rest\n"
    new = results_table.filled(text, [_summary(folder)])
    assert new.startswith(f"# Title\n{results_table.BEGIN}|") and new.endswith(
        f"{results_table.END}the rest\n"
    )
    assert "old\n" not in new
    assert results_table.filled(new, [_summary(folder)]) == new
    lines = {line.split("|")[2].strip(): line for line in new.splitlines() if line.startswith("|")}
    assert lines["unseen"].startswith("| Ant with a crippled leg |")
    assert "**0.92**" in lines["unseen"] and " 1.00 " in lines["unseen"]
    assert "Of 4 hypotheses stated in advance, supported: 2." in new
    with pytest.raises(UserError, match="expected the lines"):
        results_table.filled("# Title\n", [_summary(folder)])


def test_markdown_escapes_what_would_be_a_column() -> None:
    text = tables.markdown(Table(("a", "b"), (("x|y", "1"),), "said"))
    assert text == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n\nsaid\n"
