"""RosbridgeLink: a web socket that reconnects by itself, in a thread of its own.

`websockets` and not `roslibpy`: one wheel without dependencies, blocking calls with time-outs,
threads that end with the connection, pings that find a dead peer, and the server of our emulator in
the same package. roslibpy needs Twisted, whose reactor a process cannot start twice, waits up to an
hour between two attempts to connect, and sends no pings.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ros_mbmrl.errors import UserError

DEFAULT_PORT = 9090

# `lost` reports problems of the link; the library would print tracebacks.
_QUIET = logging.getLogger(f"{__name__}.websockets")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


@dataclass(frozen=True)
class LinkConfig:
    """Times of the link in seconds.

    Args:
        first_delay, last_delay: between attempts to connect; doubled from the first to the last.
        ping_interval, ping_timeout: a peer that does not answer is given up after at most their
            sum.
        open_timeout, close_timeout: for the handshakes of the web socket.
    """

    first_delay: float = 0.25
    last_delay: float = 2.0
    ping_interval: float = 0.25
    ping_timeout: float = 0.5
    open_timeout: float = 1.0
    close_timeout: float = 0.2


class RosbridgeLink:
    """Link that connects until it is closed, however often the connection ends.

    The callbacks run in the link's thread; an exception in `opened` or `received` ends the
    connection, not the thread.

    Args:
        url: of the server.
        opened: called when connected.
        received: called with each message.
        lost: called with the reason when there is no connection, also for a failed attempt.
        config: times.
        wait: as `threading.Event.wait` [s]; true to end.
    """

    def __init__(
        self,
        url: str,
        opened: Callable[[], None],
        received: Callable[[str | bytes], None],
        lost: Callable[[str], None],
        config: LinkConfig | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.url = url
        self._opened, self._received, self._lost = opened, received, lost
        self._config = config or LinkConfig()
        self._end = threading.Event()
        self._wait = wait or self._end.wait
        self._connection: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, name="rosbridge link", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def send(self, texts: Iterable[str]) -> bool:
        """Send all texts, in order; return false if there is no link, or it has just gone."""
        connection = self._connection
        if connection is None:
            return False
        try:
            for text in texts:
                connection.send(text)
        except (ConnectionClosed, OSError):
            return False
        return True

    @property
    def round_trip(self) -> float:
        """Return the newest ping's round trip [s]; 0 before the first."""
        return 0.0 if self._connection is None else float(self._connection.latency)

    def close(self) -> None:
        """End the link; may be called again."""
        self._end.set()
        if (connection := self._connection) is not None:
            connection.close()
        if self._thread.is_alive():
            self._thread.join(self._config.open_timeout + self._config.close_timeout)

    def _run(self) -> None:
        try:
            self._keep_connected()
        except BaseException as error:
            self._lost(f"the link has ended ({type(error).__name__})")
            raise

    def _keep_connected(self) -> None:
        delay = self._config.first_delay
        while not self._end.is_set():
            try:
                heard = self._converse()
            except Exception as error:  # noqa: BLE001 (every error is reported)
                heard = False
                self._lost(_reason(error))
            if heard:  # only a peer that sends something resets the delay
                delay = self._config.first_delay
            if self._wait(delay):
                return
            delay = min(2 * delay, self._config.last_delay)

    def _converse(self) -> bool:
        """Hold one connection to its end; return whether anything was received. Raises OSError."""
        config, heard = self._config, False
        with connect(
            self.url,
            compression=None,  # it would cost more time than it saves
            proxy=None,
            logger=_QUIET,
            open_timeout=config.open_timeout,
            ping_interval=config.ping_interval,
            ping_timeout=config.ping_timeout,
            close_timeout=config.close_timeout,
        ) as connection:
            self._connection = connection
            try:
                self._opened()
                while not self._end.is_set():
                    self._received(connection.recv())
                    heard = True
            except ConnectionClosed as error:
                self._lost(_reason(error))
            finally:
                self._connection = None
        return heard


def read_url(port: str) -> str:
    """Return the URL for `port`: ws://host:port, host:port or a host alone. Raises UserError."""
    parts = urlsplit(port if "://" in port else f"ws://{port}")
    with suppress(ValueError):  # a port that is not a valid number
        number = parts.port or DEFAULT_PORT
        if parts.scheme in ("ws", "wss") and parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{parts.scheme}://{host}:{number}{parts.path}"
    raise UserError(f"port: expected host:{DEFAULT_PORT} or ws://host:{DEFAULT_PORT}, got '{port}'")


def _reason(error: Exception) -> str:
    """Return one line; errors other than the connection's with their type, as they are our bugs."""
    cause = error.__cause__ or error
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    known = isinstance(error, OSError | WebSocketException | EOFError)
    return " ".join(text.split()) if known else f"{type(error).__name__}: {' '.join(text.split())}"
