"""The way to the database, which a test can cut.

Invariant: what is cut is cut at once, for connections there are and for new ones, and nothing of it arrives later.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Cable:
    """A relay on loopback in front of a database: `with Cable(dsn) as cable: … cable.dsn`."""

    def __init__(self, dsn: str) -> None:
        parts = conninfo_to_dict(dsn)
        self._to = (str(parts["host"]), int(str(parts["port"])))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._guard = Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=str(self._listening.getsockname()[1]))

    def __enter__(self) -> Self:
        Thread(target=self._accept, name="cable", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._listening.close()

    def cut(self) -> None:
        """Both sides see their connections end; whoever comes is turned away."""
        with self._guard:
            self._is_cut = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._guard:
            self._is_cut = False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                with self._guard:
                    if self._is_cut:
                        client.close()
                        continue
                    try:
                        server = socket.create_connection(self._to)
                    except OSError:
                        client.close()
                        continue
                    self._open |= {client, server}
                for source, target in ((client, server), (server, client)):
                    Thread(target=self._forward, args=(source, target), name="cable", daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._guard:
            self._open.discard(source)
            source.close()
