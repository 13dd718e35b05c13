"""What one state cannot say alone: the start, a frozen sensor, a jump; by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.robots.hexapod import TURN, Hexapod
from ros_mbmrl.robots.pr2_arm import PR2Arm
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health, Level, SafetyConfig

ROBOT = Hexapod()
PERIOD = ROBOT.spec.period
WALK, STAND = np.array([4.0, 4.0]) * TURN, np.zeros(2)
MOCAP, RADIO = slice(0, 12), slice(12, 24)
LEFT_LEG = slice(15, 17)


class Walk:
    """A hexapod that walks in a line at 0.3 m/s under a monitor; time is the test's.

    frozen: parts of the state that stay as they are. shift: how far off its place is measured.
    """

    def __init__(self, start: int = 0, **config: int) -> None:
        self.monitor = SafetyMonitor(ROBOT, SafetyConfig(**config))
        self.count, self.frozen, self.shift = 0, (), np.zeros(3)
        self.state = self._measured()
        self.update(times=start)

    def _measured(self) -> np.ndarray:
        state = np.zeros(24)
        x, y, yaw = self.shift + np.array([0.03 * self.count, 0.0, 0.0])
        state[0:2] = x, y
        state[6:12] = 1.0, 0.0, 1.0, 0.0, math.cos(yaw), math.sin(yaw)
        state[12:23] = np.sin(self.count + np.arange(11.0))
        state[23] = 4.0
        return state

    def update(
        self,
        proposed: np.ndarray | None = WALK,
        state: np.ndarray | None = None,
        health: Health | None = None,
        times: int = 1,
    ) -> Checked:
        checked = Checked(STAND, Level.RUN, ())
        for _ in range(times):
            self.count += 1
            measured = self._measured()
            for part in self.frozen:
                measured[part] = self.state[part]
            self.state = measured
            now = self.count * PERIOD
            given = self.state if state is None else state
            checked = self.monitor.update(now, proposed, given, health or Health())
        return checked

    def levels(self, times: int, proposed: np.ndarray | None = WALK) -> list[Level]:
        return [self.update(proposed).level for _ in range(times)]

    def reset(self) -> tuple[bool, str]:
        return self.monitor.reset(self.count * PERIOD)


def test_the_first_command_waits_for_three_good_states_in_a_row() -> None:
    walk = Walk()
    checked = walk.update()
    assert checked.level is Level.HOLD
    assert checked.reasons == ("starting: 1 of 3 good states in a row",)
    assert walk.update().level is Level.HOLD
    checked = walk.update()
    assert (checked.level, checked.action.tolist()) == (Level.RUN, WALK.tolist())


@pytest.mark.parametrize(
    ("state", "health", "reason"),
    [
        (np.full(24, np.nan), Health(), "state is not finite"),
        (np.zeros(23), Health(), "state has shape (23,), expected (24,)"),
        (None, Health(state_age=0.3), "state is 0.30 s old, limit 0.22 s"),
        (None, Health(plant_fault="radio: no reply"), "radio: no reply"),
        (None, Health(peers="odom has 2 publishers"), "odom has 2 publishers"),
    ],
)
def test_what_is_not_ready_delays_the_start_and_latches_nothing(
    state: np.ndarray | None, health: Health, reason: str
) -> None:
    walk = Walk(start=2)
    checked = walk.update(state=state, health=health, times=50)
    assert checked.level is Level.HOLD
    assert checked.reasons == (f"starting: {reason}",)
    assert not walk.monitor.stopped
    assert walk.levels(3)[-1] is Level.RUN


def test_the_same_state_once_more_is_no_start() -> None:
    walk = Walk()
    for k in range(100):  # asked again and again, while the state grows older
        age = 0.001 * k
        checked = walk.monitor.update(0.1 + age, WALK, walk.state, Health(state_age=age))
        assert checked.level is Level.HOLD
    assert checked.reasons == ("starting: 1 of 3 good states in a row",)


def test_a_reset_starts_anew() -> None:
    walk = Walk(start=3)
    walk.monitor.request_stop("")
    walk.update(health=Health(state_age=0.3))
    assert walk.update().level is Level.LATCHED
    assert walk.reset()[0]
    assert walk.levels(2) == [Level.HOLD, Level.RUN]  # the second and the third good state


def test_a_second_publisher_latches_until_it_is_gone() -> None:
    walk, two = Walk(start=3), Health(peers="command/proposed has 2 publishers")
    checked = walk.update(health=two)
    assert checked.level is Level.LATCHED
    assert checked.reasons == ("second_publisher: command/proposed has 2 publishers",)
    assert walk.reset() == (False, "refused: second_publisher: command/proposed has 2 publishers")
    walk.update()
    assert walk.reset() == (True, "reset: second_publisher")


@pytest.mark.parametrize(
    ("part", "name"),
    [(MOCAP, "x and y and z"), (LEFT_LEG, "cos_left_leg and sin_left_leg")],
)
def test_a_frozen_sensor_stops_then_latches(part: slice, name: str) -> None:
    walk = Walk(start=5)
    walk.frozen = (part,)
    assert walk.levels(1) == [Level.RUN]
    checked = walk.update()
    assert checked.level is Level.STOP
    assert checked.reasons == (f"frozen_state: {name} the same for 2 updates while driven",)
    assert walk.levels(4) == [Level.STOP] * 4  # it stands now, and the sensor still says the same
    assert walk.update().level is Level.LATCHED
    assert walk.reset()[1].startswith("refused: frozen_state_persists")
    walk.frozen = ()
    assert walk.update().level is Level.LATCHED
    assert walk.reset()[0]


def test_a_command_that_the_driver_has_not_heard_drives_nothing() -> None:
    walk = Walk(start=5)
    walk.frozen = (MOCAP, RADIO)
    for _ in range(50):  # the machine is busy: commands are sent, and the robot stands
        assert walk.update(health=Health(heard=STAND)).level is Level.RUN
    assert walk.update(health=Health(heard=WALK)).level is Level.RUN
    assert walk.update(health=Health(heard=WALK)).level is Level.STOP


def test_a_sensor_that_thaws_at_once_must_go_on_for_a_while() -> None:
    walk = Walk(start=5)
    walk.frozen = (MOCAP,)
    walk.update(times=2)
    walk.frozen = ()
    walk.shift = np.array([-0.05, 0.0, 0.0])  # it stood still in between
    assert walk.levels(6) == [Level.STOP] * 5 + [Level.RUN]  # well for 0.5 s


@pytest.mark.parametrize("proposed", [STAND, 0.04 * ROBOT.spec.action_high, None])
def test_without_noise_a_robot_at_rest_says_the_same_for_ever(proposed: np.ndarray | None) -> None:
    walk = Walk(start=3)
    walk.update(proposed)
    walk.frozen = (MOCAP, RADIO)
    assert max(walk.levels(100, proposed)) <= Level.HOLD


def test_an_arm_under_torques_may_say_the_same_for_ever() -> None:
    monitor, state = SafetyMonitor(PR2Arm()), np.zeros(23)
    state[3], state[5] = -1.0, -1.0
    levels = [
        monitor.update(0.1 * k, np.ones(7), state, Health(state_age=0.0)).level for k in range(50)
    ]
    assert set(levels[3:]) == {Level.RUN}  # too little to overcome friction


@pytest.mark.parametrize("shift", [(0.5, 0, 0), (0, -0.5, 0), (0, 0, math.pi), (1e300, 0, 0)])
def test_one_jump_holds_for_one_sample(shift: tuple[float, float, float]) -> None:
    walk = Walk(start=5)
    walk.shift = np.array(shift)
    checked = walk.update()
    assert checked.level is Level.HOLD
    assert checked.reasons[0].startswith("state_jump: ")
    walk.shift = np.zeros(3)
    assert walk.levels(20) == [Level.RUN] * 20


def test_a_jump_that_stays_latches_and_a_reset_goes_by_the_new_place() -> None:
    walk = Walk(start=5)
    walk.shift = np.array([-2.5, 0.0, 0.0])  # the motion capture has lost its marks
    assert walk.levels(3) == [Level.HOLD, Level.HOLD, Level.LATCHED]
    assert walk.reset()[1] == "refused: state_jumps: 3 jumps within a second"
    assert walk.levels(10) == [Level.LATCHED] * 10
    assert walk.reset() == (True, "reset: state_jumps")
    assert walk.update().level is Level.RUN


def test_several_jumps_within_a_second_latch_and_spread_out_they_do_not() -> None:
    def levels(every: int) -> set[Level]:
        walk, seen = Walk(start=5), set()
        for k in range(60):
            walk.shift = np.array([0.0, 0.5 * (k % every == 0), 0.0])
            seen.add(walk.update().level)
        return seen

    assert Level.LATCHED in levels(every=3)
    assert levels(every=6) == {Level.HOLD, Level.RUN}


def test_a_jump_is_judged_by_no_other_rule() -> None:
    walk = Walk(start=5)
    walk.shift = np.array([20.0, 0.0, 0.0])  # far outside of the arena
    assert walk.update().level is Level.HOLD
    walk.shift = np.zeros(3)
    assert walk.update().level is Level.RUN


def test_a_reset_needs_a_state_that_is_no_jump() -> None:
    walk = Walk(start=5)
    walk.monitor.request_stop("")
    walk.shift = np.array([0.5, 0.0, 0.0])
    walk.update()
    assert walk.reset() == (False, "refused: tip_over cannot be judged without a fresh state")


def test_a_fault_before_the_start_is_a_cause_that_stands() -> None:
    walk, silent = Walk(), Health(plant_fault="radio: no reply")
    walk.monitor.request_stop("")
    walk.update(health=silent)
    assert walk.reset() == (False, "refused: plant_fault: radio: no reply")
    walk.update()
    assert walk.reset() == (True, "reset: stop_requested")


def test_a_clock_that_begins_anew_is_no_jump() -> None:
    walk = Walk(start=100)
    walk.count = 0
    walk.shift = np.array([1.0, 1.0, 1.0])
    assert walk.update().level is Level.RUN


def test_a_robot_without_a_bound_may_be_anywhere() -> None:
    assert PR2Arm().spec.envelope.max_speed == math.inf
    envelope = replace(ROBOT.spec.envelope, max_speed=math.inf, max_turn_rate=math.inf)
    robot = Hexapod()
    robot.spec = replace(ROBOT.spec, envelope=envelope)
    walk = Walk(start=3)
    walk.monitor._robot = robot
    walk.shift = np.array([1.0, 1.0, 1.0])
    assert walk.update().level is Level.RUN


def longest(rollouts: list[Rollout], columns: list[int]) -> int:
    """How many steps in a row these states say the same to the bit, at most."""
    most = 0
    for rollout in rollouts:
        count = 0
        for same in (np.diff(rollout.states[:, columns], axis=0) == 0).all(axis=1):
            count = count + 1 if same else 0
            most = max(most, count)
    return most


def test_the_bounds_are_far_above_what_the_real_robot_does(
    real: tuple[list[Rollout], ImportSummary],
) -> None:
    """With `-s` it prints the figures of docs/safety.md."""
    rollouts, envelope = real[0], ROBOT.spec.envelope
    names = [quantity.name for quantity in ROBOT.spec.state]
    sensors = [[names.index(name) for name in sensor.states] for sensor in envelope.live_sensors]
    runs = [longest(rollouts, columns) for columns in (*sensors, list(range(24)))]
    moved, turned = [], []
    for rollout in rollouts:
        elapsed = np.maximum(np.diff(rollout.times), PERIOD)
        poses = np.array([ROBOT.pose(state) for state in rollout.states])
        step = np.diff(poses, axis=0)
        turn = np.abs(np.angle(np.exp(1j * step[:, 2])))
        moved += (np.hypot(step[:, 0], step[:, 1]) / elapsed).tolist()
        turned += (turn / elapsed).tolist()
    print(f"{len(moved)} steps; same in a row, by sensor, and all of them: {runs}")
    for values, bound in ((moved, envelope.max_speed), (turned, envelope.max_turn_rate)):
        beyond, usual = int((np.array(values) > bound).sum()), np.percentile(values, 99.9)
        print(f"above {bound:g}: {beyond} steps; 99.9 % below {usual:.2f}")
        assert beyond < 10 and usual < bound / 2
    assert max(runs[:-1]) >= 5 and runs[-1] < 3  # sensors freeze, but not all at a time


def test_the_real_robots_logs_have_few_of_them(
    real: tuple[list[Rollout], ImportSummary],
) -> None:
    rollouts, counts = real[0], dict.fromkeys(("state_jump", "frozen_state", "starting"), 0)
    for rollout in rollouts:
        monitor, seen = SafetyMonitor(ROBOT), set()
        for state, action, now in zip(rollout.states, rollout.actions, rollout.times, strict=False):
            checked = monitor.update(float(now), action, state.astype(float), Health())
            seen |= {reason.split(":")[0] for reason in checked.reasons}
            if checked.level is Level.LATCHED:
                break
        for name in counts:
            counts[name] += name in seen
    assert counts["starting"] == len(rollouts)  # of 613 runs
    assert 1 <= counts["state_jump"] <= 6
    assert 1 <= counts["frozen_state"] <= 8
