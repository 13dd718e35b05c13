import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from ros_mbmrl.errors import RunError
from ros_mbmrl.runtime.workers import begin_worker, outcomes

PARENT = """
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ros_mbmrl.runtime.workers import begin_worker

if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn"), begin_worker) as pool:
        pool.submit(print, "at work", flush=True).result()
        for _ in range(2):
            pool.submit(time.sleep, 60)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """The pipe that all of them write to ends when the last of them has."""
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "at work\n"
        parent.kill()
        rest, _ = parent.communicate(timeout=20)
    assert rest == ""


def test_a_worker_is_deaf_to_ctrl_c() -> None:
    with ProcessPoolExecutor(1, get_context("spawn"), begin_worker) as pool:
        pool.submit(signal.raise_signal, signal.SIGINT).result(timeout=30)
        assert pool.submit(abs, -1).result(timeout=30) == 1


def test_outcomes_are_numbered_wherever_they_come_from() -> None:
    jobs = [-3, 5, -7]
    here, there = (dict(outcomes(abs, jobs, workers)) for workers in (1, 2))
    assert here == there == {0: 3, 1: 5, 2: 7}


def test_every_process_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREPARED", "no")
    assert dict(outcomes(prepared, [0, 1], 2)) == {0: "no", 1: "no"}
    assert dict(outcomes(prepared, [0, 1], 2, prepare=prepare)) == {0: "yes", 1: "yes"}
    assert os.environ["PREPARED"] == "no"


def prepare() -> None:
    os.environ["PREPARED"] = "yes"


def prepared(_: int) -> str:
    return os.environ["PREPARED"]


def test_what_a_job_raises_is_raised_and_a_process_that_dies_is_said() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(outcomes(int, ["1", "one"], 2))
    with pytest.raises(RunError, match="a worker process died"):
        list(outcomes(os._exit, [3, 3], 2))
