"""Find commands of others, second publishers and stamps that jump."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Sequence

from rclpy.node import Node
from sensor_msgs.msg import JointState

from ros_mbmrl.errors import RunError
from ros_mbmrl.nodes.links import Publishes
from ros_mbmrl.nodes.messages import from_stamp

# Topics of a single publisher.
ALONE = (
    *("command/proposed", "command/proposed/heard", "command/safe", "command/heard"),
    "adaptation",
)
REMEMBERED = 32  # states, with our own commands for each
HEARD = 0.5  # [s] for which what was heard counts
JUMP = 0.5  # [s] that stamps may gain on the steady clock
SETTLED = 5  # looks in a row at the same listeners
PATIENCE = 10.0  # [s] for which a first message waits for who must hear it
RECENT = 20  # states that the gain is counted from


class Echo:
    """Compare the commands that a receiver heard with those that were sent to it.

    A command that was changed on its way, or that somebody else sent, is foreign. `foreign` counts.
    One thread may send while another one hears.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: OrderedDict[int, list[JointState]] = OrderedDict()
        self.foreign = 0

    def sent(self, command: JointState) -> None:
        """Remember our own command; there may be several for the same state. Call it first."""
        stamp = from_stamp(command.header.stamp)
        with self._lock:
            known = self._sent.setdefault(stamp, [])
            if command not in known:  # who stands still says the same again and again
                known.append(command)
            while len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)

    def heard(self, command: JointState) -> bool:
        """Return whether the command that the receiver heard is foreign.

        Commands from before the oldest one that is remembered are not judged.
        """
        stamp = from_stamp(command.header.stamp)
        with self._lock:
            if not self._sent or stamp < min(self._sent):
                return False
            foreign = command not in self._sent.get(stamp, ())
            self.foreign += foreign
        return foreign


class PeerWatch:
    """Find second publishers and stamps that jump, and keep what else was found, for a while.

    Publishers are counted by `look`.

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
        self._several: list[str] = []  # topics with second publishers

    def look(self) -> None:
        """Count publishers. For a timer: within an answer it took a fifth of its time."""
        counts = {name: self._node.count_publishers(full) for name, full in self._topics.items()}
        self._several = [f"{name} has {n} publishers" for name, n in counts.items() if n > 1]

    def note(self, what: str, now: float) -> bool:
        """Keep what is wrong, found at `now` [s]; return whether it was not known."""
        known = now - self._found.get(what, -math.inf) < HEARD
        self._found[what] = now
        return not known

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
        """Return what is wrong at `now` [s], empty if nothing is; publishers as last counted."""
        self._found = {what: when for what, when in self._found.items() if now - when < HEARD}
        return "; ".join([*self._several, *self._found])


def missing_listeners(node: Node, publisher: Publishes, names: Iterable[str]) -> list[str]:
    """Return which of the nodes called `names` would miss what is published now."""
    known = node.get_subscriptions_info_by_topic(publisher.topic_name)
    if publisher.get_subscription_count() < len(known):  # known of, but not connected yet
        return sorted(names)
    return sorted(set(names) - {info.node_name for info in known})


def await_listeners(
    node: Node,
    publishers: Sequence[Publishes],
    names: Sequence[str],
    stop: threading.Event,
    clock: Callable[[], float],
    patience: float,
    everywhere: Collection[str] = (),
) -> None:
    """Wait until the nodes called `names` listen to the publishers, or until `stop`.

    A node may listen to some of them only. The middleware tells of subscriptions and connects them
    topic by topic, so all that are known must be connected, and no more become known for a while.

    Args:
        clock: [s], steady.
        patience: [s].
        everywhere: those of `names` that listen to all of the publishers, so that nothing need be
            guessed: on a busy machine a node may take longer from topic to topic than "a while".

    Raises:
        RunError: If one of them is not there in time.
    """
    whole = set(names) & set(everywhere)
    until, before, looks = clock() + patience, -1, 0
    while names and not stop.wait(0.02):
        known = [node.get_subscriptions_info_by_topic(each.topic_name) for each in publishers]
        heard = [{info.node_name for info in infos} for infos in known]
        missing = sorted((set(names) - set().union(*heard)) | (whole - set.intersection(*heard)))
        both = zip(publishers, known, strict=True)
        connected = all(each.get_subscription_count() >= len(infos) for each, infos in both)
        count = sum(map(len, known))
        looks = looks + 1 if connected and not missing and count == before else 0
        before = count
        if looks == SETTLED:
            return
        if clock() > until:
            told = ", ".join(missing or names)
            raise RunError(f"{node.get_name()}: not there in {patience:g} s: {told}")


def refuse_company(node: Node, topics: Iterable[str]) -> None:
    """Refuse to share topics with another graph of the same name.

    Raises:
        RunError: If one of them has more than one publisher.
    """
    for topic in topics:
        if node.count_publishers(topic) > 1:
            raise RunError(
                f"{node.get_name()}: {topic} has more than one publisher: another graph runs in "
                "this ROS domain: end it, or set ROS_DOMAIN_ID to another number"
            )
