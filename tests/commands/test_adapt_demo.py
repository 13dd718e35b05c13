"""`make adapt`: the same scenario for each method, and what is left of an earlier run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.commands import adapt_demo, launch
from ros_mbmrl.commands.launch import Ran
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.launch_arguments import parse

Launched = list[dict[str, str]]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    """Arguments of the graphs that were to run."""
    log: Launched = []

    def drive(graph: str, words: list[str]) -> tuple[dict[str, Any], Ran]:
        assert graph == "adapt"
        arguments = parse(graph, words)  # it would take them
        log.append(dict(word.split(":=", 1) for word in words))
        return {}, Ran(Path(arguments["report"]), arguments["method"], {}, {})

    def report(runs: list[Ran]) -> dict[str, Any]:
        print("reported on", *(run.method for run in runs))
        return {}

    monkeypatch.setattr(launch, "drive", drive)
    monkeypatch.setattr(launch, "report", report)
    return log


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Runs the command with a folder for its report."""

    def run(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["adapt_demo", "--report", str(tmp_path), *words])
        adapt_demo.main()

    return run


def test_only_the_method_differs_and_the_fault_sets_in_half_way(
    launched: Launched,
    demo: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    demo("--methods", "mb", "residual", "--duration", "30", "--seed", "7")
    assert capsys.readouterr().out == "reported on mb residual\n"
    first, second = launched
    assert (first.pop("method"), second.pop("method")) == ("mb", "residual")
    assert first == second
    assert first["fault"] == "leg_left_middle@15"
    assert (first["duration"], first["seed"], first["report"]) == ("30", "7", str(tmp_path))


def test_only_what_an_earlier_run_has_left_is_taken_away(
    launched: Launched, demo: Callable[..., None], tmp_path: Path
) -> None:
    for name in ("report.json", "mb.mcap", "grbal.mcap", "notes.txt"):
        (tmp_path / name).touch()
    demo("--methods", "mb")
    assert {path.name for path in tmp_path.iterdir()} == {"grbal.mcap", "notes.txt"}


@pytest.mark.parametrize(("error", "status"), [(UserError("no path"), 2), (RunError("fell"), 1)])
def test_a_graph_that_fails_ends_it_in_one_line(
    error: Exception,
    status: int,
    demo: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def drive(graph: str, words: list[str]) -> Any:
        raise error

    monkeypatch.setattr(launch, "drive", drive)
    with pytest.raises(SystemExit) as ended:
        demo()
    assert ended.value.code == status
    assert capsys.readouterr().err == f"adapt: {error}\n"
