"""Files that are known by their robots' names, in this process and in those it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS, make_robot, robot_name
from ros_mbmrl.robots.described.known import (
    FILE,
    VARIABLE,
    adopt,
    adopt_beside,
    adopt_text,
    described,
    keep_beside,
)
from tests.robots.described.examples import ARM, BASE


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "any_name.yaml"
    path.write_text(BASE)
    return path


def test_a_file_is_known_by_the_name_in_it(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "base" not in ROBOTS
    assert robot_name(str(base)) == "base"
    assert "base" in ROBOTS and "base" in list(ROBOTS) and ROBOTS["base"] == str(base)
    assert make_robot("base").spec == make_robot(str(base)).spec
    monkeypatch.setenv(VARIABLE, "")
    assert "base" not in ROBOTS and described() == {}


def test_processes_that_are_started_know_it_too(base: Path) -> None:
    adopt(base)
    code = "from ros_mbmrl.robots import make_robot; print(make_robot('base').spec.period)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "0.1"


def test_a_file_that_changes_is_read_again(base: Path) -> None:
    adopt(base)
    base.write_text(BASE.replace("period: 0.1", "period: 0.2"))
    os.utime(base, ns=(1, 1))
    assert make_robot("base").spec.period == 0.2


def test_two_files_of_one_name_must_say_the_same(base: Path, tmp_path: Path) -> None:
    adopt(base)
    other = tmp_path / "other.yaml"
    other.write_text(BASE)
    assert adopt(other) == "base"
    other.write_text(BASE.replace("0.6", "0.7"))
    os.utime(other, ns=(1, 1))
    with pytest.raises(UserError, match="robot 'base' is described by .*any_name.yaml and otherw"):
        adopt(other)


def test_a_name_of_python_code_is_taken(base: Path) -> None:
    base.write_text(BASE.replace("name: base", "name: hexapod"))
    with pytest.raises(UserError, match="name: 'hexapod' is a robot of Python code"):
        robot_name(str(base))
    assert make_robot("hexapod").spec.name == "hexapod" and described() == {}


def test_what_is_no_robot_is_refused() -> None:
    with pytest.raises(UserError, match="unknown robot 'base'"):
        make_robot("base")
    with pytest.raises(UserError, match="none.yaml: cannot be read"):
        make_robot("none.yaml")


def test_a_text_that_something_carries(tmp_path: Path) -> None:
    assert adopt_text(ARM, Path("run.mcap")) == "arm"
    assert make_robot("arm").spec.name == "arm"
    assert adopt_text(ARM, Path("run.mcap")) == "arm"
    with pytest.raises(UserError, match="run.mcap:2: kind"):
        adopt_text(ARM.replace("kind: arm", "kind: leg"), Path("run.mcap"))


def test_a_folder_keeps_the_file(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    keep_beside(folder, "base")
    assert not (folder / FILE).exists()
    adopt(base)
    keep_beside(folder, "base")
    monkeypatch.setenv(VARIABLE, "")
    adopt_beside(folder, "base")
    assert described()["base"].text == BASE
