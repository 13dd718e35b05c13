"""`mbmrl launch`: what a graph's end means, and what is written of it. No graph is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import supervisor
from ros_mbmrl.arguments.launch import Launch
from ros_mbmrl.commands import launch
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.evaluation import graph_report
from ros_mbmrl.launch_arguments import ARGUMENTS
from ros_mbmrl.supervisor import Summary

End = Callable[[int], list[tuple[str, list[str]]]]


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> End:
    """Makes every graph end with a status; what was launched."""
    launched: list[tuple[str, list[str]]] = []

    def ended(status: int) -> list[tuple[str, list[str]]]:
        def started(graph: str, words: Any) -> Summary:
            launched.append((graph, list(words)))
            return Summary(status, "driver: no robot", {"driver": status}, 3 * 2**20, 1.5, 9.0)

        monkeypatch.setattr(supervisor, "launch", started)
        return launched

    return ended


def test_a_clean_end_is_told(ending: End) -> None:
    launched = ending(0)
    results = launch.run(Launch("twin", ("terrain:=turf",)))
    assert launched == [("twin", ["terrain:=turf"])]
    assert results["exit_codes"] == {"driver": 0}
    assert results["first_command_seconds"] == 1.5


@pytest.mark.parametrize(("status", "kind"), [(1, RunError), (2, UserError)])
def test_any_other_end_is_an_error_of_its_kind(
    ending: End, status: int, kind: type[Exception]
) -> None:
    ending(status)
    with pytest.raises(kind, match=r"^driver: no robot$"):
        launch.start("twin", [])


@pytest.mark.parametrize(
    ("graph", "word", "error"),
    [("twin", "colour:=red", "colour"), ("ring", "terrain:=turf", "unknown graph 'ring'")],
)
def test_bad_words_start_nothing(ending: End, graph: str, word: str, error: str) -> None:
    launched = ending(0)
    with pytest.raises(UserError, match=error):
        launch.start(graph, [word])
    assert launched == []


def test_a_report_is_written_of_the_method_that_ran(
    ending: End, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(0)
    written: list[tuple[Any, ...]] = []

    def write(*given: Any) -> dict[str, Any]:
        written.append(given)
        return {"results": {"sentence": "It fell.", "methods": {"mb": {"missed_deadlines": 4}}}}

    monkeypatch.setattr(graph_report, "write_report", write)
    words = ["method:=mb", "path:=left", "seed:=3", "report:=somewhere"]
    results = launch.start("adapt", words)
    ((folder, scenario, process),) = written
    assert folder == Path("somewhere")
    assert scenario["path"] == "left"
    assert process == {"mb": {"first_command_s": 1.5, "peak_rss_mb": 3}}
    assert results["methods"] == {"mb": {"missed_deadlines": 4}}
    assert results["status"] == 0
    shown = capsys.readouterr().out.strip().splitlines()
    assert shown[0] == "It fell."
    assert any("missed deadlines" in line for line in shown)
    assert shown[-1] == "open somewhere/report.html"


def test_arguments_are_listed_with_their_defaults(
    ending: End, capsys: pytest.CaptureFixture[str]
) -> None:
    launched = ending(0)
    assert launch.run(Launch("collect", show_args=True)) == {}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":=")[0] for line in lines] == [a.name for a in ARGUMENTS["collect"]]
    assert launched == []
    with pytest.raises(UserError, match="unknown graph 'ring'"):
        launch.run(Launch("ring", show_args=True))
