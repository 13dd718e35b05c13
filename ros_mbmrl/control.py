"""Algorithm 10 of the thesis on one plant: observe, adapt, plan, check, command.

The ROS nodes put topics between the same parts and, in lockstep, give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.agents.live import LiveAgent
from ros_mbmrl.planning.base import Plan
from ros_mbmrl.plants.base import Plant
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health


@dataclass(frozen=True)
class Step:
    """One turn of the loop, for records and evaluation.

    Args:
        state: (ds,), as estimated from the measurement.
        adapted, plan, adapt_seconds, plan_seconds: see `Answer`.
        checked: the command that was sent, and why.
    """

    measurement: Measurement
    state: Array
    adapted: Adapted
    plan: Plan | None
    checked: Checked
    adapt_seconds: float
    plan_seconds: float


class ControlLoop:
    """The five lines of Algorithm 10 over a plant, in lockstep."""

    def __init__(
        self, plant: Plant, estimator: StateEstimator, agent: LiveAgent, safety: SafetyMonitor
    ) -> None:
        self._plant, self._estimator = plant, estimator
        self._agent, self._safety = agent, safety

    def step(self, period: float) -> Step:
        """Observe, adapt, plan, check, command; then let `period` [s] pass."""
        measurement = self._plant.observe()
        state = self._estimator.update(measurement)
        answer = self._agent.act(state[None], measurement.time)
        health = Health(
            state_age=measurement.age,
            model_error=answer.adapted.report.error_after,
            planner_failed=answer.plan is None,
        )
        checked = self._safety.update(measurement.time, answer.proposed, state, health)
        self._plant.command(checked.action)
        self._agent.acted(checked.action[None])
        self._plant.advance(period)
        durations = answer.adapt_seconds, answer.plan_seconds
        return Step(measurement, state, answer.adapted, answer.plan, checked, *durations)
