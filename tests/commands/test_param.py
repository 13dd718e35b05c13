"""`mbmrl param`: what a person types, what is shown, and refusals in one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from ros_mbmrl import cli
from ros_mbmrl.commands.param import Value, value_of
from ros_mbmrl.errors import UserError

ROWS = {
    "speed": {"value": 0.25, "range": "0.01 to 3", "description": "[m/s]", "read_only": False},
    "seed": {
        "value": 0,
        "range": "",
        "description": "read when the node starts",
        "read_only": True,
    },
    "limits.x": {"value": [0.0, 1.0], "range": "", "description": "", "read_only": False},
}


class Client:
    """A node that takes every value but words."""

    def __init__(self, node: str) -> None:
        assert node == "/hexapod/controller"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def names(self) -> list[str]:
        return sorted(ROWS)

    def rows(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"name": name, **ROWS[name], **self.__dict__.get(name, {})} for name in names]

    def set(self, name: str, value: Any) -> None:
        if isinstance(value, str):
            raise UserError("/hexapod/controller refuses: Wrong parameter type")
        self.__dict__[name] = {"value": value}


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ros_mbmrl.nodes.parameter_client.ParameterClient", Client)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3", 0.3),
        ("1e-3", 1e-3),
        ("64", 64),
        ("true", True),
        ("false", False),
        ("[0, 10]", [0.0, 10.0]),
        ("[-1.5,2]", [-1.5, 2.0]),
        ("[a, b]", "[a, b]"),
        ("straight", "straight"),
    ],
)
def test_what_is_typed_is_the_value_that_it_looks_like(text: str, value: Value) -> None:
    assert value_of(text) == value and type(value_of(text)) is type(value)


def test_those_that_may_be_set_are_listed(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "rows.json"
    words = ["param", "list", "/hexapod/controller"]
    cli.main([*words, "--json", str(file)])
    shown = json.loads(file.read_text())["results"]["parameters"]
    assert [row["name"] for row in shown] == ["limits.x", "speed"]
    assert "0.01 to 3" in capsys.readouterr().out
    cli.main([*words, "s", "--all", "--json", str(file)])
    shown = json.loads(file.read_text())["results"]["parameters"]
    assert [row["name"] for row in shown] == ["seed", "speed"]
    cli.main([*words, "nothing"])
    assert "nothing of this node may be set" in capsys.readouterr().out


def test_one_is_set_and_read_back(capsys: Any) -> None:
    cli.main(["param", "set", "/hexapod/controller", "speed", "0.3"])
    assert capsys.readouterr().out == "speed = 0.3\n"
    cli.main(["param", "set", "/hexapod/controller", "limits.x", "[0, 0.5]"])
    assert capsys.readouterr().out == "limits.x = [0.0, 0.5]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "/hexapod/controller", "speed"), "set: expected NODE NAME VALUE"),
        (("set", "/hexapod/controller", "speed", "fast"), "refuses: Wrong parameter type"),
        (("list", "/hexapod/controller", "s", "1"), "list: unexpected '1'"),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["param", *words])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and said in error
