"""`mbmrl evaluate asynchronous`: what is refused, and the report's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ros_mbmrl import cli

WORDS = ["evaluate", "asynchronous", "--scale", "smoke"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--methods", "sac"], "unknown method 'sac': expected one of "),
        (["--device", "cuda"], "device: policies are trained on the CPU"),
        (["--duration", "3"], "--duration: a study has its own"),
        (["--video"], "--video: only existing models are filmed"),
    ],
)
def test_what_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*WORDS, "--out", str(tmp_path / "out"), *words])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_from_training_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    arms = ["--methods", "me_trpo_async", "me_trpo_sync", "--workers", "1"]
    cli.main([*WORDS, "--out", str(out), *arms, "--json", str(report)])
    assert (out / "report.html").exists() and "report: " in capsys.readouterr().out
    results = json.loads(report.read_text())["results"]
    assert [row["method"] for row in results["rows"]] == ["me_trpo_async", "me_trpo_sync"]
    assert results["summary"]["reached"][0]["opponent"] == "me_trpo_sync"
