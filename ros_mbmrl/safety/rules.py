"""The rules of the safety monitor, as one table; `describe` prints it for the documentation.

A condition answers with what is wrong, with nothing if all is well, or with None if it cannot
tell: then its rule stays as it is. A rule acts once its condition has stood for `updates`
updates in a row and for `seconds`. Rules of level STOP latch: only a reset ends them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety import fence
from ros_mbmrl.safety.types import Health, Level, SafetyConfig

TOLERANCE = 1e-6  # of the range: a planner in float32 rounds limits of float64


@dataclass(frozen=True)
class View:
    """What the conditions look at in one update.

    proposed: (da,) finite, or None and `proposal_fault` says why.
    state: (ds,) finite and fresh, or None and `state_fault` says why it is not finite.
    had_state: whether there ever was a state to trust; before, the monitor waits.
    last: (da,) the last command let through. step: (da,) how far the next may be from it.
    """

    robot: Robot
    config: SafetyConfig
    health: Health
    proposed: Array | None
    proposal_fault: str
    state: Array | None
    state_fault: str
    had_state: bool
    last: Array
    step: Array


Condition = Callable[[View, bool], "str | None"]


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    when, clears: for people. condition(view, acting): see the module; `acting` is for hysteresis.
    """

    name: str
    level: Level
    when: str
    clears: str
    condition: Condition
    updates: int = 1
    seconds: float = 0.0

    @property
    def latched(self) -> bool:
        """Whether only a reset ends it."""
        return self.level is Level.STOP


def _stop_requested(view: View, _: bool) -> str:
    return "somebody asked for it" if view.health.stop_requested else ""


def _tip_over(view: View, _: bool) -> str | None:
    if view.state is None:
        return None
    tilt, limit = view.robot.tilt(view.state), view.robot.spec.envelope.max_tilt
    return "" if tilt <= limit else f"tilt {tilt:.2f} rad is above {limit:g} rad"


def _outside(view: View, _: bool) -> str | None:
    pose = _pose(view)
    if pose is None:
        return None if view.state is None else ""
    x, y, _yaw = pose
    within = fence.inside(view.robot.spec.envelope, x, y) >= 0
    return "" if within else f"({x:.2f}, {y:.2f}) m is outside of the arena"


def _fence(view: View, acting: bool) -> str | None:
    pose = _pose(view)
    if pose is None:
        return None if view.state is None else ""
    envelope = view.robot.spec.envelope
    x, y, yaw = pose
    distance = fence.inside(envelope, x, y)
    if acting:
        clear = distance > fence.well_inside(envelope, view.config.fence_hysteresis)
    else:
        clear = not fence.heads_out(envelope, x, y, yaw)
    return "" if clear else f"{distance:.2f} m from the arena's edge, turning back"


def _pose(view: View) -> tuple[float, float, float] | None:
    return None if view.state is None else view.robot.pose(view.state)


def _state_limits(view: View, _: bool) -> str | None:
    if view.state is None:
        return None
    limits = view.robot.spec.envelope.state_limits
    names = [quantity.name for quantity in view.robot.spec.state]
    values = {name: float(view.state[names.index(name)]) for name in limits}
    wrong = [n for n, (low, high) in limits.items() if not low <= values[n] <= high]
    return ", ".join(f"{name} is {values[name]:.3g}" for name in wrong)


def _plant_fault(view: View, _: bool) -> str:
    # Before a first state nothing was driven yet, and there is nothing to reset.
    return view.health.plant_fault if view.had_state else ""


def _stale(kind: str, age: float, limit: float) -> str:
    # A stamp from the future is as little to be trusted as an old one.
    return "" if abs(age) <= limit else f"{kind} is {age:.2f} s old, limit {limit:g} s"


def _stale_state(view: View, _: bool) -> str:
    return _stale("state", view.health.state_age, view.robot.spec.envelope.state_timeout)


def _lost_state(view: View, _: bool) -> str:
    limit = view.config.lost_after * view.robot.spec.envelope.state_timeout
    if not view.had_state or view.health.state_age <= limit:
        return ""
    return f"state is {view.health.state_age:.2f} s old, lost after {limit:g} s"


def _bad_state(view: View, _: bool) -> str:
    return view.state_fault


def _bad_state_persists(view: View, _: bool) -> str:
    return view.state_fault if view.had_state else ""


def _stale_command(view: View, _: bool) -> str:
    return _stale("command", view.health.command_age, view.robot.spec.envelope.command_timeout)


def _bad_command(view: View, _: bool) -> str:
    return view.proposal_fault


def _planner_failed(view: View, _: bool) -> str:
    return "the planner found no finite plan" if view.health.planner_failed else ""


def _battery_empty(view: View, _: bool) -> str | None:
    return _battery(view, view.robot.spec.envelope.battery_empty)


def _battery_low(view: View, acting: bool) -> str | None:
    recovery = view.config.battery_recovery if acting else 0.0
    return _battery(view, view.robot.spec.envelope.battery_low + recovery)


