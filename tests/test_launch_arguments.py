"""Launch arguments: none is taken and then ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.launch_arguments import ARGUMENTS, as_words, parse

OTHER = {"noise": "0.5", "viewer": "true", "terrain": "turf", "fault": "x@1", "port": "/dev/x"}


@pytest.mark.parametrize("graph", ARGUMENTS)
def test_what_is_for_a_twin_or_for_a_robot_alone_is_refused_for_the_other(graph: str) -> None:
    for argument in ARGUMENTS[graph]:
        word = f"{argument.name}:={OTHER.get(argument.name, '/other')}"
        if argument.simulated is not None:
            with pytest.raises(UserError, match=f"{argument.name}: is for a .*, and would be igno"):
                parse(graph, [word, f"plant:={'serial' if argument.simulated else 'twin'}"])
            parse(graph, [word, f"plant:={'twin' if argument.simulated else 'serial'}"])


@pytest.mark.parametrize("graph", ARGUMENTS)
def test_defaults_that_are_given_are_no_wish(graph: str) -> None:
    """`ros2 launch` hands over every argument."""
    words = [f"{argument.name}:={argument.default}" for argument in ARGUMENTS[graph]]
    for plant in ("twin", "serial", "rosbridge"):
        assert parse(graph, [*words, f"plant:={plant}"])["plant"] == plant


def test_a_recording_that_is_not_recorded_is_refused() -> None:
    with pytest.raises(UserError, match="recording: would be ignored with record:=false"):
        parse("twin", ["record:=false", "recording:=x.mcap"])


@pytest.mark.parametrize("word", ["view_port:=9000", "view_host:=0.0.0.0"])
def test_a_place_for_a_view_that_is_not_there_is_refused(word: str) -> None:
    name = word.partition(":=")[0]
    with pytest.raises(UserError, match=f"{name}: would be ignored with view:=none"):
        parse("twin", [word])
    assert parse("twin", [word, "view:=foxglove"])["view"] == "foxglove"


def test_a_model_under_a_policy_is_not_adapted_unless_that_is_asked() -> None:
    def method(*words: str) -> str:
        return parse("adapt", ["robot:=half_cheetah", *words])["method"]

    assert method() == "causes"
    assert method("controller:=policy") == "mb"
    assert method("controller:=policy", "method:=residual") == "residual"


OWN = ["help", "json", "show_args"]


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("--tags a b", "tags:=a,b"),
        ("--tags=a --source random", "tags:=a source:=random"),
        ("--episode-seconds 5 seed:=3", "episode_seconds:=5 seed:=3"),
        ("--viewer --no-record robot:=ant", "viewer:=true record:=false robot:=ant"),
        ("--viewer false", "viewer:=false"),
        ("--delay -1", "delay:=-1"),
        ("--json f.json --no-show-args -h", "--json f.json --no-show-args -h"),
        ("seed:=3", "seed:=3"),
    ],
)
def test_options_are_words(words: str, written: str) -> None:
    assert as_words("collect", words.split(), OWN) == written.split()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--tag a", "unknown argument 'tag': .*did you mean 'tags'?"),
        ("--tags --viewer", "--tags: expected a value"),
        ("--no-tags", "unknown argument 'no_tags'"),
    ],
)
def test_options_that_no_graph_has_are_refused(words: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        as_words("collect", words.split(), OWN)


def test_settings_of_the_planner_are_for_a_graph_with_one() -> None:
    assert parse("adapt", ["planner.horizon:=5"])["planner.horizon"] == "5"
    assert as_words("adapt", ["--planner.horizon", "5"], OWN) == ["planner.horizon:=5"]
    with pytest.raises(UserError, match=r"unknown argument 'planner\.horizon'"):
        parse("twin", ["planner.horizon:=5"])


def test_a_shipped_model_goes_by_name() -> None:
    assert Path(parse("adapt", ["model:=hexapod/grbal"])["model"]).is_absolute()
    assert parse("adapt", ["model:=hexapod/none"])["model"] == "hexapod/none"
