"""What is wrong with who else speaks on the graph, as safety and the controller hear it."""

from __future__ import annotations

from ast import literal_eval
from collections import OrderedDict

import numpy as np
from rclpy.node import Node

from ros_mbmrl.robots.spec import Array

ALONE = ("command/proposed", "command/safe")  # topics of a single publisher
REMEMBERED = 32  # own commands
HEARD = 0.5  # [s] for which what was heard counts
JUMP = 0.5  # [s] by which stamps and the steady clock may come apart in one step


class Echo:
    """Whether what was sent is what arrived: who receives commands tells what it was told.

    Whatever comes in between, and whoever else sends, shows here. `foreign` counts.
    """

    def __init__(self, rest: Array) -> None:
        self._rest = tuple(rest.tolist())
        self._sent: OrderedDict[int, set[tuple[float, ...]]] = OrderedDict()
        self.foreign = 0

    def sent(self, stamp: int, action: Array) -> None:
        """Our own command in answer to the state stamped `stamp` [ns]; there may be several."""
        self._sent.setdefault(stamp, set()).add(tuple(action.tolist()))
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def told(self, stamp: int, text: str, late: bool = True) -> bool:
        """Whether what the other end says it heard by the end of that step is not ours.

        It is ours if it answers that state (late: or the one before it, for ours may have come too
        late), or if it is rest. What was said of a state that we know nothing of is not judged.
        """
        stamps = list(self._sent)
        if stamp not in stamps[1:]:
            return False
        last = stamps.index(stamp)
        ours = {self._rest}.union(*(self._sent[each] for each in stamps[last - late : last + 1]))
        foreign = _numbers(text) not in ours
        self.foreign += foreign
        return foreign


class PeerWatch:
    """Second publishers, commands that are not ours at the plant, stamps that jump."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # Not resolved: a remapped topic of ours must not hide the graph's own.
        self._topics = {name: f"{node.get_namespace().rstrip('/')}/{name}" for name in ALONE}
        self._last: tuple[float, float] | None = None
        self._found: dict[str, float] = {}  # what was heard, and when on the steady clock

    def note(self, what: str, now: float) -> None:
        """Something is wrong."""
        self._found[what] = now

    def stamped(self, stamp: float, now: float) -> None:
        """A state stamped `stamp` [s] has come at `now` [s]."""
        if self._last is not None:
            jump = (stamp - self._last[0]) - (now - self._last[1])
            if abs(jump) > JUMP:
                self.note(f"stamps of the state jumped by {jump:+.1f} s", now)
        self._last = (stamp, now)

    def complaint(self, now: float) -> str:
        """What is wrong, empty if nothing is."""
        self._found = {what: when for what, when in self._found.items() if now - when < HEARD}
        counts = {name: self._node.count_publishers(full) for name, full in self._topics.items()}
        several = [f"{name} has {n} publishers" for name, n in counts.items() if n > 1]
        return "; ".join([*several, *self._found])


def _numbers(text: str) -> tuple[float, ...] | None:
    """Numbers that were written by `repr`; None for anything else."""
    try:
        return tuple(float(value) for value in np.atleast_1d(literal_eval(text)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
