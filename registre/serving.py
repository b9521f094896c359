"""An ASGI application on a socket: uvicorn without its own ideas of signals and logs, for the API and the twin.

Invariant: the socket is bound before anything is promised, and stopping waits for no page that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from registre.errors import ConfigurationError, Unavailable

GRACE_SECONDS = 2
KEEP_ALIVE_SECONDS = 75
"""Longer than any pause between two pages of a job: a kept connection that closes makes a browser repeat its GET."""


class Server(uvicorn.Server):
    """uvicorn, saying when it listens and when it is about to stop, and leaving signals to us."""

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        *,
        ready: Callable[[], None] = lambda: None,
        stopping: Callable[[], None] = lambda: None,
        http: Any = "auto",
    ) -> None:
        """`stopping` is to end what would hang: it runs in the server's loop before connections are waited for."""
        self._listening = listening
        self._ready = ready
        self._stopping = stopping
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=http,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def stop(self) -> None:
        """From any thread."""
        self.should_exit = True

    def run_here(self) -> None:
        """Serve in this thread until stopped."""
        with self._listening:
            asyncio.run(self.serve(sockets=[self._listening]))

    def run_until_told(self, stop_with_stdin: bool) -> None:
        """Serve until SIGINT, SIGTERM or, if asked, the end of stdin.

        `stop_with_stdin` makes it die with the parent that holds the other end of its stdin.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        stops = (signal.SIGINT, signal.SIGTERM) if in_main_thread else ()
        before = [(number, signal.signal(number, lambda *_: self.stop())) for number in stops]
        try:
            if stop_with_stdin:
                threading.Thread(target=self._stop_at_end_of_stdin, name="stdin", daemon=True).start()
            self.run_here()
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _stop_at_end_of_stdin(self) -> None:
        """Read the descriptor itself: a thread blocked in a buffered reader makes the interpreter abort at exit."""
        with contextlib.suppress(OSError, ValueError):
            descriptor = sys.stdin.fileno()
            while os.read(descriptor, 4096):
                pass
        self.stop()


def listen(host: str, port: int, what: str) -> socket.socket:
    """A bound socket; port 0 takes a free one. `what` begins the sentence of ConfigurationError and Unavailable."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        raise ConfigurationError(f"{what} listens on an address of this machine; '{host}' is none.") from None
    # asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it each page waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise Unavailable(
            f"{what} cannot listen on port {port} of {host}: the port is taken or not allowed."
        ) from error
    return listening


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(host: str, listening: socket.socket) -> str:
    """`http://host:port` of a bound socket."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
