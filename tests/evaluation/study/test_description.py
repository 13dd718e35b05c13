"""A study's description: what it takes, and that a folder keeps to one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.description import Hypothesis, describe
from ros_mbmrl.evaluation.study.studies import SCALES, STUDIES, make_study
from ros_mbmrl.runtime.kept import first_difference, keep, key_of
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.distributions import ROBOTS, TEST

STUDY = make_study("cheetah-disabled")


def test_every_study_is_of_situations_that_there_are() -> None:
    for name, study in STUDIES.items():
        if study.environment:
            assert study.robot == BENCHMARKS[study.environment].robot
        else:
            assert study.robot == ROBOTS[name]
            assert set(study.conditions) == set(TEST[name])


def test_its_description_is_plain_data_that_json_gives_back() -> None:
    described = describe(STUDY, SCALES["small"], ("mb", "grbal"))
    assert json.loads(json.dumps(described)) == described
    assert described["methods"] == ["mb", "grbal"]
    assert described["scale"]["training"]["adapt_window"] == 16


def test_transitions_are_counted_over_all_rounds() -> None:
    training = replace(SCALES["smoke"].training, random_runs=6, rounds=2, runs=4, steps=30)
    assert [training.transitions(k) for k in range(3)] == [180, 300, 420]


def test_a_folder_keeps_to_its_description(tmp_path: Path) -> None:
    small = SCALES["small"]
    keep(tmp_path, describe(STUDY, small, ("mb",)))
    keep(tmp_path, describe(STUDY, small, ("mb",)))
    other = describe(STUDY, replace(small, episodes=11), ("mb",))
    with pytest.raises(UserError, match=r"another study: scale\.episodes was 10, now 11"):
        keep(tmp_path, other)


def test_the_first_difference_is_named() -> None:
    assert first_difference({"a": [1, 2]}, {"a": [1, 2]}) == ""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b was 1, now 2"
    assert first_difference({"a": 1, "b": 2}, {"a": 1}) == "b is only in the folder"
    assert first_difference({"a": 1}, {"a": 1, "b": 2}) == "b is only in the command"


def test_a_damaged_description_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "description.json").write_text("{")
    with pytest.raises(UserError, match=r"description\.json"):
        keep(tmp_path, {})


def test_keys_tell_jobs_apart() -> None:
    small = SCALES["small"]
    assert key_of("a", small, 1) == key_of("a", small, 1)
    assert key_of("a", small, 1) != key_of("a", replace(small, episodes=11), 1)


@pytest.mark.parametrize("scale", ["huge", ""])
def test_an_unknown_scale_is_refused(scale: str) -> None:
    with pytest.raises(UserError, match="expected one of ensemble, paper, small, smoke"):
        STUDY.at(scale)


def test_a_hypothesis_must_be_of_what_there_is() -> None:
    with pytest.raises(UserError, match="measure"):
        Hypothesis("mb", "grbal", measure="beauty")
    with pytest.raises(ValueError, match="neither condition nor method: nowhere"):
        replace(STUDY, hypotheses=(Hypothesis("mb", "grbal", ("nowhere",)),))
