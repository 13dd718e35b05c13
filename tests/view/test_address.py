"""Where a view listens, and the lines that people read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.topics import TOPICS
from ros_mbmrl.view import address
from ros_mbmrl.view.address import Address, check_installed, greeting, layout
from ros_mbmrl.view.diagnostics import FIGURES
from ros_mbmrl.view.things import SCENES


def test_this_machine_alone_unless_asked() -> None:
    assert Address().url == "ws://127.0.0.1:8765"
    assert Address("::1", 1).url == "ws://[::1]:1"


@pytest.mark.parametrize(("host", "port"), [("", 1), ("x", -1), ("x", 65536)])
def test_bad_addresses(host: str, port: int) -> None:
    with pytest.raises(UserError, match=r"of the view: expected"):
        Address(host, port)


def test_a_refusal_says_what_to_do() -> None:
    taken = Address().refused("FoxgloveError: Failed to bind port: Address already in use (98)")
    assert taken.startswith("view: 127.0.0.1:8765 is taken") and "view_port" in taken
    other = Address("moon").refused("FoxgloveError: Failed to bind port: no such name")
    assert other == "view: cannot listen at moon:8765 (no such name): expected another host"


def test_without_the_package_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"foxglove-sdk is not installed: pip install .*\[view\]"):
        check_installed()


def test_a_layout_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "find", lambda name: None)
    with pytest.raises(UserError, match="view: no config/foxglove_layout.json"):
        layout()


def test_the_greeting_says_where_and_how() -> None:
    said = greeting(Address(), "https://app/x")
    assert "\n" not in said
    for what in (
        "view.html#ws://127.0.0.1:8765",
        "file:///",
        "https://app/x",
        "Import from file",
        str(layout()),
    ):
        assert what in said


def _leaves(layout: Any) -> list[str]:
    if isinstance(layout, str):
        return [layout]
    return _leaves(layout["first"]) + _leaves(layout["second"])


def test_the_layout_shows_what_there_is() -> None:
    """Each panel is placed once; each path is of a figure that is announced with its kind."""
    found = json.loads(Path(layout()).read_text())
    panels = found["configById"]
    assert sorted(_leaves(found["layout"])) == sorted(panels)
    paths = [path["value"] for each in panels.values() for path in each.get("paths", ())]
    assert len(paths) > 10
    for path in paths:
        topic, _, field = path.partition(".")
        assert field in FIGURES[topic], path
    (scene,) = (each for name, each in panels.items() if name.startswith("3D!"))
    assert set(scene["topics"]) == set(SCENES)
    assert not {topic.name for topic in TOPICS} & set(scene["topics"])
