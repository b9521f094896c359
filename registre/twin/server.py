"""The twin as a server: in a thread for tests, in the foreground for the command line.

Invariant: it listens on loopback only, and stops without waiting for a page that hangs.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from registre.errors import ConfigurationError, Unavailable
from registre.serving import Server, is_loopback, listen, origin
from registre.twin import paths
from registre.twin.app import create_app
from registre.twin.config import TwinConfig
from registre.twin.core import Twin
from registre.twin.fault_box import FaultBox
from registre.twin.ledger import LedgerLine
from registre.twin.wire import Wire, protocol_of


class TwinServer:
    """A twin in a thread, for tests: `with TwinServer() as twin: … twin.base_url`.

    Leaving the block stops it within a few seconds whatever hangs. `faults` and `ledger()` may be used from the test's
    thread while it runs; `twin` is the rest of it.
    """

    def __init__(self, config: TwinConfig | None = None, port: int = 0) -> None:
        self._config = config or TwinConfig()
        self._port = port
        self._server: Server | None = None
        self._twin: Twin | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        listening = _listen("127.0.0.1", self._port)
        self._port = listening.getsockname()[1]
        ready = threading.Event()
        server, self._twin = _prepare(self._config, listening, ready.set)

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
        return f"http://127.0.0.1:{self._port}{paths.ENTRY}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/_twin/"

    @property
    def twin(self) -> Twin:
        if self._twin is None:
            raise RuntimeError("the twin is started by entering its context")
        return self._twin

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
    base_url = origin(host, listening) + paths.ENTRY
    server, _ = _prepare(config, listening, lambda: announce(base_url))
    server.run_until_told(stop_with_stdin)


def _prepare(config: TwinConfig, listening: socket.socket, ready: Callable[[], None]) -> tuple[Server, Twin]:
    try:
        app = create_app(config)
        twin: Twin = app.state.twin
        server = Server(Wire(app, twin), listening, ready=ready, stopping=twin.closing.set, http=protocol_of(twin))
    except BaseException:
        listening.close()
        raise
    return server, twin


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket on loopback; port 0 takes a free one."""
    if not is_loopback(host):
        raise ConfigurationError(f"The twin listens on loopback only; '{host}' is no loopback address.")
    return listen(host, port, "The twin")
