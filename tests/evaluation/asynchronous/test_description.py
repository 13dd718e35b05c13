"""The study as data: arms, figures and sizes fit together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.asynchronous.description import ARMS, PANELS, SCALES, describe, scale_of


def test_figures_and_sizes_name_arms_that_there_are() -> None:
    for panel in PANELS:
        assert set(panel.arms) <= set(ARMS)
        looks = [ARMS[name].look for name in panel.arms]
        assert len({(look.colour, look.line, look.marker) for look in looks}) == len(looks)
    for scale in SCALES.values():
        assert set(scale.arms) <= set(ARMS)
        assert {ARMS[name].schedule for name in scale.arms} - {""} <= set(scale.sizes)


def test_a_description_tells_a_study_from_another() -> None:
    scale = scale_of("smoke")
    assert describe(scale, scale.arms) == describe(scale, scale.arms)
    assert describe(scale, scale.arms) != describe(scale, scale.arms[:1])
    assert describe(scale, scale.arms) != describe(replace(scale, tests=3), scale.arms)
    with pytest.raises(UserError, match="unknown scale 'huge'"):
        scale_of("huge")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"tests": 0}, "tests: expected at least 1"), ({"trajectories": 1}, "trajectories: expected")],
)
def test_sizes_that_are_none_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(scale_of("smoke"), **changes)
