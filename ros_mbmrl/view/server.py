"""Server of a view: messages and what is shown of them, over Foxglove's web-socket protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import foxglove
from foxglove import Channel, Context, Schema
from foxglove.channels import FrameTransformsChannel, SceneUpdateChannel
from foxglove.websocket import Capability, PlaybackState, ServerListener

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.frames import Transform
from ros_mbmrl.view.address import Address
from ros_mbmrl.view.diagnostics import FIGURES
from ros_mbmrl.view.foxglove_messages import frame_transforms, scene_update
from ros_mbmrl.view.things import SCENES, TRANSFORMS, Entity, Figures, Shown

T = TypeVar("T")
# A viewer's request to play, pause or jump -> the state that it is told.
Control = Callable[[Any], PlaybackState | None]
KINDS = {bool: "boolean", int: "number", float: "number", str: "string"}


class _Listener(ServerListener):
    """Hands on what viewers ask for; called in threads of the server."""

    def __init__(self, subscribed: Callable[[int], None], control: Control | None) -> None:
        self._subscribed, self._control = subscribed, control

    def on_subscribe(self, client: Any, channel: Any) -> None:
        """See `ServerListener`."""
        self._subscribed(int(channel.id))

    def on_playback_control_request(self, playback_control_request: Any) -> PlaybackState | None:
        """See `ServerListener`."""
        return self._control(playback_control_request) if self._control else None


class Server:
    """A web socket for viewers; a slow one loses messages and holds nobody up.

    Topics that are announced before `start` are there for whoever connects. A viewer that asks for
    one at the moment in which it is announced may be told that there is none (foxglove-sdk 0.30).

    Args:
        name: shown to viewers.
        address: to listen at.
    """

    def __init__(self, name: str, address: Address) -> None:
        self._name, self.address = name, address
        self._lock = threading.Lock()
        self._context = Context()
        self._channels: dict[str, Any] = {}
        self._kept: dict[int, Callable[[], None]] = {}  # how latched ones are sent again
        self._server: Any = None
        self.came: Callable[[], None] = lambda: None  # called when a viewer subscribes
        for topic in SCENES:
            self._channels[topic] = SceneUpdateChannel(topic, context=self._context)
        self._channels[TRANSFORMS] = FrameTransformsChannel(TRANSFORMS, context=self._context)
        for topic, sample in FIGURES.items():
            self._channels[topic] = self._json(topic, sample)

    def start(self, span: tuple[int, int] | None = None, control: Control | None = None) -> None:
        """Begin to listen.

        Args:
            span: first and last time of what is played [ns]; None: it is live.
            control: answers a viewer's wish to play, pause or jump.

        Raises:
            UserError: the address cannot be used.
        """
        try:
            self._server = foxglove.start_server(
                name=self._name,
                host=self.address.host,
                port=self.address.port,
                capabilities=[Capability.Time] if span else [],
                server_listener=_Listener(self._on_subscribe, control),
                context=self._context,
                playback_time_range=span,
            )
        except (RuntimeError, OSError) as error:
            raise UserError(self.address.refused(str(error))) from None
        self.address = Address(self.address.host, self._server.port)

    def forward(
        self, topic: str, type_name: str, schema: bytes, data: bytes, now: int, latched: bool
    ) -> None:
        """Send a serialised message on as it is.

        Args:
            topic: its full name.
            type_name: as `sensor_msgs/msg/JointState`.
            schema: definition of the type (`ros2msg`).
            data: CDR.
            now: when it came [ns].
            latched: whether who subscribes later gets it, too.
        """
        channel = self._channel(topic, lambda: self._raw(topic, type_name, schema))
        self._send(channel, data, now, latched)

    def advertise(self, topic: str, type_name: str, schema: bytes) -> None:
        """Announce a topic before its first message."""
        self._channel(topic, lambda: self._raw(topic, type_name, schema))

    def show(self, shown: Shown, now: int) -> None:
        """Send what is shown, as of `now` [ns]."""
        topic, content = shown.topic, shown.content
        message: Any
        if not isinstance(content, tuple):
            message, figures = dict(content), content
            self._channel(topic, lambda: self._json(topic, figures))
        elif topic == TRANSFORMS:
            message = frame_transforms(_each(content, Transform), now)
        else:
            message = scene_update(_each(content, Entity), now)
        self._send(self._channels[topic], message, now, shown.latched)

    def forget(self) -> None:
        """Send nothing latched again that was sent until now: it is no longer true."""
        with self._lock:
            self._kept.clear()

    def tell_time(self, now: int) -> None:
        """Tell viewers the time of what is played [ns]."""
        self._server.broadcast_time(now)

    def tell_playback(self, state: PlaybackState) -> None:
        """Tell viewers that playing has changed."""
        self._server.broadcast_playback_state(state)

    def link(self) -> str:
        """Return the address that opens this view in Foxglove's app."""
        return str(self._server.app_url())

    def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.stop()

    def _channel(self, topic: str, make: Callable[[], Any]) -> Any:
        if topic not in self._channels:
            self._channels[topic] = make()
        return self._channels[topic]

    def _raw(self, topic: str, type_name: str, schema: bytes) -> Channel:
        told = Schema(name=type_name, encoding="ros2msg", data=schema)
        return Channel(topic, schema=told, message_encoding="cdr", context=self._context)

    def _json(self, topic: str, sample: Figures) -> Channel:
        """Return a channel of figures; its schema has those of the sample."""
        kinds = {name: {"type": KINDS[type(value)]} for name, value in sample.items()}
        title = topic.removeprefix("/view/")
        schema = {"type": "object", "title": title, "properties": kinds}
        return Channel(topic, schema=schema, context=self._context)

    def _send(self, channel: Any, message: Any, now: int, latched: bool) -> None:
        def send() -> None:
            channel.log(message, log_time=now)

        if latched:
            with self._lock:
                self._kept[channel.id()] = send
        send()

    def _on_subscribe(self, channel: int) -> None:
        with self._lock:
            again = self._kept.get(channel)
        if again is not None:
            again()
        self.came()


def _each(content: tuple[Any, ...], kind: type[T]) -> list[T]:
    return [each for each in content if isinstance(each, kind)]
