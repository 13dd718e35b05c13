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
        "arguments/bounds.py",
        "arguments/calibrate.py",
        "arguments/check.py",
        "arguments/collect.py",
        "arguments/data.py",
        "arguments/doctor.py",
        "arguments/emulate.py",
        "arguments/evaluate.py",
        "arguments/faults.py",
        "arguments/import_logs.py",
        "arguments/launch.py",
        "arguments/new.py",
        "arguments/param.py",
        "arguments/replay.py",
        "arguments/score.py",
        "arguments/train.py",
        "arguments/tune.py",
        "arguments/view.py",
    ),
    "protocols and plain data": (
        "agents/base.py",
        "collection/requests.py",
        "episodes/scenario.py",
        "networks/activations.py",
        "plants/topics/bus.py",
        "policies/base.py",
        "policies/trained.py",
        "robots/measurement.py",
        "robots/task.py",
        "view/things.py",
    ),
    "parameters of nodes, which the tests of the nodes give": (
        "nodes/driver_parameters.py",
        "nodes/teleop_parameters.py",
    ),
    "stages of a study: tests/evaluation/study/test_run.py and tests/golden run all of them": (
        "evaluation/study/learn.py",
        "evaluation/study/model_free.py",
        "evaluation/study/tuning.py",
    ),
    "pages of a study: tests/evaluation/study/test_report.py and test_overall.py": (
        "evaluation/study/results_table.py",
    ),
    "tested through what it is for, in the file named": (
        "commands/tuning.py",  # tests/commands/test_tune.py
        "evaluation/replay.py",  # tests/commands/test_replay.py
        "learning/pr2_rollouts.py",  # tests/learning/test_twin_rollouts.py
        "nodes/fault_campaign.py",  # tests/commands/test_faults.py
        "safety/rules.py",  # tests/nodes/test_safety.py, tests/safety/test_document.py
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
