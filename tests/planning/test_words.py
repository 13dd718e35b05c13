"""`planner.NAME:=VALUE`: for the planner that runs, and refused before anything starts."""

from __future__ import annotations

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning.words import check_settings, own_parameters, planner_parameters


def test_words_are_for_the_planner_that_runs() -> None:
    words = {"robot": "hexapod", "planner.horizon": "5", "planner.icem.sigma": "1e-1"}
    found = own_parameters(words, "icem")
    assert found == {"planner.icem.horizon": 5, "planner.icem.sigma": 0.1}
    assert type(found["planner.icem.horizon"]) is int


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("planner.", "5", "expected the name of a setting"),
        ("planner.icem", "5", "expected the name of a setting"),
        ("planner.mppi.sigma", "1", "would be ignored with controller:=icem"),
        ("planner.horizon", "[5]", "expected a number, a text, true or false, got"),
        ("planner.horizon", "", "expected a number, a text, true or false, got"),
    ],
)
def test_what_would_not_be_heeded_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(UserError, match=f"^{name}: {said}"):
        own_parameters({name: value}, "icem")


def test_settings_are_checked_as_the_planner_checks_them() -> None:
    check_settings("hexapod", "icem", {"horizon": 5})
    with pytest.raises(UserError, match=r"^unknown planner parameter 'horizn': expected") as caught:
        check_settings("hexapod", "icem", {"horizn": 5})
    assert "\n" not in str(caught.value)


def test_settings_are_checked_beside_the_robots_own() -> None:
    arguments = {"robot": "hexapod", "controller": "icem", "params": ""}
    assert planner_parameters(arguments, {}) == {}
    given = {**arguments, "planner.horizon": "5"}
    assert planner_parameters(given, {}) == {"planner.icem.horizon": 5}
    with pytest.raises(UserError, match="horizon: expected an integer above 0, got 0"):
        planner_parameters({**arguments, "planner.horizon": "0"}, {})
