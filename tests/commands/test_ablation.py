"""`mbmrl evaluate base-ablation`, from training to its table."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from ros_mbmrl import cli
from ros_mbmrl.evaluation.study import ablation


def test_its_table_is_printed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = (ablation.BASE, "one network")
    monkeypatch.setattr(ablation, "ablate", partial(ablation.ablate, variants=parts))
    out, told = tmp_path / "out", tmp_path / "told.json"
    words = ("--scale", "smoke", "--train-seeds", "1", "--workers", "1", "--json", str(told))
    cli.main(["evaluate", "base-ablation", "--out", str(out), *words])
    results = json.loads(told.read_text())["results"]
    assert [line[0] for line in results["summary"]] == [*parts]
    assert len(results["rows"]) == 2 * 3 * 2  # variants, conditions, episodes
    assert (out / "report.html").is_file()
    assert "one network" in capsys.readouterr().out


def test_methods_cannot_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", "base-ablation", "--methods", "mb", "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert "--methods: it compares parts of MB's base" in capsys.readouterr().err
