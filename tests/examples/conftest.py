"""The examples as a user gets them: installed beside the core, which does not know them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs `python ...` where both examples are installed; cwd: a fresh folder by default."""
    pytest.importorskip("pip")
    folder = tmp_path_factory.mktemp("examples")
    site = folder / "site"
    for name in ("wheeled", "template"):
        # A copy: building leaves files in the source.
        shutil.copytree(
            EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "build")
        )
        # Nothing is fetched: no dependencies, and the setuptools that is here.
        words = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
        command = [sys.executable, "-m", "pip", *words, "--target", str(site), str(folder / name)]
        subprocess.run(command, check=True, timeout=120)
    path = os.pathsep.join([str(site), *filter(None, sys.path)])

    def python(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    return python
