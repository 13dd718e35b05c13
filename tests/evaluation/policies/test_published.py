"""A published figure has a source, and an environment that there is."""

from __future__ import annotations

from ros_mbmrl.evaluation.policies.published import PUBLISHED
from ros_mbmrl.methods import METHODS
from ros_mbmrl.simulation.benchmarks import BENCHMARKS


def test_every_figure_names_its_source() -> None:
    assert PUBLISHED["mbbl-half-cheetah", "me_trpo"].value == 2283.0
    for (environment, method), known in PUBLISHED.items():
        assert environment in BENCHMARKS and method in METHODS
        assert known.source and known.transitions > 0
