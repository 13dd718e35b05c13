"""`name:=value` where a command has options."""

from __future__ import annotations

import shlex

import pytest

from ros_mbmrl.arguments.spelling import as_options
from ros_mbmrl.cli import COMMANDS
from ros_mbmrl.errors import UserError


@pytest.mark.parametrize(
    ("command", "words", "options"),
    [
        ("collect", "hexapod tags:=a,b", "hexapod --tags a b"),
        ("collect", "tags:=a,b hexapod", "hexapod --tags a b"),
        ("collect", "robot:=hexapod --noise 0.1", "hexapod --noise 0.1"),
        ("collect", "hexapod viewer:=true", "hexapod --viewer"),
        ("collect", "hexapod viewer:=false", "hexapod --no-viewer"),
        ("collect", "hexapod episode_seconds:=-1", "hexapod --episode-seconds=-1"),
        ("collect", "hexapod episode-seconds:=5", "hexapod --episode-seconds=5"),
        ("collect", "hexapod tags:=", "hexapod --tags"),
        ("train", "robot:=ant mb data:=a,b", "mb ant --data a b"),
        ("train", "mb ant set:=batch=8,rows=9", "mb ant --set=batch=8 --set=rows=9"),
        ("score", "models:=a,b --data d", "a b --data d"),
        ("bench", "threads:=2 graph", "graph --threads=2"),
        ("bench", "graph --launch seed:=3 method:=mb", "graph --launch seed:=3 method:=mb"),
        ("data", "ls --out a=b", "ls --out a=b"),
    ],
)
def test_words_are_options(command: str, words: str, options: str) -> None:
    assert as_options(shlex.split(words), COMMANDS[command]) == shlex.split(options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hexapod tag:=a", "unknown argument 'tag': expected one of .*; did you mean 'tags'?"),
        ("hexapod viewer:=maybe", "viewer: expected true or false, got 'maybe'"),
    ],
)
def test_what_is_no_option_is_refused(words: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        as_options(words.split(), COMMANDS["collect"])
