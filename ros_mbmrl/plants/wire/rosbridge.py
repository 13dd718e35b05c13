"""The rosbridge v2 protocol: operations as JSON text, one per web socket message.

Driver and emulator both use it. It covers only what they need: no fragments, no compression, no
authentication. Source: RobotWebTools/rosbridge_suite, ROSBRIDGE_PROTOCOL.md, sections 3.2 (status)
and 3.4 (ROS messages).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

FLOAT64 = "std_msgs/Float64"
BOOL = "std_msgs/Bool"
JOINT_STATE = "sensor_msgs/JointState"
POWER_BOARD_STATE = "pr2_msgs/PowerBoardState"
SHOWN = 40  # characters shown of an invalid value

# Required fields of each operation, and their types in JSON.
FIELDS: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "advertise": {"topic": str, "type": str},
        "unadvertise": {"topic": str},
        "publish": {"topic": str, "msg": dict},
        "subscribe": {"topic": str},
        "unsubscribe": {"topic": str},
        "call_service": {"service": str},
        "service_response": {"service": str, "result": bool},
        "status": {"level": str, "msg": str},
    }
)

Operation = Mapping[str, Any]


def encode(op: str, **fields: Any) -> str:
    """Encode an operation as text; a field that is None is left out. Raises ValueError for NaN."""
    said = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"op": op, **said}, allow_nan=False, separators=(",", ":"))


def advertise(topic: str, kind: str, queue_size: int = 1) -> str:
    """Encode an announcement of messages of type `kind`.

    The server's own queue_size is 100: a hundred torques could wait in line behind a slow reader.
    """
    return encode("advertise", topic=topic, type=kind, queue_size=queue_size)


def subscribe(topic: str, kind: str, throttle_rate: int = 0, queue_length: int = 1) -> str:
    """Encode a subscription.

    Args:
        topic: to subscribe to.
        kind: type of its messages.
        throttle_rate: least time between two messages [ms].
        queue_length: how many of the newest messages may wait.
    """
    return encode(
        "subscribe", topic=topic, type=kind, throttle_rate=throttle_rate, queue_length=queue_length
    )


def publish(topic: str, message: Mapping[str, Any]) -> str:
    """Encode the publication of one message. Raises ValueError for a number that is not finite."""
    return encode("publish", topic=topic, msg=message)


def call_service(service: str, arguments: Mapping[str, Any], identity: str) -> str:
    """Encode a call of a service; the answer carries `identity`."""
    return encode("call_service", service=service, args=arguments, id=identity)


def decode(text: str | bytes) -> Operation:
    """Return the operation in a text, as a dictionary with its `op`.

    Raises ValueError, with one line, for text that is not a JSON object, an unknown operation, and
    a field missing or of a wrong type.
    """
    return checked(parse(text))


def parse(text: str | bytes) -> Operation:
    """Return the JSON object in a text. Raises ValueError, with one line, for anything else.

    NaN and Infinity are read though JSON has none: rosbridge sends non-finite numbers so, or as
    null; readers of a number must check it.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(said, dict):
        raise ValueError(f"expected a JSON object, got {type(said).__name__}")
    return said


def checked(said: Operation) -> Operation:
    """Return the operation if it has its required fields. Raises ValueError, as `decode`."""
    op = said.get("op")
    if not isinstance(op, str) or op not in FIELDS:
        raise ValueError(f"unknown operation {_shown(op)}: expected one of {', '.join(FIELDS)}")
    for name, kind in FIELDS[op].items():
        if not isinstance(said.get(name), kind):
            raise ValueError(f"{op}: expected a field '{name}' of type {kind.__name__}")
    return said


@dataclass(frozen=True)
class JointStates:
    """Content of a sensor_msgs/JointState.

    Args:
        stamp: by the robot's clock [s].
        positions: [rad], by joint name.
        velocities: [rad/s], by joint name.
        bad: joint name -> reason, for joints that are not in positions and velocities.
    """

    stamp: float
    positions: Mapping[str, float]
    velocities: Mapping[str, float]
    bad: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all joints in the message."""
        return frozenset(self.positions) | frozenset(self.bad)

    def complaint(self, joints: Sequence[str]) -> str:
        """Return what is wrong with the numbers of these joints; empty if nothing is."""
        return ", ".join(f"{joint}: {self.bad[joint]}" for joint in joints if joint in self.bad)


def read_joint_states(message: Mapping[str, Any]) -> JointStates:
    """Return a message's fields. Raises ValueError for a wrong form, but not for a joint's numbers.

    A joint whose position or velocity is not a finite number goes to `bad`, because it may be one
    that is not needed. Efforts are not read.
    """
    try:
        stamp = message["header"]["stamp"]
        seconds = _number(stamp["secs"]) + 1e-9 * _number(stamp["nsecs"])
        names = [_text(name) for name in message["name"]]
        given = [_column(message, what, len(names)) for what in ("position", "velocity")]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a {JOINT_STATE}: {error!r}") from None
    times = Counter(names)
    positions, velocities, bad = {}, {}, {}
    for name, position, velocity in zip(names, *given, strict=True):
        what = "position"
        try:
            if times[name] > 1:
                raise ValueError(f"comes {times[name]} times")
            number = _number(position)
            what = "velocity"
            velocities[name] = _number(velocity)
            positions[name] = number
        except ValueError as error:
            bad[name] = f"{what} {error}"
    return JointStates(
        seconds, MappingProxyType(positions), MappingProxyType(velocities), MappingProxyType(bad)
    )


def _column(message: Mapping[str, Any], what: str, count: int) -> Sequence[Any]:
    """Return one value per joint; None for each if the message has none at all."""
    values = message.get(what) or [None] * count
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{count} names, not as many of {what}")
    return values


def joint_states(states: JointStates, sequence: int = 0) -> dict[str, Any]:
    """Return the fields of a message, as a server of ROS 1 sends them."""
    secs = math.floor(states.stamp)
    stamp = {"secs": secs, "nsecs": int((states.stamp - secs) * 1e9)}
    return {
        "header": {"seq": sequence, "stamp": stamp, "frame_id": ""},
        "name": list(states.positions),
        "position": list(states.positions.values()),
        "velocity": list(states.velocities.values()),
        "effort": [0.0] * len(states.positions),
    }


def read_float64(message: Mapping[str, Any]) -> float:
    """Return the number of a std_msgs/Float64. Raises ValueError."""
    try:
        return _number(message["data"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a {FLOAT64}: {error!r}") from None


def read_bool(message: Mapping[str, Any]) -> bool:
    """Return the value of a std_msgs/Bool. Raises ValueError."""
    value = message.get("data")
    if not isinstance(value, bool):
        raise ValueError(f"not a {BOOL}: {value!r}")
    return value


def read_run_stop(message: Mapping[str, Any]) -> bool:
    """Return whether a run-stop is pressed, from a pr2_msgs/PowerBoardState. Raises ValueError.

    Its `run_stop` and `wireless_stop` are true while the robot may run.
    """
    allowed = [message.get("run_stop"), message.get("wireless_stop")]
    if not all(isinstance(value, bool) for value in allowed):
        raise ValueError(f"not a {POWER_BOARD_STATE}: run_stop, wireless_stop are {allowed}")
    return not all(allowed)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{'null' if value is None else _shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:  # an integer larger than all floats
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{_shown(value)} is not finite")
    return number


def _shown(value: Any) -> str:
    return repr(value)[:SHOWN]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not a name")
    return value
