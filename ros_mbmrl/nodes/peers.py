"""What is wrong with who else speaks on the graph, as safety and the controller hear it."""

from __future__ import annotations

from ast import literal_eval
from collections import OrderedDict, deque
from collections.abc import Sequence

import numpy as np
from rclpy.node import Node

from ros_mbmrl.robots.spec import Array

ALONE = ("command/proposed", "command/safe", "adaptation")  # topics of a single publisher
REMEMBERED = 32  # own commands
HEARD = 0.5  # [s] for which what was heard counts
JUMP = 0.5  # [s] that stamps may gain on the steady clock
RECENT = 20  # states that the gain is counted from


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
    """Second publishers, commands that are not ours at the plant, stamps that jump.

    states: topics of the robot's state, which one publisher may speak on, too.
    """

    def __init__(self, node: Node, states: Sequence[str] = ()) -> None:
        self._node = node
        # Not resolved: a remapped topic of ours must not hide the graph's own.
        space = node.get_namespace().rstrip("/")
        self._topics = {name: f"{space}/{name}" for name in (*ALONE, *states)}
        self._leads: deque[float] = deque(maxlen=RECENT)  # stamp less steady time [s]
        self._newest = 0.0  # stamp [s]
        self._found: dict[str, float] = {}  # what was heard, and when on the steady clock

    def note(self, what: str, now: float) -> None:
        """Something is wrong."""
        self._found[what] = now

    def stamped(self, stamp: float, now: float) -> None:
        """Judge the stamp [s] of a state that has come at `now` [s].

        A stall makes stamps lose time against the steady clock, and what was held up gains it back:
        both are for the rules of a late state. No stall makes stamps gain more, or fall back.
        """
        lead = stamp - now
        if self._leads and stamp < self._newest:
            self.note(f"stamps of the state fell back by {self._newest - stamp:.1f} s", now)
            self._leads.clear()
        elif self._leads and lead - max(self._leads) > JUMP:
            gained = lead - max(self._leads)
            self.note(f"stamps of the state jumped ahead by {gained:.1f} s", now)
        self._leads.append(lead)
        self._newest = stamp

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
