"""`mbmrl param`: its words as arguments."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ros_mbmrl.arguments.param import Param

NODE = "/hexapod/controller"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (("list", NODE), Param("list", NODE)),
        (("list", NODE, "planner", "--all"), Param("list", NODE, "planner", all=True)),
        (("set", NODE, "speed", "0.3"), Param("set", NODE, "speed", "0.3")),
        (("set", NODE, "name:=speed", "value:=-1"), Param("set", NODE, "speed", "-1")),
        (("set", NODE, "arena", "[0, 10]"), Param("set", NODE, "arena", "[0, 10]")),
    ],
)
def test_words_are_arguments(
    parsed: Callable[..., Param], words: tuple[str, ...], arguments: Param
) -> None:
    assert parsed("param", *words) == arguments


def test_a_node_is_asked_for(refused: Callable[..., str]) -> None:
    assert "NODE" in refused("param", "list")
    assert "invalid choice 'get'" in refused("param", "get", NODE)
