import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ros_mbmrl.workers import begin_worker

PARENT = """
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ros_mbmrl.workers import begin_worker

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