def _battery(view: View, limit: float) -> str | None:
    if view.state is None:
        return None
    volts = view.robot.battery(view.state)
    well = volts is None or volts >= limit
    return "" if well else f"{volts:.2f} V is below {limit:g} V"


def _model_error(view: View, acting: bool) -> str:
    limit = view.robot.spec.envelope.max_model_error * (view.config.model_recovery if acting else 1)
    error = view.health.model_error
    return "" if error <= limit else f"prediction error {error:.3g} is above {limit:g}"


def _command_range(view: View, _: bool) -> str | None:
    if view.proposed is None:
        return None
    spec = view.robot.spec
    slack = TOLERANCE * (spec.action_high - spec.action_low)
    low, high = spec.action_low - slack, spec.action_high + slack
    return _where(view, (view.proposed < low) | (view.proposed > high), "is out of range")


def _command_rate(view: View, _: bool) -> str | None:
    if view.proposed is None:
        return None
    spec = view.robot.spec
    change = np.abs(np.clip(view.proposed, spec.action_low, spec.action_high) - view.last)
    slack = TOLERANCE * (spec.action_high - spec.action_low)
    return _where(view, change > view.step + slack, "changes too fast")


def _where(view: View, wrong: np.ndarray, what: str) -> str:
    names = [limit.name for limit, bad in zip(view.robot.spec.action, wrong, strict=True) if bad]
    return f"{', '.join(names)} {what}" if names else ""


_INSIDE = "reset, once back inside"
_OFTEN = "at the next update that is well"

RULES: tuple[Rule, ...] = (
    Rule("stop_requested", Level.STOP, "a stop is asked for", "reset", _stop_requested),
    Rule("tip_over", Level.STOP, "tilt > max_tilt", "reset, once upright", _tip_over, updates=2),
    Rule("outside", Level.STOP, "beyond the arena's edge", _INSIDE, _outside),
    Rule("state_limits", Level.STOP, "a state beyond its limits", _INSIDE, _state_limits),
    Rule(
        "plant_fault",
        Level.STOP,
        "the driver says that the robot cannot be heard or driven, after a first state",
        "reset, once the driver is well",
        _plant_fault,
    ),
    Rule(
        "lost_state",
        Level.STOP,
        "state_age > lost_after x state_timeout, after a first state",
        "reset, once a state is back",
        _lost_state,
    ),
    Rule(
        "bad_state_persists",
        Level.STOP,
        "state missing, non-finite or of the wrong size, after a first state",
        "reset, once a state is back",
        _bad_state_persists,
        seconds=1.0,
    ),
    # A battery sags under load: only a voltage that stays low is an empty battery.
    Rule(
        "battery_empty",
        Level.STOP,
        "voltage < battery_empty",
        "reset, once above it",
        _battery_empty,
        seconds=2.0,
    ),
    Rule("stale_state", Level.HOLD, "|state_age| > state_timeout", _OFTEN, _stale_state),
    Rule("bad_state", Level.HOLD, "state missing, non-finite, wrong size", _OFTEN, _bad_state),
    # Not latched, however long: a silent controller says nothing against the robot's state, and
    # a joystick whose dead-man button is released goes silent by convention.
    Rule("stale_command", Level.HOLD, "|command_age| > command_timeout", _OFTEN, _stale_command),
    Rule(
        "bad_command", Level.HOLD, "command missing, non-finite, wrong size", _OFTEN, _bad_command
    ),
    Rule("planner_failed", Level.HOLD, "no finite plan", _OFTEN, _planner_failed),
    Rule(
        "fence",
        Level.RETREAT,
        "within margin of the arena's edge, heading outwards",
        "fence_hysteresis margins further in",
        _fence,
    ),
    Rule(
        "battery_low",
        Level.LIMITED,
        "voltage < battery_low; range x limited_range",
        "battery_recovery above it",
        _battery_low,
        seconds=1.0,
    ),
    Rule(
        "model_error",
        Level.LIMITED,
        "model_error > max_model_error; range x limited_range",
        "below model_recovery of it",
        _model_error,
        updates=5,
    ),
    Rule("command_range", Level.LIMITED, "command out of range; clipped", _OFTEN, _command_range),
    Rule("command_rate", Level.LIMITED, "command changes too fast; clipped", _OFTEN, _command_rate),
)

# While one of these acts, only a part of the action range is left.
SLOWING = frozenset({"battery_low", "model_error"})
# These only report what the limits did to the command.
CLIPPING = frozenset({"command_range", "command_rate"})


def describe(rules: tuple[Rule, ...] = RULES) -> str:
    """The table in Markdown."""
    lines = ["| rule | level | when | for | latched | clears |", "|---|---|---|---|---|---|"]
    for rule in rules:
        persists = [f"{rule.updates} updates"] if rule.updates > 1 else []
        persists += [f"{rule.seconds:g} s"] if rule.seconds else []
        cells = (
            f"`{rule.name}`",
            rule.level.name,
            rule.when.replace("|", "\\|"),
            " and ".join(persists) or "at once",
            "yes" if rule.latched else "no",
            rule.clears,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
