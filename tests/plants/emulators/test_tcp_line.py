"""A TCP line to an echo, with each of its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ros_mbmrl.plants.emulators.tcp_line import TcpLine

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Scene = Callable[[TcpLine, Callable[[], Awaitable[Pair]]], Awaitable[None]]
PATIENCE = 10.0  # [s] for what must come
SILENCE = 0.1  # [s] in which nothing must come


def play(scene: Scene) -> None:
    """Play a scene with a line to a server that sends back what it is sent."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    async def played() -> None:
        server, line = await asyncio.start_server(echo, "127.0.0.1", 0), TcpLine()
        port = await line.open(0, server.sockets[0].getsockname()[1])
        try:
            await scene(line, lambda: asyncio.open_connection("127.0.0.1", port))
        finally:
            await line.close()
            server.close()

    asyncio.run(played())


async def said(pair: Pair, data: bytes, wait: float = PATIENCE) -> bytes:
    """Send bytes and return as many that come back."""
    pair[1].write(data)
    return await asyncio.wait_for(pair[0].readexactly(len(data)), wait)


def test_bytes_and_their_end_are_carried_both_ways() -> None:
    async def scene(line: TcpLine, connect: Callable[[], Awaitable[Pair]]) -> None:
        first, second = await connect(), await connect()
        assert await said(first, b"one") == b"one"
        assert await said(second, bytes(200_000)) == bytes(200_000)
        first[1].write_eof()
        assert await asyncio.wait_for(first[0].read(), PATIENCE) == b""

    play(scene)


def test_what_a_stalled_line_was_sent_arrives_when_it_flows_again() -> None:
    async def scene(line: TcpLine, connect: Callable[[], Awaitable[Pair]]) -> None:
        host = await connect()
        assert await said(host, b"one") == b"one"
        line.stall()
        with pytest.raises(asyncio.TimeoutError):
            await said(host, b"two", SILENCE)
        line.restore()
        assert await asyncio.wait_for(host[0].readexactly(3), PATIENCE) == b"two"

    play(scene)


def test_a_cut_line_resets_its_connections_and_takes_none_until_it_is_whole() -> None:
    async def scene(line: TcpLine, connect: Callable[[], Awaitable[Pair]]) -> None:
        host = await connect()
        assert await said(host, b"one") == b"one"
        line.cut()
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await said(host, b"two")
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await said(await connect(), b"three")
        line.restore()
        assert await said(await connect(), b"four") == b"four"

    play(scene)


def test_a_delay_is_of_each_way() -> None:
    async def scene(line: TcpLine, connect: Callable[[], Awaitable[Pair]]) -> None:
        host, loop = await connect(), asyncio.get_running_loop()
        line.delay = 0.05
        began = loop.time()
        assert await said(host, b"one") == b"one"
        assert loop.time() - began >= 0.1

    play(scene)
