"""View: a graph's messages, sent on as they are, and the picture that is made of them."""

from __future__ import annotations

from ros_mbmrl.data.decoding import Decoder
from ros_mbmrl.errors import UserError
from ros_mbmrl.topics import QOS, TOPICS
from ros_mbmrl.view.picture import Picture
from ros_mbmrl.view.server import Server

LATCHED = frozenset(topic.name for topic in TOPICS if QOS[topic.qos].latched)


class View:
    """Shows messages, live or recorded, to the viewers of a server."""

    def __init__(self, server: Server, picture: Picture) -> None:
        self._server, self._picture = server, picture
        self._decoder = Decoder()
        self.messages = 0  # sent on so far

    def begin(self, now: int) -> None:
        """Show what depends on no message, as of `now` [ns]."""
        for shown in self._picture.still():
            self._server.show(shown, now)

    def restart(self, now: int) -> None:
        """Begin anew: time has jumped to `now` [ns], and viewers have forgotten everything."""
        self._server.forget()
        self._picture.restart()
        self.begin(now)

    def take(
        self, name: str, topic: str, type_name: str, schema: bytes, data: bytes, now: int
    ) -> None:
        """Send a message on, and show what it changes.

        Args:
            name: of the topic in the graph; empty: of none.
            topic: its full name.
            type_name: as `sensor_msgs/msg/JointState`.
            schema: definition of the type (`ros2msg`).
            data: CDR.
            now: when it came [ns].
        """
        self.messages += 1
        self._server.forward(topic, type_name, schema, data, now, name in LATCHED)
        if name not in self._picture.topics:
            return
        try:
            message = self._decoder.decode(type_name, schema, data)
        except UserError:
            return  # it is there to be seen as it is
        for shown in self._picture.take(name, message):
            self._server.show(shown, now)
