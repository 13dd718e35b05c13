"""The messages of the graph without its middleware: the same types, the same bytes in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcap_ros2._dynamic import generate_dynamic, serialize_dynamic

from ros_mbmrl.data.measurement_messages import put_stamp
from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.topics import topic


class Messages:
    """Blank messages by type name, and their bytes. Raises UserError if no type is installed.

    mcap_ros2's public writer keeps a chunk open until it is full, so a kill would lose minutes:
    only its encoder is used, which is in a private module.
    """

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._encoders: dict[str, Callable[[Any], bytes]] = {}
        self._decoders: dict[str, Callable[[bytes], Any]] = {}
        for name in {"geometry_msgs/msg/Pose", *(topic(each).type for each in topics)}:
            text = definition(name)
            self._encoders[name] = serialize_dynamic(name, text)[name]
            self._decoders[name] = generate_dynamic(name, text)[name]

    def blank(self, type_name: str) -> Any:
        """Return a message with every field at its default."""
        return self._decoders[type_name](self._encoders[type_name]({}))

    def encode(self, type_name: str, message: Any) -> bytes:
        """Return a message's bytes, as the middleware would write them."""
        return self._encoders[type_name](message)


def command(spec: RobotSpec, message: Any, action: Array, stamp: int) -> Any:
    """Fill a blank JointState with the command (da,) that answers the measurement at `stamp`."""
    put_stamp(message.header.stamp, stamp)
    message.name = [limit.name for limit in spec.action]
    setattr(message, spec.command_field, [float(value) for value in action])
    return message


def diagnostic(
    message: Any, stamp: int, name: str, hardware: str, values: Mapping[str, str], level: int = 0
) -> Any:
    """Fill a blank DiagnosticArray with one line, called `<hardware>/<name>`."""
    put_stamp(message.header.stamp, stamp)
    pairs = [{"key": key, "value": value} for key, value in values.items()]
    line = {
        "level": level,
        "name": f"{hardware}/{name}",
        "message": "",
        "hardware_id": hardware,
        "values": pairs,
    }
    message.status = [line]
    return message
