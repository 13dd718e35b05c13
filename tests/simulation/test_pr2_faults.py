"""Faults of the arm: how they combine, what is read, and arms that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.pr2_faults import (
    BROKEN,
    FAULTS,
    MILD,
    VALIDATION_FAULTS,
    ArmFault,
    ArmPhysics,
    ArmRandomisation,
    combine,
)


def test_effects_combine() -> None:
    both = combine([FAULTS["payload"], FAULTS["payload_small"], FAULTS["weak_elbow"]])
    assert both.payload == pytest.approx(1.6)
    assert dict(both.weak) == {3: 0.4}
    twice = combine([FAULTS["weak_elbow"]] * 2)
    assert twice.weak[3] == pytest.approx(0.16)
    assert combine([FAULTS["stiff_elbow"]] * 2).stiff[3] == pytest.approx(4.0)
    assert set(VALIDATION_FAULTS) < set(FAULTS)


def test_faults_are_parsed() -> None:
    assert ArmFault.parse("payload@3.5") == ArmFault("payload", 3.5)
    assert ArmFault.parse("none") == ArmFault("none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gremlin@3", "unknown fault 'gremlin'"),
        ("payload", "expected NAME@SECONDS, for example payload@20"),
        ("payload@soon", "expected NAME@SECONDS"),
        ("payload@-1", "expected seconds of 0 or more"),
        ("payload@nan", "expected seconds of 0 or more"),
    ],
)
def test_wrong_faults_are_one_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        ArmFault.parse(text)


def test_drawn_arms_differ_and_stay_in_range() -> None:
    rng = np.random.default_rng(0)
    arms = [MILD.sample(rng) for _ in range(20)]
    assert len({arm.payload for arm in arms}) == 20
    assert all(0 <= arm.payload <= MILD.payload[1] for arm in arms)
    assert MILD.sample(np.random.default_rng(0)) == arms[0]
    with pytest.raises(ValueError, match="payload: expected low <= high"):
        ArmRandomisation(payload=(1.0, 0.0))
    with pytest.raises(ValueError, match="efforts: expected 7 factors"):
        ArmPhysics(efforts=(1.0,))
    with pytest.raises(ValueError, match="friction: expected 0 or more"):
        ArmPhysics(friction=-1.0)


def test_broken_arms_are_spread_wide() -> None:
    rng = np.random.default_rng(0)
    arms = [BROKEN.sample(rng) for _ in range(300)]
    efforts = np.array([arm.efforts for arm in arms])
    assert 0.05 < efforts.min() < 0.2 and 0.6 < (efforts >= MILD.efforts[0]).mean() < 0.95
    assert max(arm.payload for arm in arms) == pytest.approx(1.8, abs=0.1)
    pushes = np.array([arm.push for arm in arms])
    assert 0.4 < (pushes == 0).all(axis=1).mean() < 0.6 and np.abs(pushes).max() > 11
    assert BROKEN.sample(np.random.default_rng(2)) == BROKEN.sample(np.random.default_rng(2))
