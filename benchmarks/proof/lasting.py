"""A line to the database that outlives the database: what is asked is asked again until it is answered.

Invariant: only what may be said twice goes through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import dict_row

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
_AGAIN_SECONDS = 0.1


class Lasting:
    """`read` and `write` of a `Place`, over as many connections as it takes. One thread."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def read(self, statement: LiteralString) -> list[dict[str, Any]]:
        return self._asked(lambda connection: connection.execute(statement).fetchall())

    def write(self, statement: LiteralString) -> None:
        self._asked(lambda connection: connection.execute(statement))

    def _asked(self, ask: Callable[[psycopg.Connection[dict[str, Any]]], T]) -> T:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(
                        self._dsn, autocommit=True, row_factory=dict_row, connect_timeout=2
                    )
                return ask(self._connection)
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_SECONDS)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
