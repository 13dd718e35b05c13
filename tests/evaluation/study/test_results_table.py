"""The table of all studies: its cells by hand, and the page that it is written into."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.evaluation.study import results_table

ROOT = Path(__file__).resolve().parents[3]


def returned(method: str, condition: str, value: float, of_oracle: bool = True) -> dict[str, Any]:
    """A row of a summary; the oracle's return is 125."""
    normalised = {"normalised": value / 125, "normalised_by": "oracle" if of_oracle else "random"}
    return {"method": method, "condition": condition, "return": value, **normalised}


def compared(
    method: str, opponent: str, verdict: str, *conditions: str, measure: str = "return"
) -> dict[str, Any]:
    facts = {"method": method, "opponent": opponent, "verdict": verdict, "measure": measure}
    return {**facts, "conditions": list(conditions)}


SUMMARY: dict[str, Any] = {
    "title": "Ant with a crippled leg",
    "returns": [
        returned("mb", "unseen", 100.0),
        returned("grbal", "unseen", 120.0),
        returned("mb_oracle", "unseen", 125.0),
        returned("mb", "midrun", 10.0, of_oracle=False),
        returned("grbal", "midrun", 5.0, of_oracle=False),
        returned("mb", "fast", 25.0),
        returned("grbal", "fast", 50.0),
    ],
    "comparisons": [
        compared("grbal", "mb", "better", "unseen"),
        compared("mb", "grbal", "better", "midrun"),
        compared("grbal", "mb", "better", "fast", measure="error"),
        compared("grbal", "mb", "better", "fast", "unseen"),
    ],
    "hypotheses": [{"outcome": "supported"}, {"outcome": "contradicted"}],
}


def cells(table: str) -> list[list[str]]:
    """The cells of each line of a table in Markdown."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_line_a_condition_and_a_column_a_method() -> None:
    table = results_table.results_table([SUMMARY])
    head, _, *rows = cells(table)
    assert head == ["", "", "MB", "GrBAL", "MB oracle"]
    assert rows == [
        ["Ant with a crippled leg", "unseen", "0.80", "**0.96**", "1.00"],
        ["", "midrun (return)", "10.0", "*5.00*", ""],  # normalised by random alone: as it is
        ["", "fast", "0.20", "0.40", ""],  # better in its error alone
        ["mean rank", "", "1.7", "1.3", ""],  # of the contenders: 2, 1, 2 and 1, 2, 1
    ]
    assert "Of 2 hypotheses stated in advance, supported: 1." in table


def test_a_scale_that_is_not_the_usual_one_is_named() -> None:
    usual, larger = ({**SUMMARY, "scale": name} for name in ("small", "ensemble"))
    titles = [row[0] for row in cells(results_table.results_table([usual, larger]))[2:]]
    title = "Ant with a crippled leg"
    assert titles == [title, "", "", f"{title}, scale `ensemble`", "", "", "mean rank"]


def test_the_page_of_methods_says_what_the_kept_summaries_say() -> None:
    summaries = results_table.read_summaries(ROOT / "docs" / results_table.RESULTS)
    if summaries:
        text = (ROOT / "docs" / "methods.md").read_text()
        assert text == results_table.filled(text, summaries), (
            "run: python -m ros_mbmrl.evaluation.study.results_table docs/methods.md"
        )


@pytest.mark.parametrize(
    ("page", "summary", "message"),
    [
        ("# Title\n", json.dumps(SUMMARY), "expected the lines <!-- results --> and <!-- /resul"),
        ("<!-- results -->\n<!-- /results -->\n", "{", "a.json: Expecting property name"),
        ("<!-- results -->\n<!-- /results -->\n", "{}", "a.json: expected a summary of a study"),
        ("<!-- results -->\n<!-- /results -->\n", "", "results: expected *.json"),
    ],
)
def test_what_is_wrong_is_one_line_and_the_page_stays(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    page: str,
    summary: str,
    message: str,
) -> None:
    document = tmp_path / "methods.md"
    document.write_text(page)
    (tmp_path / "results").mkdir()
    if summary:
        (tmp_path / "results" / "a.json").write_text(summary)
    monkeypatch.setattr(sys, "argv", ["results_table", str(document)])
    with pytest.raises(SystemExit) as stop:
        results_table.main()
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1
    assert error.startswith("results_table: ") and message in error
    assert document.read_text() == page
