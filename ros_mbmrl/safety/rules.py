"""The rules of the safety monitor, as one table; the documentation's tables are made from it.

A rule acts once its condition has stood for `updates` updates in a row and for `seconds`. It
ends by itself once the condition has been away for `clear_seconds`; one of level LATCHED is ended
by a reset alone. Of the rules that act the worst level wins.

`python -m ros_mbmrl.safety.rules docs/safety.md` writes both tables there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ros_mbmrl.safety import conditions as c
from ros_mbmrl.safety.types import Level

Condition = Callable[[c.View, bool], "str | None"]

# What the robot does at each level, and how the level ends: for people.
LEVELS: Mapping[Level, tuple[str, str]] = MappingProxyType(
    {
        Level.RUN: ("the proposed command", "-"),
        Level.LIMITED: (
            "the proposed command, clipped to range, rate or a part of the range",
            "with its cause",
        ),
        Level.RETURN: ("turns back into the arena, whatever is proposed", "well inside"),
        Level.HOLD: (
            "stands still: nothing to go by at the moment",
            "at the next update that is well",
        ),
        Level.STOP: (
            "stands still: what comes in is not trusted",
            "once the cause has been away for a while",
        ),
        Level.LATCHED: ("stands still", "only by a reset, refused while a cause stands"),
    }
)


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    when, clears: for people. condition(view, acting): see `conditions`.
    updates, seconds [s]: how long the condition must stand before the rule acts; clear_seconds
    [s]: how long it must be away before the rule ends. after_start: before it, the rule does not
    act: `starting` has all that may not be ready.
    """

    name: str
    level: Level
    when: str
    clears: str
    condition: Condition
    updates: int = 1
    seconds: float = 0.0
    clear_seconds: float = 0.0
    after_start: bool = False

    @property
    def latched(self) -> bool:
        """Whether only a reset ends it."""
        return self.level is Level.LATCHED


_INSIDE = "reset, once back inside"
_AT_ONCE = "at the next update that is well"
_AFTER = 0.5  # [s] that a state must be well again: flicker must not make the robot jerk

