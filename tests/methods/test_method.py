"""What follows from a method's entry."""

from __future__ import annotations

import pytest

from ros_mbmrl.methods.method import Learned, Method, Role


def test_by_default_it_is_a_contender_with_a_model_of_its_own() -> None:
    method = Method("mine")
    assert (method.trained_as, method.predicts, method.judged) == ("mine", True, True)


def test_it_may_run_on_the_model_of_another() -> None:
    assert Method("mine", model_of="mb").trained_as == "mb"


@pytest.mark.parametrize("role", Role)
def test_only_contenders_and_the_baseline_are_judged(role: Role) -> None:
    assert Method("mine", role=role).judged == (role in (Role.CONTENDER, Role.BASELINE))


@pytest.mark.parametrize("learned", Learned)
def test_only_one_model_for_all_conditions_can_be_compared(learned: Learned) -> None:
    assert Method("mine", learned=learned).predicts == (learned is Learned.MODEL)
