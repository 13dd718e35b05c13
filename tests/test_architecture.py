"""The folder tree is the architecture: imports run downwards, and each module has its test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Why a module has no test of its own -> the modules.
WITHOUT_TESTS: dict[str, tuple[str, ...]] = {
    "arguments of commands: tests/arguments/test_ranges.py walks over all of them": (
        "arguments/bench.py",
        "arguments/calibrate.py",
        "arguments/collect.py",
        "arguments/data.py",
        "arguments/doctor.py",
        "arguments/emulate.py",
        "arguments/evaluate.py",
        "arguments/faults.py",
        "arguments/import_logs.py",
        "arguments/launch.py",
        "arguments/replay.py",
        "arguments/score.py",
        "arguments/train.py",
        "arguments/tune.py",
    ),
    "tested through what it is for, in the file named": (
        "nodes/fault_campaign.py",  # tests/commands/test_faults.py
    ),
}


def test_imports_run_downwards() -> None:
    """As `pyproject.toml` orders the packages; nothing but nodes knows ROS."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_each_module_has_its_test_or_a_reason() -> None:
    """`a/b.py` is tested by `tests/a/test_b.py`, or listed in `WITHOUT_TESTS`, never both."""
    package = ROOT / "ros_mbmrl"
    modules = [file.relative_to(package) for file in package.rglob("*.py")]
    untested = [
        module.as_posix()
        for module in modules
        if module.name != "__init__.py"
        and not (ROOT / "tests" / module.with_name(f"test_{module.name}")).is_file()
    ]
    listed = [name for names in WITHOUT_TESTS.values() for name in names]
    assert sorted(listed) == sorted(untested)
