"""The diagnosis follows the posterior with a hysteresis: by hand."""

from __future__ import annotations

import pytest

from ros_mbmrl.adaptation.diagnosis import Diagnosis, Hysteresis, Teller


def told(well: list[float], hold: float = 0.2) -> list[Diagnosis]:
    """The diagnoses while the probability that all is well runs through `well`, every .1 s."""
    teller = Teller(Hysteresis(threshold=0.9, hold=hold))
    return [teller.update({"all well": p, "leg dead": 1 - p}, 0.1 * k) for k, p in enumerate(well)]


def test_a_cause_is_told_once_it_has_been_probable_for_a_while() -> None:
    found = told([0.5, 0.95, 0.05, 0.04, 0.03, 0.02])
    assert [each.cause for each in found] == ["all well"] * 4 + ["leg dead"] * 2
    assert found[3] == ("all well", 0.04, 0.0)
    assert found[5].probability == 0.98 and found[5].since == pytest.approx(0.2)


def test_a_flicker_is_not_told() -> None:
    found = told([0.95, 0.05, 0.05, 0.95, 0.05, 0.5, 0.05, 0.05, 0.95])
    assert {each.cause for each in found} == {"all well"} and found[-1].since == 0.0


def test_what_was_told_stays_while_nothing_is_certain() -> None:
    found = told([0.05, 0.05, 0.05, 0.6, 0.7, 0.8])
    assert [each.cause for each in found[2:]] == ["leg dead"] * 4
    assert [round(each.probability, 6) for each in found[3:]] == [0.4, 0.3, 0.2]


def test_without_a_hold_two_steps_are_enough() -> None:
    assert [each.cause for each in told([0.05, 0.05], hold=0.0)] == ["all well", "leg dead"]


def test_a_new_run_begins_with_all_well() -> None:
    teller = Teller(Hysteresis(hold=0.0))
    for time in (0.0, 0.1):
        last = teller.update({"all well": 0.0, "leg dead": 1.0}, time)
    assert last.cause == "leg dead"
    teller.reset()
    assert teller.update({"all well": 0.0, "leg dead": 1.0}, 5.0) == ("all well", 0.0, 5.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0.5}, "threshold: expected above .5 and below 1, got 0.5"),
        ({"threshold": float("nan")}, "threshold: expected above .5"),
        ({"hold": -0.1}, "hold: expected 0 s or more, got -0.1"),
    ],
)
def test_wrong_settings_are_one_line(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hysteresis(**options)
