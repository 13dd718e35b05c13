"""The package as colcon and pip install it, and the rules that its tree keeps."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ros_mbmrl"
SOURCES = sorted(PACKAGE.rglob("*.py"))
NODES = ("adaptive", "driver", "recorder", "reference", "safety", "teleop")
LAUNCH_FILES = ("adapt", "collect", "twin")
BUILT_FROM = ("ros_mbmrl", "launch", "config", "sim", "models", "resource")
BUILT_WITH = ("package.xml", "setup.py", "setup.cfg", "pyproject.toml", "LICENSE")

TORCH_FREE = (
    "ros_mbmrl.bringup",
    "ros_mbmrl.cli",
    "ros_mbmrl.commands.doctor",
    "ros_mbmrl.methods",
    "ros_mbmrl.robots.hexapod",
    "ros_mbmrl.robots.paths",
    "ros_mbmrl.safety.monitor",
    "ros_mbmrl.supervisor",
    "ros_mbmrl.simulation.world",
)
TORCH_FREE_NODES = tuple(f"ros_mbmrl.nodes.{name}" for name in NODES if name != "adaptive")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built: building leaves traces in the source tree."""
    copy = tmp_path_factory.mktemp("source") / "ros_mbmrl"
    for name in BUILT_FROM:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_WITH:
        shutil.copy(ROOT / name, copy)
    return copy


def run(*command: str, cwd: Path) -> None:
    """Run a command without this checkout on its path; its output is the failure's message."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("how", [(), ("--symlink-install",)], ids=["plain", "symlinked"])
def test_colcon_installs_where_ros2_run_and_launch_look(
    how: tuple[str, ...], tree: Path, tmp_path: Path
) -> None:
    pytest.importorskip("colcon_ros")
    colcon = (sys.executable, "-m", "colcon", "--log-base", "log", "build", *how)
    run(*colcon, "--base-paths", str(tree), "--packages-select", "ros_mbmrl", cwd=tmp_path)
    prefix = tmp_path / "install" / "ros_mbmrl"
    assert (prefix / "share/ament_index/resource_index/packages/ros_mbmrl").exists()
    assert (prefix / "share/ros_mbmrl/package.xml").exists()
    for name in (*NODES, "mbmrl"):
        assert os.access(prefix / "lib/ros_mbmrl" / name, os.X_OK), name
    for name in LAUNCH_FILES:
        assert (prefix / f"share/ros_mbmrl/launch/{name}.launch.py").exists(), name
    for path in shared_files():
        assert (prefix / "share/ros_mbmrl" / path).exists(), path


@pytest.mark.parametrize("how", [(), ("-e",)], ids=["plain", "editable"])
def test_pip_puts_the_command_on_the_path(how: tuple[str, ...], tree: Path, tmp_path: Path) -> None:
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    pip = (sys.executable, "-m", "pip", "install", "-q", *offline, "--ignore-installed")
    run(*pip, "--prefix", str(tmp_path), *how, str(tree), cwd=tmp_path)
    # Nodes are `python -m ros_mbmrl.nodes.<name>` there: names like `safety` are left to others.
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["mbmrl"]
    if not how:
        for path in shared_files():
            assert (tmp_path / "share/ros_mbmrl" / path).exists(), path


def test_versions_agree() -> None:
    from ros_mbmrl import __version__

    manifest = (ROOT / "package.xml").read_text(encoding="utf-8")
    assert re.findall(r"<version>(.+)</version>", manifest) == [__version__]
    assert f'version="{__version__}"' in (ROOT / "setup.py").read_text(encoding="utf-8")


def test_the_manifest_names_every_ros_package_that_is_imported() -> None:
    manifest = (ROOT / "package.xml").read_text(encoding="utf-8")
    named = set(re.findall(r"<exec_depend>(\w+)</exec_depend>", manifest))
    sources = [*SOURCES, *(ROOT / "launch").glob("*.py")]
    used = {name for path in sources for name, _ in imports(path) if is_ros(name)}
    assert used - named <= {"rcl_interfaces"}  # rclpy's own dependency


def test_every_folder_of_the_package_is_installed() -> None:
    folders = {path.parent for path in SOURCES}
    assert [str(f) for f in folders if not (f / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_tree_keeps_its_rules(path: Path) -> None:
    if path.parent != PACKAGE / "nodes":
        found = [(name, line) for name, line in imports(path) if is_ros(name)]
        assert found == [], "ROS outside of nodes/ and launch/"


@pytest.mark.parametrize("module", [*TORCH_FREE, *TORCH_FREE_NODES])
def test_processes_that_need_no_torch_do_not_import_it(module: str) -> None:
    if module in TORCH_FREE_NODES and find_spec("rclpy") is None:
        pytest.skip("no rclpy on this machine")
    code = f"import sys, {module}; sys.exit('torch was imported' if 'torch' in sys.modules else 0)"
    run(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}", cwd=ROOT)


ROS = {"rclpy", "launch", "launch_ros", "ament_index_python", "builtin_interfaces", "tf2_ros"}


def is_ros(name: str) -> bool:
    """Whether a top-level module is a part of ROS."""
    return name in ROS or name.endswith(("_msgs", "_srvs", "_interfaces"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level names of the modules imported anywhere in a file, and the lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


def shared_files() -> list[Path]:
    """Everything that nodes and launch files read, as it lies below share/ros_mbmrl."""
    folders = ("launch", "config", "sim", "models")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path.relative_to(ROOT) for path in files if "__pycache__" not in path.parts]
