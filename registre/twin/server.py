"""The twin as a server: in a thread for tests, in the foreground for the command line.

Invariant: it listens on loopback only, and stops without waiting for a page that hangs.
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
from types import TracebackType
from typing import Self

import uvicorn

from registre.errors import ConfigurationError, Unavailable
from registre.twin import paths
from registre.twin.app import create_app
from registre.twin.config import TwinConfig
from registre.twin.core import Twin
from registre.twin.fault_box import FaultBox
from registre.twin.ledger import LedgerLine
from registre.twin.wire import Wire, protocol_of

_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 75
"""Longer than any pause between two pages of a job: a kept connection that closes makes a browser repeat its GET."""


class _Server(uvicorn.Server):
    """uvicorn, saying when it listens, releasing hanging pages when it stops, and leaving signals to us."""

    def __init__(self, config: TwinConfig, listening: socket.socket, ready: Callable[[], None]) -> None:
        app = create_app(config)
        self.twin: Twin = app.state.twin
        self._listening = listening
        self._ready = ready
        super().__init__(
            uvicorn.Config(
                Wire(app, self.twin),
                loop="asyncio",
                http=protocol_of(self.twin),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.twin.closing.set()
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


class TwinServer:
    """A twin in a thread, for tests: `with TwinServer() as twin: … twin.base_url`.

    Leaving the block stops it within a few seconds whatever hangs. `faults` and `ledger()` may be used from the test's
    thread while it runs; `twin` is the rest of it.
    """

    def __init__(self, config: TwinConfig | None = None, port: int = 0) -> None:
        self._config = config or TwinConfig()
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        listening = _listen("127.0.0.1", self._port)
        self._port = listening.getsockname()[1]
        ready = threading.Event()
        server = _prepare(self._config, listening, ready.set)

        def run() -> None:
            try:
                server.run_here()
            finally:
                ready.set()

        self._server = server
        self._thread = threading.Thread(target=run, name="twin", daemon=True)
        self._thread.start()
        ready.wait()
        if not server.started:
            raise Unavailable("The twin did not start.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server and self._thread:
            self._server.stop()
            self._thread.join()

    @property
    def port(self) -> int:
        """The port, also after the block: a second TwinServer can take the place of a first."""
        return self._port

    @property
    def base_url(self) -> str:
        return _base_url("127.0.0.1", self._port)

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/_twin/"

    @property
    def twin(self) -> Twin:
        if self._server is None:
            raise RuntimeError("the twin is started by entering its context")
        return self._server.twin

    @property
    def faults(self) -> FaultBox:
        return self.twin.faults

    def ledger(self) -> list[LedgerLine]:
        """What was billed so far."""
        return self.twin.ledger.lines()


def serve(config: TwinConfig, host: str, port: int, announce: Callable[[str], None], stop_with_stdin: bool) -> None:
    """Serve until SIGINT, SIGTERM or, if asked, the end of stdin; `announce` gets the base URL once it listens.

    `stop_with_stdin` makes it die with the parent that holds the other end of its stdin. Raises ConfigurationError
    for a host that is not loopback, Unavailable when the port is taken.
    """
    listening = _listen(host, port)
    base_url = _base_url(host, listening.getsockname()[1])
    server = _prepare(config, listening, lambda: announce(base_url))
    in_main_thread = threading.current_thread() is threading.main_thread()
    stops = (signal.SIGINT, signal.SIGTERM) if in_main_thread else ()
    before = [(number, signal.signal(number, lambda *_: server.stop())) for number in stops]
    try:
        if stop_with_stdin:
            threading.Thread(target=_stop_at_end_of_stdin, args=(server,), name="twin-stdin", daemon=True).start()
        server.run_here()
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _prepare(config: TwinConfig, listening: socket.socket, ready: Callable[[], None]) -> _Server:
    try:
        return _Server(config, listening, ready)
    except BaseException:
        listening.close()
        raise


def _stop_at_end_of_stdin(server: _Server) -> None:
    """Read the descriptor itself: a thread blocked in a buffered reader makes the interpreter abort at exit."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.stdin.fileno()
        while os.read(descriptor, 4096):
            pass
    server.stop()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket on loopback; port 0 takes a free one."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address)
    except ValueError as error:
        raise ConfigurationError(f"The twin listens on loopback only; '{host}' is no loopback address.") from error
    if not loopback.is_loopback:
        raise ConfigurationError(f"The twin listens on loopback only; '{host}' is no loopback address.")
    family = socket.AF_INET6 if loopback.version == 6 else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it each page waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise Unavailable(
            f"The twin cannot listen on port {port} of {host}: the port is taken or not allowed."
        ) from error
    return listening


def _base_url(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}{paths.ENTRY}"