RULES: tuple[Rule, ...] = (
    Rule("stop_requested", Level.LATCHED, "a stop is asked for", "reset", c.stop_requested),
    Rule(
        "tip_over", Level.LATCHED, "tilt > max_tilt", "reset, once upright", c.tip_over, updates=2
    ),
    Rule("outside", Level.LATCHED, "beyond the arena's edge", _INSIDE, c.outside),
    Rule("state_limits", Level.LATCHED, "a state beyond its limits", _INSIDE, c.state_limits),
    Rule(
        "plant_fault",
        Level.LATCHED,
        "the driver says that the robot cannot be heard or driven",
        "reset, once the driver is well",
        c.plant_fault,
        after_start=True,
    ),
    Rule(
        "second_publisher",
        Level.LATCHED,
        "somebody else publishes what only one node may",
        "reset, once it is gone",
        c.second_publisher,
        after_start=True,
    ),
    Rule(
        "lost_state",
        Level.LATCHED,
        "state_age > lost_after x state_timeout",
        "reset, once a state is back",
        c.lost_state,
        after_start=True,
    ),
    Rule(
        "bad_state_persists",
        Level.LATCHED,
        "as bad_state",
        "reset, once a state is back",
        c.bad_state,
        after_start=True,
        seconds=1.0,
    ),
    Rule(
        "frozen_state_persists",
        Level.LATCHED,
        "as frozen_state",
        "reset, once its numbers change",
        c.frozen_state,
        seconds=0.5,
    ),
    Rule(
        "state_jumps",
        Level.LATCHED,
        "as state_jump, `jumps` times within a second",
        "reset, a second after the last",
        c.state_jumps,
    ),
    # A battery sags under load: only a voltage that stays low is an empty battery.
    Rule(
        "battery_empty",
        Level.LATCHED,
        "voltage < battery_empty",
        "reset, once above it",
        c.battery_empty,
        seconds=2.0,
    ),
    Rule(
        "stale_state",
        Level.STOP,
        "|state_age| > state_timeout",
        "fresh",
        c.stale_state,
        after_start=True,
        clear_seconds=_AFTER,
    ),
    Rule(
        "bad_state",
        Level.STOP,
        "state missing, non-finite, wrong size",
        "finite and complete",
        c.bad_state,
        after_start=True,
        clear_seconds=_AFTER,
    ),
    Rule(
        "frozen_state",
        Level.STOP,
        "one of `live_sensors` the same to the bit for frozen_updates while driven",
        "changing",
        c.frozen_state,
        clear_seconds=_AFTER,
    ),
    Rule(
        "late_state",
        Level.HOLD,
        "|state_age| > late_after x state_timeout, after the start",
        _AT_ONCE,
        c.late_state,
    ),
    Rule(
        "starting",
        Level.HOLD,
        "at the start and after a reset: fewer than start_updates fresh and finite states in a "
        "row, each newer than the last; a fault of the driver; a second publisher",
        _AT_ONCE,
        c.starting,
    ),
    # One sample alone: it is not judged by any other rule, and the next one may be well.
    Rule(
        "state_jump",
        Level.HOLD,
        "the pose moves faster than max_speed or turns faster than max_turn_rate, or a number is "
        "beyond its state_range",
        _AT_ONCE,
        c.state_jump,
    ),
    # Not latched, however long: a silent controller says nothing against the robot's state, and
    # a joystick whose dead-man button is released goes silent by convention.
    Rule("stale_command", Level.HOLD, "|command_age| > command_timeout", _AT_ONCE, c.stale_command),
    Rule(
        "bad_command",
        Level.HOLD,
        "command missing, non-finite, wrong size, or ten ranges out of range",
        _AT_ONCE,
        c.bad_command,
    ),
    Rule("planner_failed", Level.HOLD, "no finite plan", _AT_ONCE, c.planner_failed),
    Rule(
        "fence",
        Level.RETURN,
        "within margin of the arena's edge, heading outwards",
        "fence_hysteresis margins further in",
        c.fence,
    ),
    Rule(
        "battery_low",
        Level.LIMITED,
        "voltage < battery_low; range x limited_range",
        "battery_recovery above it",
        c.battery_low,
        seconds=1.0,
    ),
    Rule(
        "model_error",
        Level.LIMITED,
        "model_error > max_model_error; range x limited_range",
        "below model_recovery of it",
        c.model_error,
        updates=5,
    ),
    Rule(
        "command_range", Level.LIMITED, "command out of range; clipped", _AT_ONCE, c.command_range
    ),
    Rule(
        "command_rate",
        Level.LIMITED,
        "command changes too fast; clipped",
        _AT_ONCE,
        c.command_rate,
    ),
)

# While one of these acts, only a part of the action range is left.
SLOWING = frozenset({"battery_low", "model_error"})
# These only report what the limits did to the command.
CLIPPING = frozenset({"command_range", "command_rate"})


def describe_levels() -> str:
    """The levels in Markdown, worst first."""
    rows = [(level.name, *LEVELS[level]) for level in sorted(Level, reverse=True)]
    return _table(("level", "the robot", "ends"), rows)


def describe(rules: tuple[Rule, ...] = RULES) -> str:
    """The rules in Markdown."""
    rows = [
        (
            f"`{rule.name}`",
            rule.level.name,
            f"after the start: {rule.when}" if rule.after_start else rule.when,
            _delay(rule.updates, rule.seconds) or "at once",
            f"{rule.clears} for {rule.clear_seconds:g} s" if rule.clear_seconds else rule.clears,
        )
        for rule in rules
    ]
    return _table(("rule", "level", "when", "for", "clears"), rows)


def _delay(updates: int, seconds: float) -> str:
    parts = [f"{updates} updates"] if updates > 1 else []
    return " and ".join(parts + ([f"{seconds:g} s"] if seconds else []))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def filled(text: str) -> str:
    """The text with both tables between their marks, `<!-- levels -->` and `<!-- /levels -->`."""
    for mark, table in (("levels", describe_levels()), ("rules", describe())):
        head, rest = text.split(f"<!-- {mark} -->\n")
        tail = rest.split(f"<!-- /{mark} -->\n")[1]
        text = f"{head}<!-- {mark} -->\n{table}<!-- /{mark} -->\n{tail}"
    return text


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(filled(document.read_text()))
