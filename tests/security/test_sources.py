"""No source of the project can run what a file says: no pickle, no eval, YAML by one reader."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("ros_mbmrl", "examples", "launch", "robot_side", "sim", "setup.py")
SOURCES = sorted(
    path
    for name in FOLDERS
    for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    if "tests" not in path.relative_to(ROOT).parts
)

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
BUILTINS = {"eval", "exec", "compile", "__import__", "execfile"}
CALLS = {
    *("torch.load", "torch.save", "torch.jit.load", "torch.hub.load", "os.system", "os.popen"),
    *("np.load", "numpy.load", "np.save", "numpy.save", "np.fromregex", "pd.read_pickle"),
    # `safe_load` takes aliases, which grow: `untrusted.read_yaml` takes none.
    *(f"yaml.{name}" for name in ("load", "load_all", "safe_load", "safe_load_all", "full_load")),
    *("yaml.unsafe_load", "yaml.Loader", "yaml.UnsafeLoader", "yaml.FullLoader", "yaml.dump"),
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    assert list(dangers(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "import os, marshal as m",
        "import importlib; importlib.import_module('pickle')",
        "eval('1')",
        "torch.load('x')",
        "from torch import load",
        "np.load('x', allow_pickle=False)",
        "read(x, allow_pickle=True)",
        "yaml.safe_load('x')",
        "from yaml import safe_load",
        "loader = yaml.UnsafeLoader",
        "subprocess.run('x', shell=True)",
    ],
)
def test_each_danger_is_seen(text: str) -> None:
    assert list(dangers(text)) != []


def dangers(text: str) -> Iterator[str]:
    """What a source does that a file of others must not decide on."""
    for node in ast.walk(ast.parse(text)):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names if each.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{each.name}" for each in node.names]
            found = [each for each in names if each in CALLS or each.split(".")[0] in MODULES]
        elif isinstance(node, ast.Attribute):
            found = [ast.unparse(node)] if ast.unparse(node) in CALLS else []
        elif isinstance(node, ast.Constant) and node.value in MODULES:
            found = [str(node.value)]
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
                found = [node.func.id]
            settings = {each.arg: ast.unparse(each.value) for each in node.keywords}
            for name in ("allow_pickle", "shell"):
                if settings.get(name, "False") != "False":
                    found.append(name)
        yield from (f"line {getattr(node, 'lineno', 0)}: {each}" for each in found)
