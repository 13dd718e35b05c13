"""The bank of hypotheses, and how causes act on a network's inputs: by hand."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
import torch

from ros_mbmrl.adaptation.bank import NEVER_TOLD, Acting, Bank, doubting_actuators
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

# One feature, two commands.
NORMALIZER = Normalizer(
    torch.tensor([0.0, 0.3, -0.2]), torch.tensor([1.0, 0.5, 2.0]), torch.zeros(2), torch.ones(2)
)


def test_each_actuator_is_weak_or_dead(robot: Robot) -> None:
    bank = Bank.of(robot.spec)
    assert bank.names == ("all well", "drive weak", "drive dead", "turn weak", "turn dead")
    assert bank.effectiveness.tolist() == [[1, 1], [0.5, 1], [0, 1], [1, 0.5], [1, 0]]


def test_actuators_that_fail_together_are_one_hypothesis(robot: Robot) -> None:
    bank = Bank.of(replace(robot.spec, fail_together={"base": ("turn", "drive")}))
    assert bank.names == ("all well", "base weak", "base dead")
    assert bank.effectiveness.tolist() == [[1, 1], [0.5, 0.5], [0, 0]]


def test_a_leg_of_the_ant_is_its_two_motors() -> None:
    spec = make_robot("ant").spec
    bank = Bank.of(spec)
    dead = bank.effectiveness[bank.names.index("leg_3 dead")]
    motors = [limit.name for limit, share in zip(spec.action, dead, strict=True) if share == 0]
    assert motors == ["hip_3", "ankle_3"] and len(bank.names) == 1 + 2 * 4


@pytest.mark.parametrize("hypothesis", range(5))
def test_the_inputs_are_those_of_the_commands_that_act(robot: Robot, hypothesis: int) -> None:
    bank = Bank.of(robot.spec)
    stored = CAUSES.part(bank.parameters(NORMALIZER))
    actions = torch.rand(6, 2)
    x = NORMALIZER.inputs(torch.zeros(6, 1), actions)
    acted = NORMALIZER.inputs(torch.zeros(6, 1), actions * bank.effectiveness[hypothesis])
    update = Acting.stored(stored)(bank.values[hypothesis], 3)
    torch.testing.assert_close(update.scale * x + update.shift, acted)


def test_other_causes_are_at_each_of_their_levels(robot: Robot) -> None:
    push, load = Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0)), Cause("leg", "1", 0, 1, 1, (0,))
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(push, load))
    assert len(Bank.of(robot.spec).names) == 5  # the model has no inputs for them
    bank = Bank.of(ConditionedRobot(robot).spec)
    assert bank.names[5:] == ("push -1 N", "push 1 N", "leg 0")
    assert bank.values[[0, 4, 5, 7]].tolist() == [
        [0, 1, 1, 1],
        [0, 1, 1, 0],
        [-1, 1, 1, 1],
        [0, 0, 1, 1],
    ]
    assert bank.effectiveness.shape == (8, 2) and (bank.effectiveness[5:] == 1).all()
    assert bank.low.tolist() == [-2, 0, 0, 0] and bank.high[:2].tolist() == [2, 1]


def test_the_inputs_are_those_of_the_causes() -> None:
    # A cause of its own, one command: (2 - .5) / 4 above the default's input.
    normalizer = Normalizer(
        torch.tensor([1.0, 0.0]), torch.tensor([4.0, 1.0]), *[torch.ones(1)] * 2
    )
    own = Acting.of(normalizer, torch.tensor([0.5, 1.0]), 1)
    update = own(torch.tensor([2.0, 1.0]), 2)
    assert update.scale.tolist() == [1, 1] and update.shift.tolist() == [0.375, 0]
    causes = torch.tensor([[2.0, 0.3], [-1.0, 0.0]])
    torch.testing.assert_close(own.values(own(causes, 5)), causes)  # and back


def test_faults_of_actuators_that_were_never_told_are_improbable(robot: Robot) -> None:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0)),))
    bank = Bank.of(ConditionedRobot(robot).spec)
    two = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
    own = {f"member.{k}.{n}": v for k in (0, 1) for n, v in bank.parameters(two).items()}
    found = doubting_actuators(own)
    assert found.keys() - own.keys() == {"member.0.causes.odds", "member.1.causes.odds"}
    odds = dict(zip(bank.names, found["member.1.causes.odds"].tolist(), strict=True))
    assert {name for name, each in odds.items() if each == 1} == {"all well", *bank.names[5:]}
    assert odds["turn weak"] == odds["drive dead"] == pytest.approx(NEVER_TOLD)
