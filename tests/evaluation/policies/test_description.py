"""What is trained follows from figures and scale, and a description is plain data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.policies.description import (
    Entry,
    Figure,
    Kind,
    PolicyStudy,
    Scale,
    describe,
)

SCALE = Scale(
    train_seeds=2,
    tests=3,
    points={Kind.META: (10, 20), Kind.FREE: (10,)},
    batch={Kind.FREE: 10},
    settings={},
    environments=("b", "a"),
    entries=("one", "two", "trpo"),
)
ENTRIES = (
    Entry("one", "promp", Kind.META),
    Entry("two", "promp", Kind.META, {"clip": 0.1}),
    Entry("trpo", "trpo", Kind.FREE),
    Entry("absent", "no_such_method", Kind.META),
)
FIGURES = (
    Figure("1", "both", ("one", "two"), ("a", "b")),
    Figure("2", "again", ("two", "trpo"), ("b", "c")),
)
STUDY = PolicyStudy("s", "S", ENTRIES, FIGURES, {"small": SCALE})


def test_every_pair_of_the_figures_is_trained_once_in_the_order_of_the_scale() -> None:
    pairs = [(place, entry.name) for place, entry in STUDY.pairs(SCALE, SCALE.entries)]
    assert pairs == [("b", "one"), ("b", "two"), ("b", "trpo"), ("a", "one"), ("a", "two")]
    named = [(place, entry.name) for place, entry in STUDY.pairs(SCALE, ("trpo",))]
    assert named == [("b", "trpo")]


def test_a_figure_has_only_what_takes_part() -> None:
    first, second = STUDY.drawn(SCALE, ("two",))
    assert (first.entries, first.environments) == (("two",), ("a", "b"))
    assert (second.entries, second.environments) == (("two",), ("b",))
    assert second.file == "figure_2.png"


def test_an_entry_is_there_if_its_method_is_installed() -> None:
    assert [entry.there for entry in ENTRIES] == [True, True, True, False]
    assert ENTRIES[0].look.name == "ProMP"


def test_a_description_is_data_that_json_gives_back() -> None:
    described = describe(STUDY, SCALE, ("two",))
    assert json.loads(json.dumps(described)) == described
    assert described["methods"] == {"two": {"method": "promp", "settings": {"clip": 0.1}}}
    assert described["scale"]["points"] == {"meta-learned": [10, 20], "model-free": [10]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tests": 0}, "tests: expected at least 1, got 0"),
        ({"first_test": -1}, "first_test: expected at least 0"),
        ({"points": {Kind.META: (20, 10)}}, "points meta-learned: expected rising counts"),
        ({"points": {Kind.META: ()}}, "expected rising counts"),
    ],
)
def test_a_wrong_scale_says_what_was_expected(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SCALE, **changes)  # type: ignore[arg-type]


def test_a_study_names_only_its_own_entries() -> None:
    with pytest.raises(ValueError, match="expected one of its entries, got three"):
        replace(STUDY, versus=("three",))
    without = replace(SCALE, points={Kind.META: (10,)})
    with pytest.raises(ValueError, match="expected points for model-free"):
        replace(STUDY, scales={"small": without})
    with pytest.raises(UserError, match="unknown scale 'huge'"):
        STUDY.at("huge")
    with pytest.raises(UserError, match="unknown method 'three'"):
        STUDY.entry("three")
