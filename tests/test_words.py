"""Docstrings say what a thing does in plain words; the glossary's terms are where it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ros_mbmrl"
GLOSSARY = ROOT / "docs" / "glossary.md"

# Folders and files whose words are done; the list grows until it is `**/*.py`.
DONE = (
    *(f"{folder}/**/*.py" for folder in ("arguments", "bench", "collection", "commands", "data")),
    *(f"{folder}/**/*.py" for folder in ("dynamics", "plants", "robots", "runtime")),
    *(f"{folder}/*.py" for folder in ("adaptation", "evaluation", "planning")),
    *(f"{name}.py" for name in ("bringup", "cli", "errors", "home", "launch_arguments")),
    *("share.py", "supervisor.py", "untrusted.py", "networks/tensor_file.py"),
)
NOT_YET = (
    *("adaptation/__init__.py", "planning/__init__.py"),
    *("commands/train.py", "evaluation/replay.py"),
)
# A docstring that begins so makes its reader look for the verb.
OPENINGS = ("What", "Of", "Whether", "Where", "How", "Those", "Who")
# A function's begins with its verb in the imperative.
NOT_VERBS = ("The", "A", "An", "All", "Every", "Nothing", "This", "It", "One", "Some", "Plain")


def done() -> list[str]:
    found = {str(path.relative_to(PACKAGE)) for each in DONE for path in PACKAGE.glob(each)}
    return sorted(found - set(NOT_YET))


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every docstring, those under fields included."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield node.lineno, text.strip()


def verbs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the first word of every function's docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.lineno, text.split()[0].rstrip(".,;:")


@pytest.mark.parametrize("name", done())
def test_docstrings_open_plainly(name: str) -> None:
    tree = ast.parse((PACKAGE / name).read_text())
    assert ast.get_docstring(tree), "a module without a docstring"
    opening = re.compile(rf"({'|'.join(OPENINGS)})\b")
    assert not [each for each in docstrings(tree) if opening.match(each[1])]
    third = re.compile(r"[A-Z][a-z]+[^s]s$")  # "Returns"
    assert not [each for each in verbs(tree) if each[1] in NOT_VERBS or third.match(each[1])]


def test_no_docstring_of_the_package_opens_with_what_or_of() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        assert not [each for each in docstrings(tree) if each[1].startswith(("What ", "Of "))], path


def test_the_list_of_what_is_not_done_is_true() -> None:
    assert all((PACKAGE / name).is_file() for name in NOT_YET)
    assert all(list(PACKAGE.glob(each)) for each in DONE)


def test_the_glossary_is_linked_and_names_files_that_exist() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "architecture.md"):
        assert "glossary.md" in page.read_text()
    named = re.findall(r"`([a-z_/]+(?:\.py|/))`", GLOSSARY.read_text())
    assert named
    assert not [name for name in named if not (PACKAGE / name).exists()]
