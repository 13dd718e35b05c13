"""The package as colcon and pip install it, and the rules that its tree keeps."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ros_mbmrl.data import dataset
from ros_mbmrl.learning.twin_rollouts import collect_rollouts
from ros_mbmrl.robots import make_robot
from ros_mbmrl.untrusted import read_yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ros_mbmrl"
SOURCES = sorted(PACKAGE.rglob("*.py"))
NODES = (
    *("adaptive", "collector", "composed", "driver", "recorder", "reference", "safety", "teleop"),
    "view",
)
LAUNCH_FILES = ("adapt", "collect", "twin")
BUILT_FROM = ("ros_mbmrl", "launch", "config", "sim", "models", "resource", "robot_side")
BUILT_WITH = ("package.xml", "setup.py", "setup.cfg", "pyproject.toml", "LICENSE", "README.md")

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
TORCH_FREE_NODES = tuple(
    f"ros_mbmrl.nodes.{name}" for name in NODES if name not in ("adaptive", "composed")
)


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


@pytest.fixture(scope="module")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what an index would get: a source distribution, and the wheel made of it."""
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree), cwd=out)
    return out


def test_an_index_would_take_it(built: Path) -> None:
    pytest.importorskip("twine")
    files = sorted(map(str, built.iterdir()))
    assert [name.rpartition(".")[2] for name in files] == ["whl", "gz"]
    run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=built)
    with zipfile.ZipFile(files[0]) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith("METADATA"))
        metadata = wheel.read(name).decode()
    assert "Classifier: Typing :: Typed" in metadata
    body = metadata.partition("\n\n")[2]
    assert body.startswith("# ros_mbmrl")
    assert not re.search(r"\]\((?!https?:)", body)  # files that an index does not show


def test_the_wheel_works_from_an_empty_folder(built: Path, tmp_path: Path) -> None:
    """Models, recipes and MJCF come along and are found by name."""
    where, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    (wheel,) = built.glob("*.whl")
    offline = ("--no-deps", "--no-index", "--target", str(where))
    run(sys.executable, "-m", "pip", "install", "-q", *offline, str(wheel), cwd=tmp_path)
    assert (where / "ros_mbmrl" / "py.typed").exists()
    dataset.save(tmp_path / "data", collect_rollouts(make_robot("hexapod"), 4, 40, seed=0))
    for words in (
        ["--version"],
        ["launch", "adapt", "--show-args"],
        ["score", "hexapod/grbal", "hexapod/mb", "--data", "../data", "--sessions", "all"],
        ["train", "mb", "hexapod", "--data", "../data", "--out", "m", "--recipe", "hexapod_twin"]
        + ["--set", "supervised_steps=2", "--set", "hidden=[4]", "--set", "batch=2"],
    ):
        code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ros_mbmrl.cli import main"
        run(sys.executable, "-c", f"{code}; main()", str(where), *words, cwd=empty)
    assert (empty / "m" / "card.yaml").is_file()


def test_versions_agree() -> None:
    from ros_mbmrl import __version__

    manifest = (ROOT / "package.xml").read_text(encoding="utf-8")
    assert re.findall(r"<version>(.+)</version>", manifest) == [__version__]
    assert f'version="{__version__}"' in (ROOT / "setup.py").read_text(encoding="utf-8")
    assert read_yaml(ROOT / "CITATION.cff")["version"] == __version__


def test_ci_runs_every_python_with_newest_and_lowest_dependencies() -> None:
    jobs = read_yaml(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    (bounds,) = re.findall(r'python_requires="(.+)"', (ROOT / "setup.py").read_text())
    assert bounds == ">=3.10,<3.14"
    assert matrix["python"] == [f"3.{minor}" for minor in range(10, 14)]
    assert matrix["resolution"] == ["highest", "lowest-direct"]
    (install,) = (step["run"] for step in jobs["test"]["steps"] if "-e" in step.get("run", ""))
    assert "--resolution ${{ matrix.resolution }}" in install


def test_issue_forms_are_as_forms_are() -> None:
    """An id of its own for each question, and a question that must be answered."""
    forms = [
        read_yaml(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{n}.yml") for n in ("bug", "feature")
    ]
    for form in forms:
        assert {"name", "description", "body"} <= set(form)
        asked = [each for each in form["body"] if each["type"] != "markdown"]
        assert len({each["id"] for each in asked}) == len(asked)
        assert all(each["attributes"]["label"] for each in asked)
        assert any(each.get("validations", {}).get("required") for each in asked)


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
