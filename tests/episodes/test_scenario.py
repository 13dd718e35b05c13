"""Scenarios: nothing is wrong by default, and each field decides the outcome."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.campaign import Entrant, Job
from ros_mbmrl.evaluation.experiments import Cell
from ros_mbmrl.simulation.faults import WELL, Fault
from ros_mbmrl.simulation.randomisation import NOMINAL

OTHER: dict[str, Any] = {
    "path": "straight",
    "terrain": "turf",
    "fault": Fault("payload", 3.0),
    "physics": replace(NOMINAL, friction=0.5),
    "duration": 5.0,
    "seed": 1,
}


def test_by_default_all_is_well() -> None:
    scenario = Scenario()
    assert scenario.fault.effect == WELL and scenario.physics == NOMINAL
    assert scenario == Scenario()


@pytest.mark.parametrize("name", [each.name for each in fields(Scenario)])
def test_another_value_is_another_episode(name: str) -> None:
    other = replace(Scenario(), **{name: OTHER[name]})
    entrant = Entrant("mb", Path("mb"), "hexapod", "digest", None)
    keys = [Job(entrant, Cell("plain", each, 0.0)).key for each in (Scenario(), other, Scenario())]
    assert keys[0] == keys[2] != keys[1]


def test_a_fault_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"^unknown fault 'rain': expected one of .*payload"):
        Scenario(fault=Fault("rain"))
