"""The conditions of the safety monitor's rules: each a pure function of one update's view.

A condition answers with what is wrong, with nothing if all is well, or with None if it cannot
tell: then its rule stays as it is. `acting` is for hysteresis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.fence import heads_out, inside, well_inside
from ros_mbmrl.safety.history import History
from ros_mbmrl.safety.types import Health, SafetyConfig

FAR = 10.0  # ranges out of range, where a command is no command
TOLERANCE = 1e-6  # of the range: a planner in float32 rounds limits of float64


@dataclass(frozen=True)
class View:
    """Inputs of the conditions in one update.

    proposed: (da,) finite, or None and `proposal_fault` says why.
    state: (ds,) finite, fresh and no jump; or None, and `state_fault` says why it is not finite.
    history: what the states say together. started: whether a command may have been let through
    since the start or the last reset.
    last: (da,) the last command let through. step: (da,) how far the next may be from it.
    """

    robot: Robot
    config: SafetyConfig
    health: Health
    proposed: Array | None
    proposal_fault: str
    state: Array | None
    state_fault: str
    history: History
    started: bool
    last: Array
    step: Array


def stop_requested(view: View, _: bool) -> str:
    """A person or a program wants a stop."""
    return "somebody asked for it" if view.health.stop_requested else ""


def tip_over(view: View, _: bool) -> str | None:
    """On its side or its back."""
    if view.state is None:
        return None
    tilt, limit = view.robot.tilt(view.state), view.robot.spec.envelope.max_tilt
    return "" if tilt <= limit else f"tilt {tilt:.2f} rad is above {limit:g} rad"


def outside(view: View, _: bool) -> str | None:
    """Beyond the edge of the arena."""
    pose = _pose(view)
    if pose is None:
        return None if view.state is None else ""
    x, y, _yaw = pose
    within = inside(view.robot.spec.envelope, x, y) >= 0
    return "" if within else f"({x:.2f}, {y:.2f}) m is outside of the arena"


def fence(view: View, acting: bool) -> str | None:
    """Close to the edge and heading out; while acting: not yet well inside."""
    pose = _pose(view)
    if pose is None:
        return None if view.state is None else ""
    envelope = view.robot.spec.envelope
    x, y, yaw = pose
    distance = inside(envelope, x, y)
    if acting:
        clear = distance > well_inside(envelope, view.config.fence_hysteresis)
    else:
        clear = not heads_out(envelope, x, y, yaw)
    return "" if clear else f"{distance:.2f} m from the arena's edge, turning back"


def _pose(view: View) -> tuple[float, float, float] | None:
    return None if view.state is None else view.robot.pose(view.state)


def state_limits(view: View, _: bool) -> str | None:
    """Joint angles, speeds and their like where they cannot or must not be."""
    if view.state is None:
        return None
    limits = view.robot.spec.envelope.state_limits
    names = [quantity.name for quantity in view.robot.spec.state]
    values = {name: float(view.state[names.index(name)]) for name in limits}
    wrong = [n for n, (low, high) in limits.items() if not low <= values[n] <= high]
    return ", ".join(f"{name} is {values[name]:.3g}" for name in wrong)


def plant_fault(view: View, _: bool) -> str:
    """Return the fault that the driver reports."""
    return view.health.plant_fault


def _stale(kind: str, age: float, limit: float) -> str:
    # A stamp from the future is as little to be trusted as an old one.
    return "" if abs(age) <= limit else f"{kind} is {age:.2f} s old, limit {limit:g} s"


def stale_state(view: View, _: bool) -> str:
    """No fresh state, or a stamp from the future."""
    return _stale_age(view)


def _stale_age(view: View) -> str:
    return _stale("state", view.health.state_age, view.robot.spec.envelope.state_timeout)


def late_state(view: View, _: bool) -> str:
    """Later than the next one should have been."""
    limit = view.config.late_after * view.robot.spec.envelope.state_timeout
    return _stale("state", view.health.state_age, limit) if view.started else ""


def lost_state(view: View, _: bool) -> str:
    """No state for several time-outs."""
    limit = view.config.lost_after * view.robot.spec.envelope.state_timeout
    if view.health.state_age <= limit:
        return ""
    return f"state is {view.health.state_age:.2f} s old, lost after {limit:g} s"


def bad_state(view: View, _: bool) -> str:
    """Not a state at all."""
    return view.state_fault


def second_publisher(view: View, _: bool) -> str:
    """Return what is wrong with who publishes."""
    return view.health.peers


def starting(view: View, _: bool) -> str:
    """Not yet sure of the state, or somebody is not ready."""
    if view.started:
        return ""
    states = f"{view.history.row} of {view.config.start_updates:g} good states in a row"
    others = view.health.plant_fault or view.health.peers
    return others or view.state_fault or _stale_age(view) or states


def frozen_state(view: View, _: bool) -> str:
    """A sensor says the same again and again, though the robot is driven."""
    envelope, limit = view.robot.spec.envelope, view.config.frozen_updates
    frozen = zip(envelope.live_sensors, view.history.frozen, strict=False)
    stuck = [" and ".join(sensor.states) for sensor, count in frozen if count >= limit]
    return f"{', '.join(stuck)} the same for {limit:g} updates while driven" if stuck else ""


def state_jump(view: View, _: bool) -> str:
    """Further in one step than the robot can go, or more than a sensor can say."""
    return view.history.jump


def state_jumps(view: View, _: bool) -> str:
    """That, several times within a second."""
    count = len(view.history.jumps)
    return "" if count < view.config.jumps else f"{count} jumps within a second"


def stale_command(view: View, _: bool) -> str:
    """No fresh command, or a stamp from the future."""
    return _stale("command", view.health.command_age, view.robot.spec.envelope.command_timeout)


def bad_command(view: View, _: bool) -> str:
    """Not a command at all, or so far out of range that it is none."""
    if view.proposed is None:
        return view.proposal_fault
    spec = view.robot.spec
    low, high = spec.action_low, spec.action_high
    far_off = FAR * (high - low)
    far = (view.proposed < low - far_off) | (view.proposed > high + far_off)
    return _where(view, far, "is far out of range")


def planner_failed(view: View, _: bool) -> str:
    """The planner says that it has nothing."""
    return "the planner found no finite plan" if view.health.planner_failed else ""


def battery_empty(view: View, _: bool) -> str | None:
    """Too little voltage to go on."""
    return _battery(view, view.robot.spec.envelope.battery_empty)


def battery_low(view: View, acting: bool) -> str | None:
    """Too little voltage for full speed."""
    recovery = view.config.battery_recovery if acting else 0.0
    return _battery(view, view.robot.spec.envelope.battery_low + recovery)


def _battery(view: View, limit: float) -> str | None:
    if view.state is None:
        return None
    volts = view.robot.battery(view.state)
    well = volts is None or volts >= limit
    return "" if well else f"{volts:.2f} V is below {limit:g} V"


def model_error(view: View, acting: bool) -> str:
    """The model does not explain what the robot does."""
    limit = view.robot.spec.envelope.max_model_error * (view.config.model_recovery if acting else 1)
    error = view.health.model_error
    return "" if error <= limit else f"prediction error {error:.3g} is above {limit:g}"


def command_range(view: View, _: bool) -> str | None:
    """Further than the range allows."""
    if view.proposed is None:
        return None
    spec = view.robot.spec
    slack = TOLERANCE * (spec.action_high - spec.action_low)
    low, high = spec.action_low - slack, spec.action_high + slack
    return _where(view, (view.proposed < low) | (view.proposed > high), "is out of range")


def command_rate(view: View, _: bool) -> str | None:
    """Faster than the rate allows."""
    if view.proposed is None:
        return None
    spec = view.robot.spec
    change = np.abs(np.clip(view.proposed, spec.action_low, spec.action_high) - view.last)
    slack = TOLERANCE * (spec.action_high - spec.action_low)
    return _where(view, change > view.step + slack, "changes too fast")


def _where(view: View, wrong: np.ndarray, what: str) -> str:
    names = [limit.name for limit, bad in zip(view.robot.spec.action, wrong, strict=True) if bad]
    return f"{', '.join(names)} {what}" if names else ""
