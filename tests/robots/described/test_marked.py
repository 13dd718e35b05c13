"""Values of a YAML file and their lines."""

from __future__ import annotations

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.marked import Marked

TEXT = """\
a: 1
b:
  c: [1.5, two]
  d: 1e-3
e: true
"""


def test_values_know_their_lines_and_keys() -> None:
    whole = Marked.parse(TEXT, "f.yaml")
    inner = whole.items()["b"].items()
    assert [each.value for each in inner["c"].several()] == [1.5, "two"]
    assert inner["d"].number() == 1e-3
    assert whole.items()["e"].flag() is True
    with pytest.raises(UserError, match=r"^f.yaml:3: b.c\[1\]: expected a finite number, got two$"):
        inner["c"].several()[1].number()


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda m: m.among(("a", "b")), "f.yaml:5: e: unknown key: expected one of a, b"),
        (lambda m: m.among(("a", "bc", "b", "e", "x"), ("x",)), "f.yaml:1: expected 'x'"),
        (lambda m: m.items()["a"].text(), "f.yaml:1: a: expected a text, got 1"),
        (lambda m: m.items()["a"].number(low=2.0), "a: expected a number of 2 or more, got 1"),
        (lambda m: m.items()["a"].number(2.0, 3.0), "a: expected a number from 2 to 3, got 1"),
        (lambda m: m.items()["e"].number(), "f.yaml:5: e: expected a finite number, got True"),
        (lambda m: m.items()["a"].flag(), "a: expected true or false, got 1"),
        (lambda m: m.items()["a"].choice(("x", "y")), "a: expected one of x, y, got 1"),
        (lambda m: m.items()["b"].text(), "f.yaml:2: b: expected a text, got a mapping"),
        (lambda m: m.items()["a"].items(), "a: expected a mapping, got 1"),
        (lambda m: m.items()["a"].several(), "a: expected a list, got 1"),
        (lambda m: m.items()["b"].items()["c"].span(), r"c\[1\]: expected a finite number"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(Marked.parse(TEXT, "f.yaml"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: expected a mapping, got an empty file"),
        ("a: 1\na: 2", "f.yaml:2: a: stands twice: expected it once"),
        ("a: &x [1]\nb: *x", "f.yaml: not plain YAML"),
        ("a: [1", "f.yaml: not plain YAML"),
        ("a: !!python/object:os.system x", "f.yaml: not plain YAML"),
    ],
)
def test_files_that_are_no_plain_data_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Marked.parse(text, "f.yaml").items()


def test_a_near_key_is_proposed() -> None:
    with pytest.raises(UserError, match="did you mean 'period'"):
        Marked.parse("periodd: 1", "f").among(("name", "period"))
