"""Messages from their bytes, without any middleware."""

from __future__ import annotations

from typing import Any

from mcap.records import Schema
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap_ros2.decoder import DecoderFactory

from ros_mbmrl.errors import UserError


class Decoder:
    """Decodes ROS 2 messages of any type whose definition is at hand."""

    def __init__(self) -> None:
        self._factory = DecoderFactory()
        self._schemas: dict[tuple[str, bytes], Schema] = {}

    def decode(self, type_name: str, definition: bytes, data: bytes) -> Any:
        """Return the message, with the attributes of its type.

        Args:
            type_name: as `sensor_msgs/msg/JointState`.
            definition: of the type and of those in it (`ros2msg`).
            data: CDR.

        Raises:
            UserError: the bytes are no such message.
        """
        key = type_name, definition
        if key not in self._schemas:
            number = len(self._schemas) + 1  # the factory keeps its decoders by it
            kind = SchemaEncoding.ROS2
            self._schemas[key] = Schema(number, definition, kind, type_name)
        try:
            decode = self._factory.decoder_for(MessageEncoding.CDR, self._schemas[key])
            if decode is None:
                raise ValueError("no decoder")
            return decode(data)
        except Exception as error:  # any error that parsing may raise
            raise UserError(f"{type_name}: not such a message ({error})") from error
