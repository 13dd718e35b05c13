"""Which conditions can tell what: nothing is wrong (empty), something is, or it cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.safety import conditions as c
from ros_mbmrl.safety.history import History
from ros_mbmrl.safety.rules import RULES
from ros_mbmrl.safety.types import Health, SafetyConfig

ROBOT = Hexapod()
SPEC = ROBOT.spec
STATE = np.zeros(24)
STATE[[6, 8, 10, 15, 17]] = 1.0  # upright, nose along x
STATE[23] = 4.0
WELL = c.View(
    robot=ROBOT,
    config=SafetyConfig(),
    health=Health(),
    proposed=np.zeros(2),
    proposal_fault="",
    state=STATE,
    state_fault="",
    history=History(),
    started=True,
    last=np.zeros(2),
    step=SPEC.action_step,
)
# Without a state to trust these stay as they are: neither well nor wrong.
OF_THE_STATE = {"tip_over", "outside", "state_limits", "battery_empty", "battery_low", "fence"}
OF_THE_COMMAND = {"command_range", "command_rate"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("acting", [False, True])
def test_nothing_is_wrong_with_a_robot_that_is_well(rule: object, acting: bool) -> None:
    assert rule.condition(WELL, acting) == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("blind", "rules"),
    [
        (replace(WELL, state=None), OF_THE_STATE),
        (replace(WELL, proposed=None, proposal_fault="no command"), OF_THE_COMMAND),
    ],
)
def test_what_cannot_be_told_is_not_said_to_be_well(blind: c.View, rules: set[str]) -> None:
    untold = {rule.name for rule in RULES if rule.condition(blind, False) is None}
    assert untold == rules


@pytest.mark.parametrize("name", ["state_age", "command_age"])
def test_a_stamp_from_the_future_is_as_stale_as_an_old_one(name: str) -> None:
    condition = c.stale_state if name == "state_age" else c.stale_command
    for age, wrong in ((0.0, False), (0.1, False), (-0.1, False), (1.0, True), (-1.0, True)):
        view = replace(WELL, health=Health(**{name: age}))
        assert bool(condition(view, False)) is wrong


def test_hysteresis_ends_a_limit_further_in_than_it_begins() -> None:
    weak = STATE.copy()
    weak[23] = SPEC.envelope.battery_low + 0.05
    view = replace(WELL, state=weak)
    assert c.battery_low(view, False) == ""
    assert c.battery_low(view, True) == "3.55 V is below 3.6 V"
    worse = replace(WELL, health=Health(model_error=0.9 * SPEC.envelope.max_model_error))
    assert c.model_error(worse, False) == "" and "is above 20" in c.model_error(worse, True)


def test_before_the_start_the_reason_that_matters_most_is_told() -> None:
    waiting = replace(WELL, started=False)
    assert c.starting(waiting, False) == "0 of 3 good states in a row"
    assert c.starting(replace(waiting, state_fault="no state"), False) == "no state"
    fault = replace(waiting, health=Health(plant_fault="radio silent", peers="two of them"))
    assert c.starting(fault, False) == "radio silent"
    assert c.late_state(replace(waiting, health=Health(state_age=9.0)), False) == ""
