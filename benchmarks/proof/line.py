"""A network line that can be cut, silenced and slowed: a TCP relay on loopback, in a thread of its own.

Invariant: what passes is passed in order and whole; a line that is mended serves new connections, never the old ones of a cut.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

_CHUNK = 65_536


class Line(StrEnum):
    """How the line is."""

    WHOLE = "whole"
    CUT = "cut"
    """Connections are reset, new ones too."""
    SILENT = "silent"
    """Connections stay open and nothing passes: what a pulled cable looks like from both ends."""
    SLOW = "slow"
    """Each piece is late."""


class Relay:
    """`with Relay(port) as relay: … relay.port`. `to_port` may be moved; it holds for new connections."""

    def __init__(self, to_port: int, delay_seconds: float = 0.15) -> None:
        self.to_port = to_port
        self._delay = delay_seconds
        self._state = Line.WHOLE
        self._passes = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="line", daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def become(self, state: Line) -> None:
        """Any thread; it holds when this returns."""
        done = threading.Event()

        def change() -> None:
            self._state = state
            if state is Line.SILENT:
                self._passes.clear()
            else:
                self._passes.set()
            if state is Line.CUT:
                self._reset_all()
            done.set()

        self._loop.call_soon_threadsafe(change)
        done.wait()

    def _reset_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._passes.set()
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._ended.wait()
            self._passes.set()
            self._reset_all()
            if self._relays:
                await asyncio.wait(self._relays)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.ensure_future(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state is Line.CUT:
            writer.transport.abort()
            return
        self._open.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            await self._passes.wait()
            back, there = await asyncio.open_connection("127.0.0.1", self.to_port)
            self._open.add(there)
            await asyncio.gather(self._pass_on(reader, there), self._pass_on(back, writer))
        except OSError:
            pass  # whoever is at the other end sees the same
        finally:
            for end in (writer, there):
                if end is not None:
                    self._open.discard(end)
                    end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_CHUNK):
            if self._state is Line.SLOW:
                await asyncio.sleep(self._delay)
            await self._passes.wait()
            writer.write(piece)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()
