"""What all runs share: one PostgreSQL, one twin; and what each has for itself: an empty database, two accounts, a home.

Invariant: a run sees no row, no bill and no file of another.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.site.chromium import ensure_chromium
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.ledger import LedgerLine
from registre.twin.server import TwinServer

SESSIONS = 2
ACCOUNTS = dict(demo_accounts(9998))
LOADING_SECONDS = 0.15
_FORGETFUL = ("synchronous_commit = off", "full_page_writes = off", "autovacuum = off")


@dataclass(frozen=True, slots=True)
class Place:
    """One database, used by one run after the other."""

    dsn: str
    connection: psycopg.Connection[dict[str, Any]]

    def read(self, statement: LiteralString) -> list[dict[str, Any]]:
        return self.connection.execute(statement).fetchall()

    def write(self, statement: LiteralString) -> None:
        self.connection.execute(statement)

    def empty(self) -> None:
        """No row, no connection but ours; the rules and the fee of a new database, without a pace."""
        self.write(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        [tables] = self.read(
            "select string_agg(oid::regclass::text, ', ') as names from pg_class where relkind = 'r' and relname <> 'migrations' "
            "and relnamespace in ('public'::regnamespace, 'registre'::regnamespace)"
        )
        self.connection.execute(sql.SQL("truncate {} restart identity").format(sql.SQL(tables["names"])))
        self.write("alter sequence registre.served_position restart")
        self.write("insert into registre.rules (pace_seconds) values (0)")
        self.write("insert into registre.fees values ('*', '2000-01-01', 150)")


class Stage:
    """The server, the twin and the browser of a series. `stage` makes one."""

    def __init__(self, server_dsn: str, twin: TwinServer, chromium: Path) -> None:
        self._server_dsn = server_dsn
        self.twin = twin
        self.chromium = chromium
        self._guard = Lock()
        self._databases = count(1)
        self._accounts = iter(ACCOUNTS.items())

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A database of its own."""
        with self._guard:
            name = f"crashes_{next(self._databases)}"
        with psycopg.connect(self._server_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        dsn = make_conninfo(self._server_dsn, dbname=name)
        with DirectGateway(dsn) as gateway:
            schema.upgrade(gateway)
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
            yield Place(dsn, connection)

    def accounts(self) -> list[tuple[str, str]]:
        """Two that nobody had before: the twin's bill tells runs apart by them."""
        with self._guard:
            return [next(self._accounts) for _ in range(SESSIONS)]

    def bill(self, accounts: set[str]) -> list[LedgerLine]:
        return [line for line in self.twin.ledger() if line.account in accounts]


@contextmanager
def server() -> Iterator[str]:
    """The DSN of an embedded PostgreSQL that never waits for the disk: nothing in it outlives the series."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1_000_000_000
    home = Path(tempfile.mkdtemp(prefix="registre-pg-", dir=memory if roomy else None))
    try:
        with EmbeddedServer(home) as embedded:
            assert embedded.address is not None
            with psycopg.connect(embedded.address.dsn, autocommit=True) as connection:
                for setting in _FORGETFUL:
                    connection.execute(sql.SQL("alter system set {}").format(sql.SQL(setting)))
                connection.execute("select pg_reload_conf()")
            yield embedded.address.dsn
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def stage(server_dsn: str) -> Iterator[Stage]:
    with ExitStack() as stack:
        twin = stack.enter_context(TwinServer(TwinConfig(accounts=ACCOUNTS, loading_seconds=LOADING_SECONDS)))
        yield Stage(server_dsn, twin, ensure_chromium(os.environ.get("REGISTRE_CHROMIUM"), say=print))
