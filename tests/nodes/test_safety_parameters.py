"""What the parameters of `safety` are refused for, and the monitor that they give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.safety_parameters import SafetyParameters, watched_robot
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import VARIABLE
from ros_mbmrl.safety.monitor import SafetyMonitor
from tests.robots.described.examples import BASE


def test_limits_and_thresholds_reach_robot_and_monitor() -> None:
    robot, monitor = watched_robot(
        SafetyParameters(monitor={"jumps": 5}, limits={"left_legs": [0.0, 5.0]})
    )
    assert robot.spec.action_high[0] == 5.0 and monitor.config.jumps == 5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"monitor": {"jumps": 0}}, "safety: monitor: jumps: expected 2 to 1000"),
        ({"monitor": {"leaps": 3}}, "safety: monitor: .*unexpected keyword argument 'leaps'"),
        ({"limits": {"wing": [0, 1]}}, "safety: limits: "),
        ({"check_period": 0.0}, "safety: check_period: expected above 0 s, up to"),
        ({"check_period": 9.0}, "half of the shortest time-out"),
        ({"robot": "cow"}, "unknown robot 'cow'"),
    ],
)
def test_wrong_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        watched_robot(SafetyParameters(**parameters))


def test_thresholds_of_a_robots_file_hold_until_parameters_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "base.yaml"
    file.write_text(BASE + "safety: {jumps: 5, late_after: 0.5}\n")
    monkeypatch.setenv(VARIABLE, str(file))
    _, monitor = watched_robot(SafetyParameters(robot="base", monitor={"late_after": 0.6}))
    assert (monitor.config.jumps, monitor.config.late_after) == (5, 0.6)
    assert SafetyMonitor(make_robot("base")).config.jumps == 5
