"""The figures of an episode; those of a model only where there was one."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.agents.base import Diagnostics
from ros_mbmrl.episodes.batch import Episodes
from ros_mbmrl.evaluation.study.judge import _figures, begin_of
from ros_mbmrl.evaluation.study.studies import STUDIES
from ros_mbmrl.evaluation.study.summaries import returns
from ros_mbmrl.evaluation.study.tables import details
from ros_mbmrl.evaluation.study.worlds import situations_of
from ros_mbmrl.safety.types import Level
from ros_mbmrl.simulation.situations import Situation, TimedFault


def episodes(diagnostics: Diagnostics | None) -> Episodes:
    """Two robots, four steps; safety ends the second."""
    levels = np.zeros((4, 2), dtype=np.int8)
    levels[3, 1] = Level.LATCHED
    rewards = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]])
    zeros = np.zeros((5, 2, 1))
    ended = np.zeros_like(levels, dtype=bool)
    return Episodes(np.arange(5.0), zeros, zeros[1:], rewards, levels, ended, diagnostics)


def test_an_agent_without_a_model_has_no_model_error() -> None:
    row = _figures(episodes(None), 0, begin=1.0, period=0.5)
    windows = {"0-1 s": 7.0, "1-3 s": None, "3 s on": None}
    expected = {"return": 10.0, "return_after": 14.0, "safety_stops": 0}
    assert row == {**expected, "return_by_seconds": windows}
    assert _figures(episodes(None), 1, begin=9.0, period=1.0)["safety_stops"] == 1


def test_a_model_s_errors_are_means_over_the_steps() -> None:
    before = np.array([[4.0, 0.0]] * 4)
    after = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    told = Diagnostics(before, after, after > 1.5)
    row = _figures(episodes(told), 0, begin=0.0, period=1.0)
    assert (row["prediction_error_prior"], row["prediction_error_adapted"]) == (4.0, 2.0)
    assert row["accepted_fraction"] == 0.5


def test_a_figure_that_does_not_exist_is_an_empty_cell() -> None:
    own = {"method": "trpo", "train_seed": 0, "condition": "a", "seed": 0}
    row = {**own, **_figures(episodes(None), 0, 0.0, 1.0)}
    rows = returns([row], ("trpo",), np.random.default_rng(0))
    assert rows[0]["accepted_fraction"] is None
    table = details(rows)
    (cells,) = table.rows
    assert cells[table.columns.index("updates accepted")] == ""


@pytest.mark.parametrize("name", STUDIES)
def test_windows_begin_with_the_change_in_the_middle_or_with_the_episode(name: str) -> None:
    study = STUDIES[name]
    situations = situations_of(study, study.conditions, [1], 8.0)
    begins = dict(zip(study.conditions, map(begin_of, situations), strict=True))
    middle = {"cheetah-disabled": "switching", "ant-crippled": "failing", "arm-force": "change"}
    assert {c: b for c, b in begins.items() if b} == ({middle[name]: 4.0} if name in middle else {})


def test_the_change_comes_with_the_first_fault_that_begins_later() -> None:
    faults = tuple(TimedFault("bthigh_disabled", begin) for begin in (0.0, 2.0, 1.0))
    assert begin_of(Situation(faults=faults)) == 1.0
    assert begin_of(Situation(force=(0.0, 1.0, 0.0), force_begin=0.5)) == pytest.approx(0.5)
    assert begin_of(Situation()) == 0.0
