"""Points of the curves, and environments of the chapters."""

from __future__ import annotations

from ros_mbmrl.evaluation.policies.description import Kind
from ros_mbmrl.evaluation.policies.scales import (
    MAAC_ENVIRONMENTS,
    MB_ENVIRONMENTS,
    ME_ENVIRONMENTS,
    META_ENVIRONMENTS,
    WANG,
    me_trpo_scales,
)
from ros_mbmrl.evaluation.policies.scales_m3po import CHANGING
from ros_mbmrl.simulation.benchmarks import BENCHMARKS


def test_each_chapter_has_its_rows_of_the_table() -> None:
    assert [len(each) for each in (ME_ENVIRONMENTS, MB_ENVIRONMENTS)] == [7, 6]
    named = {*ME_ENVIRONMENTS, *MB_ENVIRONMENTS, *META_ENVIRONMENTS, *CHANGING}
    others = ("mbbl-", "gssm-")
    assert named == {n for n in BENCHMARKS if not n.startswith(others) or n == WANG}
    assert set(MAAC_ENVIRONMENTS) == {n for n in BENCHMARKS if n.startswith("mbbl-")} - {
        "mbbl-swimmer"
    }


def test_a_published_budget_is_a_point_of_the_curve() -> None:
    points = me_trpo_scales(("me_trpo",), (), ())["paper"].points[Kind.MODELS]
    assert points[:2] == (15_000, 30_000) and points[-1] == 300_000
    assert min(point for point in points if point >= 200_000) == 201_000


def test_smoke_is_small() -> None:
    scale = me_trpo_scales(("a",), ("a",), ("a",))["smoke"]
    assert max(max(points) for points in scale.points.values()) <= 1000
