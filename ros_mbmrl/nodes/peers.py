"""What is wrong with who else speaks on the graph: the safety node's ear for it."""

from __future__ import annotations

from collections import OrderedDict

from rclpy.node import Node
from sensor_msgs.msg import JointState

from ros_mbmrl.nodes.messages import from_stamp

ALONE = ("command/proposed", "command/safe")  # topics of a single publisher
REMEMBERED = 32  # own commands
HEARD = 0.5  # [s] for which a command of somebody else's counts
JUMP = 0.5  # [s] by which stamps and the steady clock may come apart in one step


class PeerWatch:
    """Second publishers, commands that are not one's own, stamps that jump."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._topics = {name: node.resolve_topic_name(name) for name in ALONE}
        self._sent: OrderedDict[int, tuple[float, ...]] = OrderedDict()
        self._last: tuple[float, float] | None = None
        self._found: dict[str, float] = {}  # what was heard, and when on the steady clock
        self.foreign = 0

    def sent(self, message: JointState) -> None:
        """Our own command goes out."""
        self._sent[from_stamp(message.header.stamp)] = _content(message)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def heard(self, message: JointState, now: float) -> bool:
        """A command has come by on `command/safe`; whether it is somebody else's."""
        ours = self._sent.get(from_stamp(message.header.stamp))
        if not self._sent or ours == _content(message):
            return False
        self.foreign += 1
        self._found["command/safe carries a command that safety did not send"] = now
        return True

    def stamped(self, stamp: float, now: float) -> None:
        """A state stamped `stamp` [s] has come at `now` [s]."""
        if self._last is not None:
            jump = (stamp - self._last[0]) - (now - self._last[1])
            if abs(jump) > JUMP:
                self._found[f"stamps of the state jumped by {jump:+.1f} s"] = now
        self._last = (stamp, now)

    def complaint(self, now: float) -> str:
        """What is wrong, empty if nothing is."""
        self._found = {what: when for what, when in self._found.items() if now - when < HEARD}
        counts = {name: self._node.count_publishers(full) for name, full in self._topics.items()}
        several = [f"{name} has {n} publishers" for name, n in counts.items() if n > 1]
        return "; ".join([*several, *self._found])


def _content(message: JointState) -> tuple[float, ...]:
    """A command's numbers, whatever they are; NaN is not equal to itself, hence never ours."""
    return (*message.name, *message.position, *message.velocity, *message.effort)
