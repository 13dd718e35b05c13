"""The sentence of a report, for every fault there is, and for runs that nothing was known of."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.evaluation.sentence import happened, sentence
from ros_mbmrl.simulation import faults, pr2_faults
from ros_mbmrl.simulation.situations import POSSIBLE

BUILT_IN = (
    *faults.FAULTS,
    *pr2_faults.FAULTS,
    *(fault for possible in POSSIBLE.values() for fault in possible.faults),
)


def on_path(after: float | None, before: float = 0.003, **more: Any) -> dict[str, Any]:
    return {
        "cross_track_before_fault_m": before,
        "cross_track_after_fault_m": after,
        "cost_after_fault": 3.0,
        **more,
    }


def running(after: float, **more: Any) -> dict[str, Any]:
    return {"cross_track_after_fault_m": None, "speed_after_fault_m_s": after, **more}


MB: dict[str, Any] = {"adapts": False}
LEG = "leg_left_middle@20"


@pytest.mark.parametrize(
    ("methods", "fault", "expected"),
    [
        (
            {"mb": on_path(0.0241, **MB), "context": on_path(0.0052)},
            LEG,
            "After the leg was lost: 2.4 cm from the path without adaptation, 0.5 cm with it.",
        ),
        (
            {"mb": on_path(0.0241, **MB), "context": on_path(0.0312)},
            LEG,
            "After the leg was lost: 2.4 cm from the path without adaptation, 3.1 cm with it; "
            "adaptation did not help.",
        ),
        (
            {"mb": on_path(0.0241, **MB), "context": on_path(0.0239)},
            LEG,
            "After the leg was lost: 2.4 cm from the path without adaptation, 2.4 cm with it; "
            "adaptation made no difference.",
        ),
        (
            {"bayes_context_ll": on_path(0.005)},
            LEG,
            "After the leg was lost: 0.5 cm from the path with bayes_context_ll.",
        ),
        (
            {"mb": on_path(0.005, **MB)},
            LEG,
            "After the leg was lost: 0.5 cm from the path without adaptation.",
        ),
        (
            {"context": on_path(0.005), "rebal": on_path(0.03), "mb": on_path(0.02, **MB)},
            "payload@20",
            "After a payload was added: 2.0 cm from the path without adaptation, "
            "0.5 cm with context, 3.0 cm with rebal; adaptation by rebal did not help.",
        ),
        (
            {"mb": running(1.2, **MB), "causes": running(1.9)},
            "bthigh_disabled@5",
            "After the motor of the bthigh failed: 1.20 m/s without adaptation, 1.90 m/s with it.",
        ),
        (
            {"mb": running(1.9, **MB), "causes": running(1.2)},
            "bthigh_disabled@5",
            "After the motor of the bthigh failed: 1.90 m/s without adaptation, 1.20 m/s with it; "
            "adaptation did not help.",
        ),
        (
            {"rebal": {"distance_after_fault_m": 0.021, "cost_after_fault": 1.0}},
            "weak_elbow@3",
            "After the elbow became weak: 2.1 cm from the goal with rebal.",
        ),
        (
            {"rebal": on_path(None)},
            "",
            "Over the whole run: 0.3 cm from the path with rebal.",
        ),
        (
            {"rebal": on_path(None, cost_after_fault=None)},
            LEG,
            "The run ended before the leg was lost: 0.3 cm from the path with rebal.",
        ),
        ({"rebal": {}}, LEG, "The run ended before the leg was lost."),
        ({"rebal": {}}, "", "What the robot did was not measured."),
        (
            {"rebal": {"cost_after_fault": -1.25}},
            "left_tyre_lost@4",
            "After the left tyre was lost: a cost of -1.25 a step with rebal.",
        ),
        (
            {"mb": on_path(0.01, worst_level="LATCHED", **MB), "rebal": on_path(0.005)},
            LEG,
            "After the leg was lost: 1.0 cm from the path without adaptation, 0.5 cm with it. "
            "The safety monitor stopped the robot for good in the run with mb.",
        ),
        (
            {"mb": on_path(0.01, worst_level="STOP"), "rebal": on_path(0.005, worst_level="STOP")},
            LEG,
            "After the leg was lost: 1.0 cm from the path with mb, 0.5 cm with rebal. "
            "The safety monitor stopped the robot for a while in the runs with mb and rebal.",
        ),
    ],
)
def test_a_report_opens_with(methods: dict[str, Any], fault: str, expected: str) -> None:
    assert sentence(methods, fault) == expected


def test_every_fault_of_this_package_has_words_of_its_own() -> None:
    assert not [name for name in BUILT_IN if name != "none" and "the fault" in happened(name)]
    assert happened("flat") == "the fault flat set in"
