"""Changes of a robot's twin: what its faults consist of, and what differs from robot to robot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.marked import Marked

# What can change of a thing. Factors, but for a body's mass [kg], a joint's friction [N m], what a
# sensor is off by, and a latency [s], which are values. Without a thing: all of the robot.
QUANTITIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "body": ("mass",),
        "geom": ("size", "radius", "friction"),
        "joint": ("damping", "friction"),
        "actuator": ("factor",),
        "command": ("factor",),
        "sensor": ("add",),
        "": ("mass", "friction", "gear", "damping", "latency"),
    }
)
ANY_SIGN = ("add",)
NONE_OR_MORE = ("factor", "latency")  # and a joint's friction
DISABLED, WEAK = 0.0, 0.3  # what is left of a command under the faults that every robot has


@dataclass(frozen=True)
class Change:
    """One number of a twin that is changed.

    Args:
        of: the kind of thing, a key of `QUANTITIES`.
        name: of the thing.
        quantity: of it.
        low, high: the range that the number is drawn from; of a fault both are the number.
        place: where the file says so; None: it is a fault that every robot has.
    """

    of: str
    name: str
    quantity: str
    low: float
    high: float
    place: Marked | None = None


def read_faults(
    marked: Marked | None, description: Description, errors: Collection[str]
) -> dict[str, tuple[Change, ...]]:
    """Read faults by name, after those that every robot has.

    Those are NAME_disabled and NAME_weak of each command, and of each group that fails together.

    Args:
        marked: the section, if there is one.
        description: of the robot.
        errors: names of what a measurement may be off by.

    Raises:
        UserError: something in it is wrong.
    """
    commands = [limit.name for limit in description.action]
    groups = {**{name: (name,) for name in commands}, **description.fail_together}
    faults = {
        f"{group}_{word}": tuple(Change("command", n, "factor", left, left) for n in members)
        for word, left in (("disabled", DISABLED), ("weak", WEAK))
        for group, members in groups.items()
    }
    for name, each in ({} if marked is None else marked.items()).items():
        if not name.isidentifier():
            raise each.error("expected a name of letters, digits and _")
        parts = each.several(least=1) if isinstance(each.value, list) else [each]
        faults[name] = tuple(c for part in parts for c in _changes(part, False, errors, commands))
    return faults


def read_changes(marked: Marked | None, errors: Collection[str]) -> tuple[Change, ...]:
    """Read what differs from robot to robot: ranges of the whole robot, or of things by any name.

    Raises:
        UserError: something in it is wrong.
    """
    entries = {} if marked is None else marked.items()
    own = {name: each for name, each in entries.items() if each.nested}
    whole = {name: each for name, each in entries.items() if name not in own}
    found = []
    if marked is not None and whole:
        found += _changes(Marked(marked.file, marked.line, marked.path, whole), True, errors, ())
    for each in own.values():
        found += _changes(each, True, errors, ())
    for change in found:
        if change.of in ("sensor", "command") or change.quantity == "latency":
            assert change.place is not None
            raise change.place.error("expected under 'faults': it cannot differ between robots")
    return tuple(found)


def _changes(
    marked: Marked, drawn: bool, errors: Collection[str], commands: Collection[str]
) -> list[Change]:
    """Return the changes of one thing, or of the whole robot."""
    entries = marked.items()
    of = next((kind for kind in QUANTITIES if kind and kind in entries), "")
    found = marked.among((*((of,) if of else _things(drawn)), *QUANTITIES[of]))
    name = ""
    if of:
        thing = found.pop(of)
        known = {"sensor": errors, "command": commands}.get(of)
        name = thing.text() if known is None or not known else thing.choice(tuple(known))
    if not found:
        raise marked.error(f"expected one of {', '.join(QUANTITIES[of])}")
    return [_change(of, name, quantity, each, drawn) for quantity, each in found.items()]


def _things(drawn: bool) -> tuple[str, ...]:
    """Return the keys that name a thing, for the message about an unknown one."""
    return () if drawn else tuple(kind for kind in QUANTITIES if kind)


def _change(of: str, name: str, quantity: str, marked: Marked, drawn: bool) -> Change:
    low, high = marked.span() if drawn else (marked.number(), marked.number())
    least = quantity in NONE_OR_MORE or (of, quantity) == ("joint", "friction")
    if quantity not in ANY_SIGN and (low < 0.0 if least else low <= 0.0):
        raise marked.wrong("0 or more" if least else "a number above 0")
    return Change(of, name, quantity, low, high, marked)
