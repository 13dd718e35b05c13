"""The pages: links, the site, the commands of the page about ROS 2, and the notebooks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), ROOT / "sim" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s#]+)", text)
    own = [each for each in targets if "://" not in each and not each.startswith("mailto:")]
    assert not [each for each in own if not (page.parent / each).exists()]


def test_the_site_has_every_page_in_its_menu() -> None:
    menu = re.findall(r"[\w/-]+\.(?:md|ipynb)", (ROOT / "mkdocs.yml").read_text())
    there = {str(path.relative_to(DOCS)) for path in (*DOCS.rglob("*.md"), *NOTEBOOKS)}
    assert set(menu) - {"docs.py"} == there


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material")
    pytest.importorskip("mkdocs_jupyter")
    words = ("build", "--strict", "-q", "-f", str(ROOT / "mkdocs.yml"), "-d", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *words], capture_output=True, text=True, timeout=170
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "notebooks" / "your_own_robot" / "index.html").exists()


def commands(page: str, name: str) -> str:
    """Return the block of shell commands of a page that says it is run here under `name`."""
    found = re.search(
        rf"<!-- run by tests/test_docs.py: {name} -->\n```sh\n(.*?)```",
        (DOCS / page).read_text(),
        re.DOTALL,
    )
    assert found, f"{page}: no block '{name}'"
    return found[1]


def test_the_commands_of_the_page_about_ros_2_build_a_workspace(tmp_path: Path) -> None:
    pytest.importorskip("colcon_ros")
    skipped = shutil.ignore_patterns(".git", ".venv", "runs", "build", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, tmp_path / "ros_mbmrl", ignore=skipped, symlinks=True)
    script = [
        "set -e",
        f'PATH="{Path(sys.executable).parent}:$PATH"',
        commands("ros2.md", "workspace"),
        commands("ros2.md", "build"),
        'test -x "$(ls -d install/ros_mbmrl/lib/ros_mbmrl)/mbmrl"',
        'case ":$AMENT_PREFIX_PATH:" in *install/ros_mbmrl:*) ;; *) exit 3;; esac',
        "cd /",
        'python -c "import ros_mbmrl; print(ros_mbmrl.__file__)"',
    ]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1].startswith(str(tmp_path / "ws" / "install"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(notebook: Path, tmp_path: Path) -> None:
    nbformat: Any = pytest.importorskip("nbformat")
    client: Any = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.read(notebook, as_version=4)
    client.NotebookClient(
        book, timeout=150, resources={"metadata": {"path": str(notebook.parent)}}
    ).execute()
    printed = "".join(
        str(output.get("text", "")) for cell in book.cells for output in cell.get("outputs", [])
    )
    if notebook.stem == "adapt_in_five_minutes":
        after = [float(x) for x in re.findall(r"([\d.]+) cm after", printed)]
        assert after[1] < after[0] / 2
    else:
        errors = [float(x) for x in re.findall(r"slipping wheel: ([\d.e-]+)", printed)]
        assert errors[1] < errors[0] / 5


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_what_it_printed(notebook: Path) -> None:
    book = yaml.safe_load(notebook.read_text())
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert sum(bool(cell["outputs"]) for cell in cells) > len(cells) / 2
    assert not re.search(r"/(?:root|home|tmp)/\S", notebook.read_text())
