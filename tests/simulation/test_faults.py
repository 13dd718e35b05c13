import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.hexapod_causes import LEGS
from ros_mbmrl.simulation.faults import FAULTS, NO_FAULT, Effect, Fault, combine


def test_name_at_seconds() -> None:
    assert Fault.parse("leg_left_middle@20") == Fault("leg_left_middle", 20.0)
    assert Fault.parse("none") == NO_FAULT


@given(st.sampled_from(sorted(FAULTS)), st.floats(0, 1e6))
def test_every_fault_parses_back(name: str, seconds: float) -> None:
    assert Fault.parse(f"{name}@{seconds!r}") == Fault(name, seconds)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("leg_left@20", "unknown fault 'leg_left'"),
        ("", "unknown fault ''"),
        ("payload", "expected NAME@SECONDS"),
        ("payload@", "expected NAME@SECONDS"),
        ("payload@soon", "expected NAME@SECONDS"),
        ("payload@-1", "expected seconds of 0 or more, got -1"),
        ("payload@nan", "expected seconds of 0 or more"),
        ("payload@inf", "expected seconds of 0 or more"),
    ],
)
def test_bad_input_is_one_line(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        Fault.parse(text)
    assert "\n" not in str(caught.value)


def test_every_leg_can_be_lost() -> None:
    assert len(LEGS) == 6
    assert all(FAULTS[leg].missing_legs == {leg} for leg in LEGS)


def test_effects_add_up() -> None:
    both = combine([FAULTS["weak_left"], FAULTS["slope"], FAULTS["leg_left_back"]])
    assert both.left_motor == FAULTS["weak_left"].left_motor
    assert both.slope == pytest.approx(math.radians(15))
    assert both.missing_legs == {"leg_left_back"}
    assert combine([]) == Effect()


def test_two_losses_leave_the_product() -> None:
    half = Effect(packet_loss=0.5)
    assert combine([half, half]).packet_loss == pytest.approx(0.75)
