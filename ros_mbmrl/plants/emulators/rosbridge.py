"""A rosbridge server in front of the PR2's twin, and a line to it with faults.

It answers as rosbridge_suite does on ROS 1, for the operations of the driver: advertise,
unadvertise, publish, subscribe (throttle_rate, queue_length), unsubscribe, call_service. It sends
no pings (ping_interval 0): a dead peer stays connected.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_web_socket
from websockets.exceptions import ConnectionClosed

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.emulators.pr2_side import PR2Side
from ros_mbmrl.plants.emulators.rosbridge_session import Session
from ros_mbmrl.plants.emulators.tcp_line import TcpLine
from ros_mbmrl.plants.wire import rosbridge

TICK = 0.005  # [s]
HELD_UP = 0.02  # a tick later than this shows that the machine was overloaded [s]

T = TypeVar("T")


class RosbridgeEmulator:
    """Rosbridge emulator on a web socket; a context manager, in a thread of its own.

    What `ask` does with the robot or the line is done in that thread, between two ticks. `clock`
    [s] stamps everything here.

    Args:
        make_side: returns the robot, given the time now.
        port: 0: any free one. Raises UserError if it is taken.
    """

    def __init__(self, make_side: Callable[[float], PR2Side], port: int = 0) -> None:
        self.clock = time.monotonic
        self.side = make_side(self.clock())
        self.port = port
        self._sessions: dict[Session, ServerConnection] = {}
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="rosbridge", daemon=True)

    @property
    def url(self) -> str:
        """Return the URL on which the emulator listens."""
        return f"ws://127.0.0.1:{self.port}"

    def __enter__(self) -> RosbridgeEmulator:
        self._thread.start()
        self._ready.wait()
        if isinstance(self._error, OSError):
            raise UserError(f"port: {self.port} cannot be had ({self._error.strerror})")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def ask(self, what: Callable[[PR2Side, TcpLine], T]) -> T:
        """Call `what` with the robot and the line; return its result."""

        async def done() -> T:
            return what(self.side, self._line)

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(timeout=5.0)

    def wait(self, duration: float) -> None:
        """Wait for `duration` [s], 0 for ever, or until the emulator has failed."""
        self._thread.join(duration or None)

    def stall(self) -> float:
        """Stop the traffic, so that either side appears dead to the other; return the time [s]."""
        self.ask(lambda side, line: line.stall())
        return self.clock()

    def cut(self) -> float:
        """Reset the link, and refuse it until it is restored; return the time [s]."""
        self.ask(lambda side, line: line.cut())
        return self.clock()

    def restore(self) -> None:
        """Restore the link."""
        self.ask(lambda side, line: line.restore())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 (raised again when the context is left)
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end, self._line = asyncio.Event(), TcpLine()
        async with serve_web_socket(
            self._client, "127.0.0.1", 0, ping_interval=None, compression=None, close_timeout=0.2
        ) as server:
            inner = next(iter(server.sockets)).getsockname()[1]
            self.port = await self._line.open(self.port, inner)
            self._ready.set()
            ticking = asyncio.ensure_future(self._tick())
            try:
                await asyncio.wait(
                    [asyncio.ensure_future(self._end.wait()), ticking],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if ticking.done():
                    ticking.result()
            finally:
                ticking.cancel()
                await self._line.close()

    async def _tick(self) -> None:
        """Let the robot's time pass with the clock's."""
        sending: dict[Session, asyncio.Task[None]] = {}
        due, judge = self.clock(), True
        while True:
            now = self.clock()
            # The machine was overloaded: messages that wait in the sockets are not the robot's
            # fault.
            judge = now - due < HELD_UP or not judge
            for topic, message in self.side.tick(now, judge):
                text = rosbridge.publish(topic, message)
                for session in self._sessions:
                    session.offer(topic, text, now)
            sending = {s: task for s, task in sending.items() if not task.done()}
            for session, connection in self._sessions.items():
                if session not in sending and (texts := session.due(now)):
                    sending[session] = asyncio.ensure_future(_send(connection, texts))
            due = max(due + TICK, now)
            await asyncio.sleep(due - self.clock())

    async def _client(self, connection: ServerConnection) -> None:
        session = Session(self.side)
        self._sessions[session] = connection
        try:
            async for text in connection:
                session.receive(text, self.clock())
        except ConnectionClosed:
            pass
        finally:
            del self._sessions[session]


async def _send(connection: ServerConnection, texts: list[str]) -> None:
    try:
        for text in texts:
            await connection.send(text)
    except ConnectionClosed:
        return


def serve(port: int, seed: int, duration: float, watchdog: bool = True) -> None:
    """Serve the PR2 arm's twin behind a rosbridge for `duration` [s] (0: until Ctrl-C).

    The first line printed is `listening on ws://127.0.0.1:<port>`. Raises UserError.
    """
    from ros_mbmrl.simulation.pr2 import PR2World

    world = PR2World(seed=seed)
    with RosbridgeEmulator(lambda now: PR2Side(world, now, watchdog), port) as emulator:
        print(f"listening on {emulator.url}", flush=True)
        emulator.wait(duration)
