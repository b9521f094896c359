"""The callers, as a process of their own: `python -m benchmarks.api.load callers`. Standard library only.

Invariant: a connection has one request under way, and every answer is checked for its status; what is not as expected ends the
measurement, since a fast refusal is no answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from benchmarks.queue.wire import commands_into, say


class Caller(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, requests: Iterator[bytes], times: list[float], pause: float, until: float) -> None:
        self._requests, self._times, self._pause, self._until = requests, times, pause, until
        self._buffer = bytearray()
        self._transport: Any = None
        self._began = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._later()

    def _later(self) -> None:
        if self._pause:
            pause = random.uniform(0.5, 1.5) * self._pause
            asyncio.get_running_loop().call_later(pause, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self._until:
            self._transport.close()
            if not self.ended.done():
                self.ended.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = bytes(self._buffer[:head]).lower().split(b"\r\n")
        length = int(next(line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")))
        if len(self._buffer) < head + 4 + length:
            return
        if not lines[0].startswith(b"http/1.1 2"):
            self._fail(f"answered {lines[0].decode()}: {bytes(self._buffer[head + 4 :])[:300]!r}")
            return
        self._times.append(time.perf_counter() - self._began)
        self._buffer.clear()
        self._later()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection ended: {error}")

    def _fail(self, sentence: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(sentence))


def encoded(host: str, key: str, method: str, path: str, body: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{head}\r\n{body}".encode()


async def load(
    host: str, port: int, key: str, requests: list[list[str]], connections: int, seconds: float, pause: float
) -> dict[str, Any]:
    """Each connection asks again as soon as it is answered, or after about `pause` seconds."""
    loop = asyncio.get_running_loop()
    asked = cycle([encoded(f"{host}:{port}", key, *each) for each in requests])
    times: list[float] = []
    began = time.perf_counter()
    callers = [
        (await loop.create_connection(lambda: Caller(asked, times, pause, began + seconds), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.ended for caller in callers))
    return {"times": [round(each * 1000, 3) for each in times], "seconds": time.perf_counter() - began}


class Readers:
    """Many listeners of the stream; notes when each heard of each order."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._host, self._port, self._key = host, port, key
        self._tasks: list[asyncio.Task[None]] = []
        self.heard: dict[str, list[float]] = {}

    async def listen(self, readers: int) -> None:
        ready = asyncio.Semaphore(0)
        for _ in range(readers):
            self._tasks.append(asyncio.create_task(self._read(ready)))
        for _ in range(readers):
            await ready.acquire()

    async def _read(self, ready: asyncio.Semaphore) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(encoded(f"{self._host}:{self._port}", self._key, "GET", "/api/events"))
        try:
            while line := await reader.readline():
                if line.startswith(b"event: ready"):
                    ready.release()
                elif line.startswith(b"data: {") and b'"job.submitted"' in line:
                    at = time.time()
                    self.heard.setdefault(json.loads(line[6:])["extraction_id"], []).append(at)
        finally:
            writer.close()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


async def main() -> None:
    commands: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    commands_into(commands)
    readers: Readers | None = None
    say(ready=True)
    while (command := await commands.get()) is not None:
        match command.pop("do"):
            case "load":
                say(**await load(**command))
            case "listen":
                count = command.pop("readers")
                readers = Readers(**command)
                await readers.listen(count)
                say(listening=count)
            case "heard":
                assert readers is not None
                say(heard=readers.heard)
            case "leave":
                assert readers is not None
                readers.stop()
                say(left=True)


if __name__ == "__main__":
    asyncio.run(main())
