"""A folder keeps to one description, and a job's key to what decides it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.runtime import kept
from ros_mbmrl.runtime.kept import FILE, first_difference, keep, key_of, plain


@dataclass(frozen=True)
class Scale:
    episodes: int = 10
    seeds: tuple[int, ...] = (1, 2)


def test_the_same_description_is_kept_and_another_refused(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "on the way"
    for _ in range(2):
        keep(folder, {"scale": Scale()})
    assert json.loads((folder / FILE).read_text()) == {"scale": {"episodes": 10, "seeds": [1, 2]}}
    with pytest.raises(UserError, match=r"holds another curve: scale\.episodes was 10, now 11;"):
        keep(folder, {"scale": Scale(episodes=11)}, kind="curve")


@pytest.mark.parametrize(
    ("text", "words"), [("[]", "expected the description of a study"), ("{", "description.json: ")]
)
def test_a_file_of_something_else_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        keep(tmp_path, {})
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="description.json: "):
        keep(tmp_path / "file", {})


def test_differences_are_looked_for_in_the_order_of_names() -> None:
    known, wanted = {"b": {"x": 1, "y": [1]}, "a": 1}, {"b": {"x": 1, "y": [2]}, "a": 1}
    assert first_difference(known, known) == ""
    assert first_difference(known, wanted) == "b.y was [1], now [2]"
    assert first_difference(known, {**wanted, "a": 2}) == "a was 1, now 2"
    assert first_difference({}, {"c": 1}) == "c is only in the command"
    assert first_difference({"c": 1}, {}) == "c is only in the folder"


def test_a_key_is_of_facts_and_version_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of("a", {"x": 1, "y": 2}, Scale())
    assert len(key) == 32
    assert key == key_of("a", {"y": 2, "x": 1}, Scale())
    assert key != key_of("a", {"y": 2, "x": 1}, Scale(seeds=(1,)))
    monkeypatch.setattr(kept, "__version__", "another")
    assert key != key_of("a", {"x": 1, "y": 2}, Scale())


def test_plain_is_what_json_gives_back() -> None:
    value = {1: Scale(), "two": ("x", [None, 2.5])}
    assert json.loads(json.dumps(plain(value))) == plain(value)
