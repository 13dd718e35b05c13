"""A client of the rosbridge emulator: throttles and queues, advertisements, complaints."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.emulators.pr2_side import HALT, PR2Side
from ros_mbmrl.plants.emulators.rosbridge_session import Session, Subscription
from ros_mbmrl.plants.wire import rosbridge

ELBOW, JOINTS = "/effort_l_elbow_flex_joint/command", "/joint_states"


def session() -> Session:
    """A client of a robot whose time stands still."""
    return Session(PR2Side(SimpleNamespace(), 0.0, watchdog=False))


def test_throttle_and_queue_as_rosbridge_has_them() -> None:
    unlimited = Subscription(throttle=0.0, length=0)
    newest = Subscription(throttle=5 / 64, length=1)
    early_dropped = Subscription(throttle=5 / 64, length=0)
    sent: dict[str, list[str]] = {"unlimited": [], "newest": [], "early_dropped": []}
    for k in range(20):
        now = k / 64
        for name, subscription in (
            ("unlimited", unlimited),
            ("newest", newest),
            ("early_dropped", early_dropped),
        ):
            subscription.offer(str(k), now)
            sent[name] += subscription.due(now)
    assert sent["unlimited"] == [str(k) for k in range(20)]
    assert sent["newest"] == ["0", "5", "10", "15"]
    assert sent["early_dropped"] == ["0", "5", "10", "15"]
    for k in range(20, 40):  # a client that does not read
        newest.offer(str(k), k / 64)
    assert newest.due(1.0) == ["39"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("what", "not JSON"),
        ('{"op":"explode"}', "unknown operation 'explode'"),
        ('{"op":"publish","topic":"/nowhere","msg":{}}', "Cannot infer topic type"),
        ('{"op":"subscribe","topic":"/nowhere"}', "Cannot infer topic type"),
        (f'{{"op":"advertise","topic":"{ELBOW}","type":"std_msgs/Bool"}}', "it is std_msgs/Float"),
        (f'{{"op":"publish","topic":"{ELBOW}","msg":{{"data":"1"}}}}', "not a std_msgs/Float64"),
        ('{"op":"subscribe","topic":"/joint_states","queue_length":[]}', "subscribe: int"),
        ('{"op":"status","level":"info","msg":"hello"}', "Unknown operation: status"),
    ],
)
def test_what_is_wrong_comes_back_as_a_status(text: str, complaint: str) -> None:
    client = session()
    client.receive(text, 0.0)
    [answer] = [json.loads(reply) for reply in client.due(0.0)]
    assert (answer["op"], answer["level"]) == ("status", "error")
    assert complaint in answer["msg"]
    assert not client._side.torques.any()


def test_a_service_that_is_not_there() -> None:
    client = session()
    client.receive('{"op":"call_service","service":"/nobody","id":"7"}', 0.0)
    status, answer = (json.loads(reply) for reply in client.due(0.0))
    assert status["level"] == "error"
    assert answer == {
        "op": "service_response",
        "service": "/nobody",
        "id": "7",
        "result": False,
        "values": "Service /nobody does not exist",
    }


def test_an_unsubscribed_topic_is_silent() -> None:
    client = session()
    client.receive(rosbridge.subscribe("/joint_states", rosbridge.JOINT_STATE), 0.0)
    client.offer("/joint_states", "a", 0.0)
    assert client.due(0.0) == ["a"]
    client.receive(rosbridge.encode("unsubscribe", topic="/joint_states"), 0.0)
    client.offer("/joint_states", "b", 0.1)
    assert client.due(0.1) == []


def told(client: Session, op: str, **fields: Any) -> dict[str, Any]:
    """The one answer to an operation."""
    client.receive(json.dumps({"op": op, **fields}), 0.0)
    [answer] = [json.loads(text) for text in client.due(0.0)]
    return dict(answer)


class Client:
    """A session that is offered /joint_states at 100 Hz."""

    def __init__(self) -> None:
        self.session, self._now = session(), 100.0

    def say(self, op: str, **fields: Any) -> None:
        self.session.receive(json.dumps({"op": op, "topic": JOINTS, **fields}), self._now)

    def rate(self, seconds: float = 2.0) -> float:
        """Messages that come through, a second."""
        came = 0
        for k in range(round(100 * seconds)):
            self._now += 0.01
            self.session.offer(JOINTS, str(k), self._now)
            came += len(self.session.due(self._now))
        return came / seconds


def test_several_subscriptions_of_a_topic_are_merged_and_end_one_by_one() -> None:
    client = Client()
    client.say("subscribe", id="slow", throttle_rate=500, queue_length=1)
    assert client.rate() == pytest.approx(2, abs=0.5)
    client.say("subscribe", id="fast", throttle_rate=100, queue_length=5)
    assert client.rate() == pytest.approx(10, abs=0.5)
    client.say("subscribe", id="fast", throttle_rate=200)  # the same id: changed
    assert client.rate() == pytest.approx(5, abs=0.5)
    client.say("subscribe")  # without an id, without a throttle
    assert client.rate() == 100
    client.say("unsubscribe", id="nobody")
    assert client.rate() == 100
    client.say("subscribe", throttle_rate=400)
    client.say("unsubscribe", id="fast")
    assert client.rate() == pytest.approx(2.5, abs=0.5)
    client.say("unsubscribe", id="slow")
    assert client.rate() == pytest.approx(2.5, abs=0.5)
    client.say("unsubscribe")
    assert client.rate() == 0
    client.say("subscribe", id="a")
    client.say("subscribe", id="b")
    client.say("unsubscribe")  # all of them
    assert client.rate() == 0


def test_the_lowest_queue_length_keeps_the_newest() -> None:
    wanted = Subscription()
    wanted.wish("a", 1.0, 5)
    for k in range(5):
        wanted.offer(str(k), 0.0)
    wanted.sent = 0.0
    wanted.wish("b", 2.0, 2)
    assert (wanted.throttle, wanted.length, list(wanted.waiting)) == (1.0, 2, ["3", "4"])


def test_an_advertisement_ends_with_its_last_id() -> None:
    client = session()
    for identity in ("a", "b"):
        client.receive(
            rosbridge.encode("advertise", topic="/x", type="std_msgs/Bool", id=identity), 0
        )
    client.receive(rosbridge.encode("unadvertise", topic="/x", id="a"), 0)
    client.receive(rosbridge.publish("/x", {"data": True}), 0)
    assert client.due(0) == []
    assert "but it is std_msgs/Bool" in told(client, "advertise", topic="/x", type="z/Z")["msg"]
    client.receive(rosbridge.encode("unadvertise", topic="/x", id="b"), 0)
    assert "Cannot infer topic type" in told(client, "publish", topic="/x", msg={})["msg"]


@pytest.mark.parametrize(
    ("op", "fields", "complaint"),
    [
        ("fragment", {"data": "{}", "num": 0, "total": 2}, "fragment: not an operation of this"),
        ("png", {"data": ""}, "png: not an operation of this emulator"),
        ("advertise_service", {"type": "a/B", "service": "/s"}, "advertise_service: not an op"),
        ("unadvertise_service", {"service": "/s"}, "unadvertise_service: not an operation"),
        ("service_response", {"service": "/s", "result": True}, "service_response: not an op"),
        ("set_level", {"level": "info"}, "set_level: not an operation of this emulator"),
        ("auth", {}, "auth: not an operation of this emulator"),
        ("explode", {}, "unknown operation 'explode': expected one of advertise"),
        ("subscribe", {"topic": JOINTS, "fragment_size": 100}, "subscribe: fragment_size: not a"),
        ("subscribe", {"topic": JOINTS, "compression": "png"}, "subscribe: compression: not a"),
        ("subscribe", {"topic": JOINTS, "compression": "cbor"}, "got 'cbor'"),
        ("subscribe", {"topic": JOINTS, "compression": "cbor-raw"}, "got 'cbor-raw'"),
        (
            "subscribe",
            {"topic": JOINTS, "throttle_rate": 0.5},
            "integer expected for throttle_rate",
        ),
        ("subscribe", {"topic": JOINTS, "type": 3}, "subscribe: a type's name expected, got 3"),
        ("call_service", {"service": HALT, "compression": "png"}, "call_service: compression"),
        ("publish", {"topic": ELBOW}, "publish: expected a field 'msg'"),
    ],
)
def test_what_is_beyond_it_is_told_with_the_id(
    op: str, fields: dict[str, Any], complaint: str
) -> None:
    client = session()
    answer = told(client, op, id="seven", **fields)
    assert (answer["op"], answer["level"], answer["id"]) == ("status", "error", "seven")
    assert complaint in answer["msg"]
    client.offer(JOINTS, "a", 1.0)
    assert client.due(1.0) == []
    assert not client._side.halted


def test_no_compression_is_no_compression() -> None:
    client = session()
    fields = {"topic": JOINTS, "compression": "none", "fragment_size": None}
    client.receive(json.dumps({"op": "subscribe", **fields}), 0.0)
    client.offer(JOINTS, "a", 1.0)
    assert client.due(1.0) == ["a"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([10**400, JOINTS, ELBOW, HALT, "std_msgs/Float64", "none"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "msg", "id"]), inner, max_size=2)
    ),
    max_leaves=6,
)


FIELDS = ("topic", "type", "msg", "service", "args", "id", "throttle_rate", "queue_length")


OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from([*rosbridge.FIELDS, "fragment", "png", "auth"]) | VALUES},
    optional=dict.fromkeys((*FIELDS, "fragment_size", "compression", "level", "result"), VALUES),
)


@given(st.lists(OPERATIONS | VALUES, max_size=6))
def test_whatever_a_client_sends_its_session_lives(several: list[Any]) -> None:
    client = session()
    for said in several:
        client.receive(json.dumps(said), 0.0)
        client.offer(JOINTS, "a", 0.0)
        for text in client.due(0.0):
            assert text == "a" or json.loads(text)["op"] in ("status", "service_response")
    client.receive(rosbridge.subscribe(JOINTS, rosbridge.JOINT_STATE), 1.0)
    client.offer(JOINTS, "b", 1e7)
    assert client.due(1e7)[-1:] == ["b"]
