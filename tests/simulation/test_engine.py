"""Physics needs no GL: whatever MUJOCO_GL says, the twin runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAWN = (
    "from ros_mbmrl.simulation.engine import mujoco; import os; print(hasattr(mujoco, 'Renderer'),"
)
DRAWN += "hasattr(mujoco, 'GLContext'), os.environ.get('MUJOCO_GL'))"


def _python(words: list[str], backend: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "MUJOCO_GL": backend},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("backend", ["bogus", "osmesa", "glx", "wgl", "disabled", " "])
def test_the_twin_runs(backend: str, tmp_path: Path) -> None:
    words = ["-m", "ros_mbmrl.cli", "collect", "hexapod", "--duration", "1", "--out", "rec"]
    done = _python(words, backend, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "rec").glob("*.mcap"))


def test_the_bench_and_other_robots_run(tmp_path: Path) -> None:
    words = ["-m", "ros_mbmrl.cli", "collect", "half_cheetah", "--duration", "1", "--out", "rec"]
    assert _python(words, "bogus", tmp_path).returncode == 0
    words = ["-m", "ros_mbmrl.cli", "bench", "twin", "--quick", "--repeats", "1"]
    assert _python(words, "bogus", tmp_path).returncode == 0


def test_no_module_of_ours_imports_mujoco_past_it() -> None:
    root = Path(__file__).resolve().parents[2] / "ros_mbmrl"
    lines = [
        f"{path.name}: {line}"
        for path in root.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith(("import mujoco", "from mujoco")) and path.name != "engine.py"
    ]
    assert lines == []


def test_a_library_that_is_there_still_draws(tmp_path: Path) -> None:
    assert _python(["-c", DRAWN], "", tmp_path).stdout.split()[:2] == ["True", "True"]
    assert _python(["-c", DRAWN], "egl", tmp_path).stdout == "True True egl\n"
