"""Robots, plants, planners, methods of other packages, found by entry points; none is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import plugins
from ros_mbmrl.errors import UserError
from ros_mbmrl.plugins import Entry, Registry, entries, expected, imported

Install = Callable[..., Path]

ROBOT = """
from dataclasses import replace

from ros_mbmrl.robots.hexapod import Hexapod


class Mine(Hexapod):
    spec = replace(Hexapod.spec, name="mine")
"""

PLANT = """
from ros_mbmrl import plugins
from ros_mbmrl.errors import UserError


def check(options):
    if options.terrain != "moon":
        raise UserError("expected the moon")


def make(robot, options):
    check(options)
    return f"{robot.spec.name} on the {options.terrain}"
"""

ENTRY_POINTS = """
[ros_mbmrl.robots]
mine = elsewhere.robot:Mine
hexapod = elsewhere.robot:Mine

[ros_mbmrl.plants]
mine.twin = elsewhere.plant
mine.wire = elsewhere.missing
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """What an installed package leaves on the path."""
    package, facts = tmp_path / "elsewhere", tmp_path / "elsewhere-1.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    (package / "robot.py").write_text(ROBOT)
    (package / "plant.py").write_text(PLANT)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (facts / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def python(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = os.pathsep.join([str(path), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(path: Path, code: str) -> str:
    done = python(path, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_robot_from_elsewhere_is_found(elsewhere: Path) -> None:
    code = """
from ros_mbmrl.robots import make_robot
robot = make_robot("mine")
print(type(robot).__name__, robot.spec.name)
"""
    assert told(elsewhere, code) == "Mine mine"


def test_a_built_in_name_is_not_taken_over(elsewhere: Path) -> None:
    refused = python(elsewhere, "-m", "ros_mbmrl.cli", "launch", "twin", "robot:=hexapod")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "mbmrl launch: robot 'hexapod' is claimed by ros_mbmrl and by elsewhere 1 "
        "(elsewhere.robot:Mine): expected one of them"
    ]


def test_its_plants_are_found_and_asked(elsewhere: Path) -> None:
    code = """
from ros_mbmrl.plants import make_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot
print(sorted(plants_of("mine")))
print(make_plant(make_robot("mine"), "twin", PlantOptions(terrain="moon")))
"""
    assert told(elsewhere, code).splitlines() == ["['twin', 'wire']", "mine on the moon"]


def test_naming_imports_nothing_of_it(elsewhere: Path) -> None:
    code = """
import sys
import ros_mbmrl.bringup, ros_mbmrl.plants, ros_mbmrl.robots
print("mine" in ros_mbmrl.robots.ROBOTS, "elsewhere" in sys.modules)
"""
    assert told(elsewhere, code) == "True False"


def test_the_launch_knows_it_and_asks_its_plant_beforehand(elsewhere: Path) -> None:
    launch = ("-m", "ros_mbmrl.cli", "launch", "twin")
    shown = python(elsewhere, *launch, "--show-args").stdout
    assert "hexapod|hopper|humanoid|mine|pr2_arm" in shown
    refused = python(elsewhere, *launch, "robot:=mine", "terrain:=mars")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == ["mbmrl launch: expected the moon"]


def test_without_it_the_name_is_unknown(tmp_path: Path) -> None:
    refused = python(tmp_path, "-m", "ros_mbmrl.cli", "launch", "twin", "robot:=mine")
    assert refused.returncode == 2
    assert "expected one of ant" in refused.stderr


THINGS = """
from ros_mbmrl.methods.method import Method

NUMBER = 3
OTHER = Method("another")
GRBAL = Method("grbal", rule="things:number")
TWICE = Method("twice", rule="things:number")
RULELESS = Method("ruleless")
HOLLOW = Method("hollow", rule="things:number", grid="things:NUMBER")
UNGRADED = Method("ungraded", rule="ros_mbmrl.adaptation.prior:Prior", grid="things:NUMBER")


def number(*_, **__):
    return NUMBER
"""
POINTS = """
[ros_mbmrl.robots]
lost = nowhere:Robot
wrong = things:number

[ros_mbmrl.plants]
half_cheetah.wrong = things:NUMBER

[ros_mbmrl.planners]
lost = nowhere:make
wrong = things:NUMBER
planless = things:number
cem = things:number

[ros_mbmrl.methods]
lost = nowhere:METHOD
absent = things:METHOD
crashing = crashing:METHOD
wrong = things:NUMBER
unlike = things:OTHER
grbal = things:GRBAL
twice = things:TWICE
ruleless = things:RULELESS
hollow = things:HOLLOW
ungraded = things:UNGRADED
"""
AGAIN = """
[ros_mbmrl.methods]
twice = things:NUMBER
"""
# Which names are refused for which words, and what is bad about them.
BAD_METHODS = {
    "lost": "entry point 'nowhere:METHOD': No module named 'nowhere'",
    "absent": "entry point 'things:METHOD': module 'things' has no attribute 'METHOD'",
    "crashing": "entry point 'crashing:METHOD': RuntimeError: two lines",
    "wrong": "entry point 'things:NUMBER': expected a ros_mbmrl.methods.method.Method, got a int",
    "unlike": "'things:OTHER': expected a method called 'unlike', as the entry point is",
    "grbal": "method 'grbal' is claimed by ros_mbmrl and by things 1 (things:GRBAL)",
    "twice": "method 'twice' is claimed by ",
    "ruleless": "method 'ruleless' has no update rule: expected one that adapts a model",
    "hollow": "entry point 'things:number': expected an update rule, got a int",
}
BAD_PLANNERS = {
    "lost": "entry point 'nowhere:make': No module named 'nowhere'",
    "wrong": "entry point 'things:NUMBER': expected a function that makes a planner, got a int",
    "planless": "entry point 'things:number': expected a planner with plan(), got a int",
    "cem": "planner 'cem' is claimed by ros_mbmrl and by things 1 (things:number)",
}
CALLS = """
import contextlib, io, json, sys
from ros_mbmrl import cli

told = []
for words in json.loads(sys.argv[1]):
    error = io.StringIO()
    status = 0
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        try:
            cli.main(words)
        except SystemExit as end:
            status = end.code
    told.append([status, error.getvalue()])
print(json.dumps(told))
"""


@pytest.fixture
def bad(install: Install) -> Path:
    install("things", POINTS, {"things.py": THINGS})
    crash = "raise RuntimeError('two\\nlines')\n"
    return install("things_again", AGAIN, {"crashing.py": crash})


def calls(path: Path, commands: list[list[str]]) -> list[Any]:
    """Status and standard error of each command, one after the other in one process."""
    done: list[Any] = json.loads(told_by(path, CALLS, json.dumps(commands)))
    return done


def told_by(path: Path, code: str, *arguments: str) -> str:
    done = python(path, "-c", code, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_is_not_as_expected_is_refused_in_one_line_and_nothing_is_written(
    bad: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    evaluate = ["evaluate", "--out", str(out)]
    commands, expected = list[list[str]](), list[str]()
    for name, words in BAD_METHODS.items():
        commands += [
            ["train", name, "hexapod", "--data", str(tmp_path / "none"), "--out", str(out)],
            ["launch", "adapt", f"method:={name}"],
        ]
        expected += [words, words]
    for name in ("lost", "grbal", "hollow", "ungraded"):
        commands.append([*evaluate, "cheetah-disabled", "--scale", "smoke", "--methods", name])
    expected += [BAD_METHODS[name] for name in ("lost", "grbal", "hollow")]
    expected.append("entry point 'things:NUMBER': expected a ros_mbmrl.learning.tune.Grid")
    for name, words in BAD_PLANNERS.items():
        commands.append([*evaluate, "hexapod-ood-quiet", "--methods", "mb", "--controller", name])
        expected.append(words)
    for name in ("lost", "wrong", "cem"):
        commands.append(["launch", "adapt", "method:=mb", f"controller:={name}"])
        expected.append(BAD_PLANNERS[name])
    commands += [
        ["launch", "twin", "robot:=lost"],
        ["launch", "twin", "robot:=wrong"],
        ["launch", "twin", "robot:=half_cheetah", "plant:=wrong"],
    ]
    expected += [
        "entry point 'nowhere:Robot': No module named 'nowhere'",
        "entry point 'things:number': expected a class of robots, got a function",
        "entry point 'things:NUMBER': expected a plant with make() and check(), got a int",
    ]
    for command, words, (status, error) in zip(
        commands, expected, calls(bad, commands), strict=True
    ):
        assert status == 2, (command, error)
        assert error.count("\n") == 1, (command, error)
        assert words in error, command
    assert not out.exists()


def test_what_is_not_used_does_no_harm(bad: Path, tmp_path: Path) -> None:
    words = ["launch", "adapt", "method:=mb_de", "robot:=hexapod", "controller:=lots"]
    ((status, error),) = calls(bad, [words])
    assert status == 2
    assert (
        "unknown controller 'lots': expected one of cem, icem, lost, mppi, planless, policy"
        in error
    )


def test_entries_say_who_claims_a_name() -> None:
    assert entries("no such group") == {}


def test_the_path_is_searched_once_and_again_when_it_is_another(
    install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[int] = []

    def searched() -> Any:
        searches.append(1)
        return entry_points()

    monkeypatch.setattr(plugins, "entry_points", searched)
    site = install("pack", "[ros_mbmrl.things]\none = pack:one\n", {})
    monkeypatch.syspath_prepend(str(site))
    (found,) = entries("things")["one"]
    assert str(found) == "pack 1 (pack:one)"
    assert not entries("others")
    assert len(searches) == 1
    monkeypatch.syspath_prepend(str(site / "elsewhere"))
    assert "one" in entries("things")
    assert len(searches) == 2


def test_a_registry_without_others_is_a_mapping() -> None:
    registry = Registry("thing", "no such group", {"a": 1, "b": 2}, lambda entry: 0)
    assert (list(registry), len(registry), registry["b"]) == (["a", "b"], 2, 2)
    assert "a" in registry and "c" not in registry
    assert registry.get("c") is None and registry.entry("c") is None
    registry["c"] = 3
    assert registry["c"] == 3
    del registry["c"]
    assert "c" not in registry


def test_an_entry_says_whose_it_is() -> None:
    assert str(Entry("a", "b:C", "pack", "2.0")) == "pack 2.0 (b:C)"


def test_what_is_imported_is_a_module_or_an_object() -> None:
    assert imported("json") is json
    assert imported("json:dumps") is json.dumps
    with pytest.raises(UserError, match="entry point 'json:lost': module 'json' has no"):
        imported("json:lost")
    with pytest.raises(UserError, match="entry point 'json': expected a robot, got a module"):
        expected("json", "a robot", False, json)
