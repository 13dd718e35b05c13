"""Company: who else is on the robot's topics, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ros_mbmrl.plants.topics.bus import End
from ros_mbmrl.robots.described.quantities import TRANSFORMS


def by_type(ends: Iterable[End]) -> dict[str, list[str]]:
    """Return the nodes at one side of a topic by the type of their messages."""
    found: dict[str, list[str]] = {}
    for end in ends:
        found.setdefault(end.type, []).append(end.node)
    return found


def giver_fault(name: str, kind: str, ends: Sequence[End], reliable: bool = False) -> str:
    """Return what is wrong with the publishers of a topic; empty if nothing is.

    Transforms have many publishers, as a rule.

    Args:
        name, kind: of the topic.
        ends: who publishes.
        reliable: the file asks for reliable messages.
    """
    givers = by_type(ends)
    mine = givers.get(kind, ())
    if len(mine) > 1 and kind != TRANSFORMS:
        return f"{name} comes from {' and '.join(mine)}: expected one of them"
    if givers and not mine:
        return f"{name} has {_listed(givers)}: expected {kind}"
    loose = [end.node for end in ends if end.type == kind and not end.reliable]
    if reliable and loose:
        return f"{name}: {', '.join(loose)} is not reliable, and 'reliable: true' asks for it"
    return ""


def rival_fault(name: str, own: str, ends: Iterable[End]) -> str:
    """Return who else than us publishes commands; empty if nobody does."""
    rivals = [end.node for end in ends if end.node != own]
    if not rivals:
        return ""
    return f"{name}: {', '.join(rivals)} publishes there as well: expected nobody"


def taken_types(kinds: Sequence[str], ends: Iterable[End]) -> list[str]:
    """Return which of the types of a command's topic somebody takes."""
    takers = by_type(ends)
    return [kind for kind in kinds if kind in takers]


def unclear_fault(name: str, kinds: Sequence[str], ends: Iterable[End]) -> str:
    """Return that a command is taken as several types; empty if it is not."""
    takers = by_type(ends)
    taken = [kind for kind in kinds if kind in takers]
    if len(taken) < 2:
        return ""
    who = " and ".join(f"{_short(kind)} by {', '.join(takers[kind])}" for kind in taken)
    return f"{name} is taken as {who}: expected one of them"


def nobody_fault(name: str, kinds: Sequence[str], current: str, ends: Iterable[End]) -> str:
    """Return why a command is heard by nobody.

    Args:
        name: of the topic.
        kinds: types that its messages may have.
        current: the one that is published; empty: none yet.
        ends: who listens.
    """
    takers = by_type(ends)
    same = takers.get(current)
    if same:
        return f"{name}: {', '.join(same)} does not match in quality of service, or not yet"
    others = f", but {_listed(takers)}" if takers else ""
    wanted = " or ".join(map(_short, kinds)) if len(kinds) > 1 else kinds[0]
    return f"{name}: nobody takes a {wanted} there{others}"


def _short(kind: str) -> str:
    return kind.rpartition("/")[2]


def _listed(ends: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{kind} of {' and '.join(nodes)}" for kind, nodes in ends.items())
