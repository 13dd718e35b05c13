"""Player: a recording on a server, under the control of its viewers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from foxglove.websocket import PlaybackCommand, PlaybackState, PlaybackStatus

from ros_mbmrl.data.recording import Raw
from ros_mbmrl.view.picture import Picture
from ros_mbmrl.view.playback import Playback, play
from ros_mbmrl.view.server import Server
from ros_mbmrl.view.viewing import View


class Player:
    """Plays the messages of a recording as their time comes; any viewer may pause it or jump.

    Args:
        server: not started yet.
        picture: of the recording's robot.
        playback: the time.
        read: begins to read the messages in their order.
        names: topic as recorded -> its name in the graph.
    """

    def __init__(
        self,
        server: Server,
        picture: Picture,
        playback: Playback,
        read: Callable[[], Iterator[Raw]],
        names: Mapping[str, str],
    ) -> None:
        self._server, self._playback, self._read = server, playback, read
        self._names, self._view = names, View(server, picture)

    @property
    def messages(self) -> int:
        """Return how many messages were sent."""
        return self._view.messages

    def start(self) -> None:
        """Begin to listen. Raises UserError: see `Server.start`, and for a damaged file."""
        for topic, kind, schema in sorted({(r.topic, r.type_name, r.schema) for r in self._read()}):
            self._server.advertise(topic, kind, schema)
        span = self._playback.start, self._playback.end
        self._server.came = lambda: self._server.tell_playback(self._state())
        self._server.start(span, self._on_request)

    def run(self, stopped: threading.Event, once: bool = False) -> int:
        """Play again and again until `stopped`, or once; return how often the end was reached."""
        rounds = 0
        self._view.begin(self._playback.now)
        while not stopped.is_set():
            for due in play(self._playback, self._read, stopped, self._tick):
                if due is None:
                    self._view.restart(self._playback.now)
                    continue
                raw = due.raw
                now = self._playback.now if due.behind else raw.log_time_ns
                name = self._names.get(raw.topic, "")
                self._view.take(name, *raw[:3], raw.data, now)
            if stopped.is_set():
                break
            rounds += 1
            if once:
                break
            self._playback.change(seek=self._playback.start)
            self._server.tell_playback(self._state(jumped=True))
        self._server.tell_playback(self._state(ended=True))
        return rounds

    def _tick(self) -> None:
        self._server.tell_time(self._playback.now)

    def _on_request(self, request: Any) -> PlaybackState:
        """Do as a viewer asks, and tell it; called in a thread of the server."""
        self._playback.change(
            playing=request.playback_command == PlaybackCommand.Play,
            speed=request.playback_speed,
            seek=request.seek_time,
        )
        return self._state(jumped=request.seek_time is not None, request=request.request_id)

    def _state(
        self, jumped: bool = False, ended: bool = False, request: str | None = None
    ) -> PlaybackState:
        status = PlaybackStatus.Playing if self._playback.playing else PlaybackStatus.Paused
        return PlaybackState(
            status=PlaybackStatus.Ended if ended else status,
            current_time=self._playback.now,
            playback_speed=self._playback.speed,
            did_seek=jumped,
            request_id=request,
        )
