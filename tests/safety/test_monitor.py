"""Each rule by hand, then whatever sequence of inputs there is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.robots.hexapod import TURN, Hexapod
from ros_mbmrl.robots.spec import Envelope
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health, Level, SafetyConfig


class Anywhere(Hexapod):
    """May be at any place at the next update, and say the same for ever: for rules by hand."""

    spec = replace(
        Hexapod.spec,
        envelope=replace(
            Hexapod.spec.envelope, max_speed=math.inf, max_turn_rate=math.inf, live_sensors=()
        ),
    )


ROBOT = Anywhere()
SPEC = ROBOT.spec
AT_ONCE = SafetyConfig(start_updates=1)
STEP = 6.0 * TURN  # 60 turns/s^2 over 0.1 s
CALM = np.array([4.0, 4.0]) * TURN


def state_at(
    x: float = 0.0, y: float = 0.0, yaw: float = 0.0, roll: float = 0.0, volts: float = 4.0
) -> np.ndarray:
    """An upright hexapod at rest."""
    state = np.zeros(24)
    state[0:2] = x, y
    state[6:12] = math.cos(roll), math.sin(roll), 1.0, 0.0, math.cos(yaw), math.sin(yaw)
    state[15] = state[17] = 1.0
    state[23] = volts
    return state


class Bench:
    """A monitor, and a clock that moves on a period per update."""

    def __init__(self, config: SafetyConfig | None = None) -> None:
        self.monitor = SafetyMonitor(ROBOT, config or AT_ONCE)
        self.now = 0.0

    def update(
        self,
        proposed: object = CALM,
        state: object = None,
        health: Health | None = None,
        times: int = 1,
    ) -> Checked:
        for _ in range(times):
            self.now += SPEC.period
            checked = self.monitor.update(
                self.now,
                proposed,  # type: ignore[arg-type]
                state_at() if state is None else state,  # type: ignore[arg-type]
                health or Health(),
            )
        return checked

    def reset(self) -> tuple[bool, str]:
        return self.monitor.reset(self.now)


def stands(checked: Checked) -> bool:
    return bool((checked.action == 0.0).all())


def test_a_good_command_passes_as_it_is() -> None:
    checked = Bench().update()
    assert checked == Checked(checked.action, Level.RUN, ())
    np.testing.assert_array_equal(checked.action, CALM)


def test_range_is_clipped_and_reported_by_name() -> None:
    bench = Bench()
    bench.update(np.array([4.0, 4.0]) * TURN)
    checked = bench.update(np.array([20.0, 4.0]) * TURN)
    assert checked.level is Level.LIMITED
    assert "command_range: left_legs is out of range" in checked.reasons
    np.testing.assert_allclose(checked.action, np.array([9.0, 4.0]) * TURN)


def test_float32_rounding_of_a_limit_is_not_reported() -> None:
    bench = Bench()
    bench.update()
    checked = bench.update(SPEC.action_high.astype(np.float32) * np.float32(1 + 1e-7))
    assert checked.level is Level.RUN
    assert (checked.action <= SPEC.action_high).all()


def test_rate_counts_from_the_last_command_let_through() -> None:
    bench = Bench()
    first = bench.update(np.array([9.0, 0.0]) * TURN)
    assert first.level is Level.LIMITED
    assert first.reasons == ("command_rate: left_legs changes too fast",)
    np.testing.assert_allclose(first.action, [STEP, 0.0])
    np.testing.assert_allclose(bench.update(np.array([9.0, 0.0]) * TURN).action, [9.0 * TURN, 0.0])


def test_rate_counts_from_rest_once_somebody_else_has_stopped_the_plant() -> None:
    bench = Bench()
    bench.update(CALM)
    bench.monitor.plant_rests()
    np.testing.assert_allclose(bench.update(np.array([9.0, 0.0]) * TURN).action, [STEP, 0.0])
    bench.monitor.plant_rests()
    np.testing.assert_array_equal(bench.update(np.zeros(2)).action, 0.0)


def test_a_flood_of_commands_does_not_outrun_the_rate() -> None:
    monitor = SafetyMonitor(ROBOT, AT_ONCE)
    wanted = SPEC.action_high
    actions = [
        monitor.update(0.001 * k, wanted, state_at(), Health()).action[0] for k in range(1, 50)
    ]
    rate = SPEC.action[0].rate
    assert actions[-1] <= STEP + 0.048 * rate + 1e-9  # the first counts as a whole period
    np.testing.assert_allclose(np.diff(actions).max(), 0.001 * rate)


@pytest.mark.parametrize(
    ("proposed", "reason"),
    [
        (None, "no command"),
        (np.array([np.nan, 1.0]), "not finite"),
        (np.array([1.0, np.inf]), "not finite"),
        (np.ones(3), "expected (2,)"),
        (np.ones((1, 2)), "expected (2,)"),
        ("full ahead", "not a row of numbers"),
    ],
)
def test_a_bad_command_is_dropped_and_the_robot_stands(proposed: object, reason: str) -> None:
    bench = Bench()
    bench.update(np.array([5.0, 5.0]) * TURN)
    checked = bench.update(proposed)
    assert checked.level is Level.HOLD
    assert stands(checked)
    assert reason in checked.reasons[0]
    assert bench.update().level is Level.RUN


def test_planner_failure_holds() -> None:
    bench = Bench()
    checked = bench.update(None, health=Health(planner_failed=True))
    assert checked.level is Level.HOLD
    assert stands(checked)
    assert any("planner_failed" in reason for reason in checked.reasons)


def test_a_stale_command_holds_and_never_latches() -> None:
    bench = Bench()
    assert bench.update(health=Health(command_age=0.18)).level is Level.RUN
    assert bench.update(health=Health(command_age=0.3), times=100).level is Level.HOLD
    assert bench.update().level is Level.RUN


@pytest.mark.parametrize("age", [0.3, -0.3])
def test_a_stale_state_stops_until_it_has_been_fresh_for_a_while(age: float) -> None:
    bench = Bench()
    bench.update()
    assert bench.update(health=Health(state_age=age)).level is Level.STOP
    assert bench.update(times=5).level is Level.STOP
    assert bench.update().level is Level.RUN  # fresh for 0.5 s


def test_an_age_that_is_no_number_latches() -> None:
    bench = Bench()
    bench.update()
    assert bench.update(health=Health(state_age=math.nan)).level is Level.LATCHED


def test_a_flickering_state_keeps_the_robot_still() -> None:
    bench = Bench()
    bench.update()
    for _ in range(20):
        assert bench.update(health=Health(state_age=0.3)).level is Level.STOP
        checked = bench.update(times=3)
        assert checked.level is Level.STOP and stands(checked)
    assert checked.reasons == (
        "stale_state: state is 0.30 s old, limit 0.22 s; well again, waiting",
    )


def test_a_lost_state_stops_until_it_is_back() -> None:
    bench = Bench()
    bench.update()
    assert bench.update(health=Health(state_age=0.8)).level is Level.STOP
    assert bench.update(health=Health(state_age=0.9)).level is Level.LATCHED
    assert bench.reset() == (False, "refused: lost_state: state is 0.90 s old, lost after 0.88 s")
    assert bench.update().level is Level.LATCHED
    assert bench.reset()[0]
    assert bench.update().level is Level.RUN


def test_before_the_first_state_it_waits_without_latching() -> None:
    bench = Bench()
    monitor = bench.monitor
    for k in range(100):
        checked = monitor.update(0.1 * k, None, None, Health(math.inf, math.inf))
        assert checked.level is Level.HOLD
    assert checked.reasons[0] == "starting: no state"
    bench.now = 10.0
    assert bench.update().level is Level.RUN


def test_a_non_finite_state_stops_then_latches() -> None:
    bench = Bench()
    bench.update()
    broken = state_at()
    broken[5] = np.nan
    assert bench.update(state=broken, times=10).level is Level.STOP
    assert bench.update(state=broken).level is Level.LATCHED  # 1 s after the first of them
    assert not bench.reset()[0]
    bench.update()
    assert bench.reset()[0]


def test_tipping_over_stops_at_the_second_update() -> None:
    bench = Bench()
    over = state_at(roll=-1.3)
    assert bench.update(state=over).level is Level.RUN
    assert bench.update().level is Level.RUN
    assert bench.update(state=over).level is Level.RUN
    checked = bench.update(state=over)
    assert checked.level is Level.LATCHED
    assert stands(checked)
    assert bench.reset() == (False, "refused: tip_over: tilt 1.30 rad is above 1.2 rad")
    assert bench.update().level is Level.LATCHED
    assert bench.reset() == (True, "reset: tip_over")


def test_the_fence_turns_the_robot_back_until_well_inside() -> None:
    bench = Bench()
    assert bench.update(state=state_at(x=2.8, yaw=math.pi)).level is Level.RUN  # heads inwards
    checked = bench.update(state=state_at(x=2.8))
    assert checked.level is Level.RETURN
    assert checked.reasons == ("fence: 0.20 m from the arena's edge, turning back",)
    assert abs(checked.action[1] - checked.action[0]) > 1.0  # turns on the spot
    # 0.45 m from the edge is where the retreat ends.
    assert bench.update(state=state_at(x=2.6, yaw=math.pi)).level is Level.RETURN
    assert bench.update(state=state_at(x=2.5, yaw=math.pi)).level is Level.RUN


def test_beyond_the_edge_it_stops_until_carried_back() -> None:
    bench = Bench()
    checked = bench.update(state=state_at(y=-3.01))
    assert checked.level is Level.LATCHED
    assert stands(checked)
    assert bench.reset()[1].startswith("refused: outside: (0.00, -3.01) m")
    bench.update()
    assert bench.reset()[0]
    assert bench.update().level is Level.RUN


def test_what_the_driver_says_latches_until_it_is_well() -> None:
    bench, silent = Bench(), Health(plant_fault="radio: no reply")
    checked = bench.update(health=silent, times=9)
    assert checked.level is Level.HOLD  # nothing was driven yet
    assert checked.reasons == ("starting: radio: no reply",)
    assert bench.update().level is Level.RUN
    checked = bench.update(health=silent)
    assert checked.level is Level.LATCHED and stands(checked)
    assert checked.reasons == ("plant_fault: radio: no reply",)
    assert bench.reset() == (False, "refused: plant_fault: radio: no reply")
    assert bench.update().level is Level.LATCHED
    assert bench.reset()[0]
    assert bench.update().level is Level.RUN


class Lift(Hexapod):
    """Stays in place, runs from the mains, and must not move up faster than 1 m/s."""

    spec = replace(
        SPEC, name="lift", envelope=Envelope(0.25, 0.25, 25.0, state_limits={"vz": (-1.0, 1.0)})
    )

    def pose(self, state: np.ndarray) -> None:  # type: ignore[override]
        return None

    def battery(self, state: np.ndarray) -> None:  # type: ignore[override]
        return None


def test_a_state_beyond_its_limits_stops_any_robot() -> None:
    monitor, state = SafetyMonitor(Lift(), AT_ONCE), state_at(x=99.0, volts=0.0)
    assert monitor.update(0.1, CALM, state, Health()).level is Level.RUN
    state[5] = 1.5
    checked = monitor.update(0.2, CALM, state, Health())
    assert checked.level is Level.LATCHED
    assert checked.reasons == ("state_limits: vz is 1.5",)
    state[5] = 0.0
    monitor.update(0.3, CALM, state, Health())
    assert monitor.reset(0.3)[0]


def test_a_low_battery_leaves_a_part_of_the_range() -> None:
    bench = Bench()
    fast = np.array([9.0, 9.0]) * TURN
    low = state_at(volts=3.45)
    bench.update(fast, times=2)
    assert bench.update(fast, low, times=10).level is Level.RUN  # sagging under load, so far
    checked = bench.update(fast, low)
    assert checked.level is Level.LIMITED
    np.testing.assert_allclose(checked.action, 0.6 * fast)
    assert bench.update(fast, state_at(volts=3.55)).level is Level.LIMITED
    assert bench.update(CALM, state_at(volts=3.61)).level is Level.RUN


def test_an_empty_battery_stops_when_it_stays_empty() -> None:
    bench = Bench()
    empty = state_at(volts=3.2)
    assert bench.update(state=empty, times=20).level is Level.LIMITED
    assert bench.update(state=empty).level is Level.LATCHED
    assert bench.reset()[1] == "refused: battery_empty: 3.20 V is below 3.3 V"


@pytest.mark.parametrize("error", [26.0, math.nan, math.inf])
def test_a_model_that_does_not_fit_slows_the_robot(error: float) -> None:
    bench = Bench()
    fast = np.array([9.0, 9.0]) * TURN
    bench.update(fast, times=2)
    assert bench.update(fast, health=Health(model_error=error), times=4).level is Level.RUN
    checked = bench.update(fast, health=Health(model_error=error))
    assert checked.level is Level.LIMITED
    np.testing.assert_allclose(checked.action, 0.6 * fast)
    assert bench.update(fast, health=Health(model_error=21.0)).level is Level.LIMITED
    assert bench.update(CALM, health=Health(model_error=19.0)).level is Level.RUN


def test_a_requested_stop_holds_until_reset() -> None:
    bench = Bench()
    bench.update()
    bench.monitor.request_stop("red button")
    checked = bench.update()
    assert checked.level is Level.LATCHED
    assert stands(checked)
    assert checked.reasons[0] == "stop_requested: red button"
    assert bench.reset() == (True, "reset: stop_requested")
    assert bench.update(health=Health(stop_requested=True)).level is Level.LATCHED
    assert not bench.reset()[0]
    assert bench.update().level is Level.LATCHED
    assert bench.reset()[0]
    assert not bench.monitor.stopped


def test_reset_needs_a_recent_update_and_a_state_to_judge_by() -> None:
    bench = Bench()
    bench.monitor.request_stop("")
    assert bench.reset() == (False, "refused: no recent update to judge by")
    bench.update(state=np.full(24, np.nan))
    assert bench.reset() == (False, "refused: bad_state_persists: state is not finite")
    bench.update()
    assert not bench.monitor.reset(bench.now + 1.1)[0]
    assert bench.reset()[0]
    assert bench.reset() == (True, "nothing to reset")


def test_the_worst_level_wins_and_its_reason_comes_first() -> None:
    bench = Bench()
    checked = bench.update(np.array([np.nan, 0.0]), state_at(x=2.9))
    assert checked.level is Level.HOLD
    assert [reason.split(":")[0] for reason in checked.reasons] == ["bad_command", "fence"]
    checked = bench.update(np.array([np.nan, 0.0]), state_at(x=3.1))
    assert checked.level is Level.LATCHED
    assert checked.reasons[0].startswith("outside")


def test_braking_is_at_once_but_starting_is_within_the_rate() -> None:
    bench = Bench()
    bench.update(SPEC.action_high, times=2)
    assert stands(bench.update(health=Health(planner_failed=True)))
    np.testing.assert_allclose(bench.update(SPEC.action_high).action, [STEP, STEP])


def test_time_going_backwards_neither_crashes_nor_unlatches() -> None:
    bench = Bench()
    bench.update(state=state_at(x=9.0))
    for now in (-100.0, math.nan, -math.inf, 0.0, -1e300):
        checked = bench.monitor.update(now, CALM, state_at(), Health())
        assert checked.level is Level.LATCHED
        assert stands(checked)


def test_the_answer_is_the_callers_own() -> None:
    bench = Bench()
    bench.update(None).action[:] = 1e9
    assert stands(bench.update(None))


number = st.floats(width=64)  # NaN and infinities included
near = st.floats(-70.0, 70.0)
proposals = st.one_of(
    st.none(),
    st.lists(near, min_size=2, max_size=2),
    st.lists(number, max_size=4),
)
good_state = st.builds(
    state_at,
    x=st.floats(-3.2, 3.2),
    y=st.floats(-3.2, 3.2),
    yaw=st.floats(-4, 4),
    roll=st.floats(-1.4, 1.4),
    volts=st.floats(3.0, 4.2),
)
states = st.one_of(
    st.none(), good_state, st.lists(number, max_size=3), st.lists(number, min_size=24, max_size=24)
)
ages = st.one_of(st.just(0.0), number)
healths = st.builds(
    Health,
    state_age=ages,
    command_age=ages,
    model_error=ages,
    planner_failed=st.booleans(),
    stop_requested=st.sampled_from([False] * 9 + [True]),
)
calm = st.tuples(st.floats(0.0, 0.2), st.lists(near, min_size=2, max_size=2), good_state)
steps = st.one_of(
    st.tuples(st.just("update"), st.floats(-1.0, 1.0), proposals, states, healths),
    calm.map(lambda c: ("update", *c, Health())),
    st.just(("reset",)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=30))
@pytest.mark.filterwarnings("ignore:overflow")
def test_whatever_comes_in_what_goes_out_is_safe(sequence: list[tuple]) -> None:
    monitor, now, last = SafetyMonitor(ROBOT), 0.0, np.zeros(2)
    stopped = False
    for kind, *arguments in sequence:
        if kind == "reset":
            done, why = monitor.reset(now)
            assert done or why.startswith("refused")
            stopped = stopped and not done
            continue
        dt, proposed, state, health = arguments
        now += dt
        checked = monitor.update(now, proposed, state, health)
        assert np.isfinite(checked.action).all()
        assert (SPEC.action_low <= checked.action).all()
        assert (checked.action <= SPEC.action_high).all()
        assert stands(checked) or (np.abs(checked.action - last) <= STEP + 1e-9).all()
        assert stands(checked) or checked.level < Level.HOLD
        assert not stopped or checked.level is Level.LATCHED
        assert (checked.level is Level.RUN) == (not checked.reasons)
        stopped, last = checked.level is Level.LATCHED, checked.action
