"""A run whose collector is a graph: its words, its end, what a failed start says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import bringup
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.graph_job import GraphJob, drive, said
from ros_mbmrl.learning.asynchronous.worker import WallClock
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.supervisor import Summary


def make(folder: Path, *words: str, collectors: int = 1) -> GraphJob:
    settings = AsynchronousConfig(trajectories=4, steps=60)
    own = TrainConfig("mb"), settings
    return GraphJob(folder / "run", "mb", "hexapod", *own, collectors=collectors, words=words)


def ended(status: int, reason: str, *lines: str, after: Callable[[], Any] = lambda: None) -> Any:
    """A launch that says lines and ends."""

    def start(graph: str, words: list[str], echo: Callable[[str], None]) -> Summary:
        assert graph == "adapt"
        for line in lines:
            echo(line)
        after()
        return Summary(status, reason, {}, 0, None, 1.0)

    return start


def test_the_graph_is_told_what_the_run_decides(tmp_path: Path) -> None:
    job = make(tmp_path, "path:=figure8")
    job.keep()
    words = dict(word.split(":=") for word in job.launch_words)
    assert words == {
        "robot": "hexapod",
        "learning": str(job.run),
        "episode_seconds": "6",
        "trajectories": "4",
        "recording": str(job.run / "recordings/graph-000.mcap"),
        "path": "figure8",
    }
    nodes = {node.name: node for node in bringup.graph("adapt", job.launch_words)}
    assert nodes["collector"].parameters["trajectories"] == 4
    assert nodes["adaptive"].parameters["switch"] == "episode"
    (job.run / "recordings").mkdir()
    (job.run / "recordings/graph-000.mcap").touch()
    assert f"recording:={job.run / 'recordings/graph-001.mcap'}" in job.launch_words
    assert not any("graph-00" in word for word in make(tmp_path, "record:=false").launch_words)


def test_its_workers_are_the_graph_and_the_model(tmp_path: Path) -> None:
    job = make(tmp_path)
    assert job.names == ("graph-0", "model")
    job.keep()
    assert job.worker("model", WallClock()).pull() is False  # there is nothing to learn from yet


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("learning:=x",), "graph: learning is decided by the run"),
        (("duration:=3",), "graph: duration is decided by the run"),
        (("figure8",), "graph: expected name:=value, got 'figure8'"),
    ],
)
def test_words_that_would_not_be_heeded_are_refused(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        make(tmp_path, *words)


def test_a_graph_drives_one_robot(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="collectors: expected 1"):
        make(tmp_path, collectors=2)


def test_a_graph_that_refuses_its_arguments_ends_the_run_with_its_own_line(tmp_path: Path) -> None:
    job = make(tmp_path)
    job.keep()
    lines = "[view] hello", "[driver] no such port '/dev/x'", "[driver] ended with status 2: ending"
    with pytest.raises(UserError, match=r"^graph: no such port '/dev/x'$"):
        drive(job, ended(2, "driver ended with status 2", *lines))
    assert (job.run / "graph.log").read_text().splitlines() == list(lines)


def test_a_graph_that_fails_is_a_process_that_fails(tmp_path: Path) -> None:
    job = make(tmp_path)
    job.keep()
    with pytest.raises(SystemExit) as error:
        drive(job, ended(1, "safety ended with status -9"))
    assert error.value.code == 1


def test_a_graph_that_ends_before_its_run_is_told(tmp_path: Path) -> None:
    job = make(tmp_path)
    job.keep()
    with pytest.raises(RunError, match=r"ended before the run: driver .*graph\.log"):
        drive(job, ended(0, "driver ended with status 0"))
    drive(job, ended(0, "interrupted"))


def test_a_graph_that_has_all_trajectories_ends_well(tmp_path: Path) -> None:
    job = make(tmp_path)
    job.keep()

    def fill() -> None:
        folder = job.servers().data.folder
        folder.mkdir()
        for number in range(4):
            job.servers().data.path(number).touch()

    drive(job, ended(0, "collector ended with status 0", after=fill))


def test_the_nodes_of_a_graph_that_was_killed_are_given_time_to_end(tmp_path: Path) -> None:
    job = make(tmp_path)
    job.keep()
    write_json(job.servers().heartbeat("graph-0"), {"told": 100.0})
    now, began = [101.0], list[float]()

    def wait(seconds: float) -> None:
        now[0] += seconds

    start = ended(0, "interrupted", after=lambda: began.append(now[0]))
    drive(job, start, clock=lambda: now[0], wait=wait)
    assert began == [pytest.approx(105.0, abs=0.21)]


def test_what_a_node_said_last_is_found_among_the_others() -> None:
    lines = ["[driver] a", "[driver] b", "[recorder] c", "[driver] ended with status 2: ending"]
    assert said("driver ended with status 2", lines) == "b"
    assert said("safety ended with status 2", lines) == ""
