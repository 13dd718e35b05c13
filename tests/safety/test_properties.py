"""Whatever comes in, in whatever order: what goes out is safe, and a latched stop stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.pr2_arm import PR2Arm
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.safety import fence
from ros_mbmrl.safety.limits import narrowed
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health, Level

number = st.floats(width=64)  # NaN and infinities included
share = st.floats(-0.5, 1.5)


def upright() -> np.ndarray:
    state = np.zeros(24)
    state[[6, 8, 10, 15, 17]] = 1.0
    state[23] = 4.0
    return state


def bent() -> np.ndarray:
    state = np.zeros(23)
    state[[3, 5]] = -1.0
    return state


ROBOTS: dict[str, tuple[Robot, np.ndarray]] = {
    "hexapod": (Hexapod(), upright()),
    "a narrow hexapod": (
        narrowed(Hexapod(), {"left_legs": [0.0, 20.0], "arena_x": [-1.0, 1.0]}),
        upright(),
    ),
    "pr2_arm": (PR2Arm(), bent()),
}


class Gate(RuleBasedStateMachine):
    """Feeds a monitor, and knows only the robot's limits and what was latched."""

    @initialize(name=st.sampled_from(sorted(ROBOTS)))
    def begin(self, name: str) -> None:
        self.robot, self.state = ROBOTS[name][0], ROBOTS[name][1].copy()
        self.monitor, self.now, self.count = SafetyMonitor(self.robot), 0.0, 0
        self.stand = np.clip(0.0, self.robot.spec.action_low, self.robot.spec.action_high)
        self.last, self.latched, self.cause = self.stand, False, ""
        self.checked = Checked(self.stand, Level.HOLD, ())

    def feed(self, dt: float, proposed: Any, state: Any, health: Health) -> None:
        self.now += dt
        checked = self.monitor.update(self.now, proposed, state, health)
        spec, action = self.robot.spec, checked.action
        assert action.shape == self.stand.shape and np.isfinite(action).all()
        assert (spec.action_low <= action).all() and (action <= spec.action_high).all()
        stands = bool((action == self.stand).all())
        rated = (np.abs(action - self.last) <= spec.action_step * (1 + 1e-9)).all()
        assert stands or rated
        assert stands or checked.level < Level.HOLD
        assert checked.level >= Level.HOLD or self.harmless(state, health)
        assert checked.level is Level.LATCHED or not self.latched
        assert (checked.level is Level.RUN) == (not checked.reasons)
        self.latched = checked.level is Level.LATCHED
        self.cause = health.plant_fault or health.peers or "asked" * health.stop_requested
        self.last, self.checked = action, checked

    def harmless(self, state: Any, health: Health) -> bool:
        """Whether a robot in this state may move at all."""
        spec, envelope = self.robot.spec, self.robot.spec.envelope
        if not (
            abs(health.state_age) <= envelope.state_timeout
            and abs(health.command_age) <= envelope.command_timeout
        ):
            return False
        if state is None or np.shape(state) != (len(spec.state),) or not np.isfinite(state).all():
            return False
        names = [quantity.name for quantity in spec.state]
        bounds = ((state[names.index(n)], *b) for n, b in envelope.state_limits.items())
        if not all(low <= value <= high for value, low, high in bounds):
            return False
        pose = self.robot.pose(np.asarray(state))
        return pose is None or fence.inside(envelope, *pose[:2]) >= 0

    @rule(parts=st.lists(share, min_size=7, max_size=7), steps=st.integers(1, 12))
    def drive(self, parts: list[float], steps: int) -> None:
        """Good states and commands, in range or out of it."""
        spec = self.robot.spec
        part = np.array(parts[: len(spec.action)])
        for _ in range(steps):
            self.count += 1
            state = self.state + 1e-3 * np.sin(self.count + np.arange(len(self.state)))
            proposed = spec.action_low + part * (spec.action_high - spec.action_low)
            self.feed(spec.period, proposed, state, Health())

    @rule(kind=st.sampled_from(["state", "command", "old state", "old command", "no plan"]),
          index=st.integers(0, 22))  # fmt: skip
    def spoil(self, kind: str, index: int) -> None:
        """One thing wrong, once: nothing that would have to latch."""
        state, proposed = self.state.copy(), self.last.copy()
        state[index] = math.nan if kind == "state" else state[index]
        proposed[index % len(proposed)] *= math.nan if kind == "command" else 1.0
        ages = 0.3 * (kind == "old state"), 0.3 * (kind == "old command")
        health = Health(*ages, planner_failed=kind == "no plan")
        self.feed(self.robot.spec.period, proposed, state, health)
        assert self.checked.level >= Level.HOLD

    @rule(cause=st.sampled_from(["plant_fault", "peers", "stop_requested"]))
    def reset_under_a_cause(self, cause: str) -> None:
        self.monitor.request_stop("a button")
        self.latched = True
        health = Health(**{cause: True if cause == "stop_requested" else "it stands"})
        self.feed(self.robot.spec.period, self.last, self.state, health)
        self.reset(0.0)
        assert self.latched

    @rule()
    def recover(self) -> None:
        """What a person would do."""
        self.drive([0.7] * 7, 12)
        self.reset(0.0)
        self.drive([0.7] * 7, 12)

    @rule(
        dt=st.just(0.1) | st.floats(-1.0, 2.0) | number,
        proposed=st.none() | st.lists(number, max_size=8),
        state=st.none() | st.lists(number, max_size=24),
        index=st.integers(0, 22),
        value=st.just(math.nan) | number,
        one=st.booleans(),
        usual=st.booleans(),
        age=st.just(0.0) | number,
        flags=st.sampled_from(["", "", "", "stop", "plant", "peers", "failed"]),
    )
    def disturb(
        self, dt: float, proposed: Any, state: Any, index: int, value: float, one: bool,
        usual: bool, age: float, flags: str,
    ) -> None:  # fmt: skip
        """Anything at all; often a good state and command with one number spoiled."""
        if one:
            state = self.state.copy()
            state[index] = value
            proposed = self.last if usual else proposed
        health = Health(
            state_age=age,
            planner_failed=flags == "failed",
            stop_requested=flags == "stop",
            plant_fault="silent" * (flags == "plant"),
            peers="two" * (flags == "peers"),
        )
        # A clock that has left the numbers that differ by a period never comes back to them.
        self.feed(dt if abs(dt) < 1e6 else 0.0, proposed, state, health)

    @rule()
    def ask_for_a_stop(self) -> None:
        self.monitor.request_stop("a button")
        self.latched = True

    @rule(late=st.sampled_from([0.0, 0.0, 0.0, 2.0]))
    def reset(self, late: float) -> None:
        done, why = self.monitor.reset(self.now + late)
        assert "\n" not in why
        if self.latched:
            assert why.startswith("reset: " if done else "refused: ")
            assert not (done and (late or self.cause)), "a cause stood"
        else:
            assert (done, why) == (True, "nothing to reset")
        self.latched = self.latched and not done

    @invariant()
    def says_whether_it_is_stopped(self) -> None:
        if hasattr(self, "monitor"):
            assert self.monitor.stopped == self.latched


TestGate = pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")(Gate.TestCase)
TestGate.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)


def test_every_robot_drives_after_the_start_and_after_a_reset() -> None:
    for name in ROBOTS:
        gate = Gate()
        gate.begin(name)
        gate.drive([0.7] * 7, 12)
        assert gate.checked.level <= Level.LIMITED and not math.isclose(gate.last[0], 0.0)
        gate.ask_for_a_stop()
        gate.drive([0.7] * 7, 1)
        assert gate.checked.level is Level.LATCHED
        gate.reset(0.0)
        gate.drive([0.7] * 7, 1)
        assert gate.checked.level <= Level.LIMITED
