"""A TCP line with faults: a delay, a stall without notice, a cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress

CHUNK = 1 << 16


class TcpLine:
    """A line from a port of its own to another port; lives in one event loop.

    `delay` [s] applies to all bytes, each way.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self._cut = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self, port: int, target: int) -> int:
        """Listen on a local port (0: any free one) for connections to `target`; return the port.

        Raises:
            OSError: the port is taken.
        """
        self._target = target
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    def stall(self) -> None:
        """Stop the traffic without notice, like a dead peer or an unplugged cable.

        New connections are accepted but not answered. Bytes sent in the meantime arrive late.
        """
        self._flowing.clear()

    def cut(self) -> None:
        """Reset every connection, and accept none until `restore`."""
        self._cut = True
        for task in self._carrying:
            task.cancel()

    def restore(self) -> None:
        """Restore the line."""
        self._cut = False
        self._flowing.set()

    async def close(self) -> None:
        """End all connections."""
        self.cut()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._cut:
            near.transport.abort()
            return
        task = asyncio.ensure_future(self._carry(reader, near))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        pumps = [
            asyncio.ensure_future(self._pump(reader, far)),
            asyncio.ensure_future(self._pump(far_reader, near)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.ALL_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            near.transport.abort()
            far.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        sent: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            data = b"-"
            while data:
                with suppress(OSError):
                    data = b""
                    data = await reader.read(CHUNK)
                sent.put_nowait((loop.time(), data))

        reading = asyncio.ensure_future(read())
        try:
            while True:
                came, data = await sent.get()
                await asyncio.sleep(max(0.0, came + self.delay - loop.time()))
                await self._flowing.wait()
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            return  # the other pump sees the error as well
        finally:
            reading.cancel()
