"""A PostgreSQL of our own for the whole session, and for each test a database that is current and empty.

Invariant: a test finds no row and no connection of another. The server is the product's embedded one, made forgetful
(no commit waits for the disk), since nothing in it outlives the session.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from supabase import Client

from registre.database import schema
from registre.database.gateway import DirectGateway, Gateway
from registre.database.rest import RestGateway
from registre.database.server import EmbeddedServer
from registre.project import connected
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store
from tests.desk import Desk
from tests.supabase.server import StandIn

# A machine with other work is no reason to fail: no example has a deadline.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

_FORGETFUL = ("synchronous_commit = off", "full_page_writes = off", "autovacuum = off")


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A superuser's DSN of the session's server. Its home is not below tmp_path: root's is closed to the server's user."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1_000_000_000
    home = Path(tempfile.mkdtemp(prefix="registre-pg-", dir=memory if roomy else None))
    try:
        with EmbeddedServer(home) as server:
            assert server.address is not None
            with psycopg.connect(server.address.dsn, autocommit=True) as connection:
                for setting in _FORGETFUL:
                    connection.execute(sql.SQL("alter system set {}").format(sql.SQL(setting)))
                connection.execute("select pg_reload_conf()")
                # As a Supabase project has them; what a plain server is like, the tests of the embedded one see.
                for role in ("anon", "authenticated", "service_role bypassrls"):
                    connection.execute(sql.SQL("create role {}").format(sql.SQL(role)))
            yield server.address.dsn
    finally:
        shutil.rmtree(home, ignore_errors=True)


_numbers = count(1)


@pytest.fixture(scope="session")
def current_dsn(server_dsn: str) -> str:
    """The database of all tests that do not change the schema: made and upgraded once."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("create database current")
    dsn = make_conninfo(server_dsn, dbname="current")
    with DirectGateway(dsn) as gateway:
        schema.upgrade(gateway)
    return dsn


@pytest.fixture(scope="session")
def reset(current_dsn: str) -> Callable[[], None]:
    """Empties every table of the current database and sets its sequences back; ends whoever is still connected.

    30 ms, where a database copied from a template costs 450.
    """
    with psycopg.connect(current_dsn) as connection:
        tables = connection.execute(
            "select string_agg(oid::regclass::text, ', ') from pg_class where relkind = 'r' and relname <> 'migrations' "
            "and relnamespace in ('public'::regnamespace, 'registre'::regnamespace)"
        ).fetchone()
    assert tables is not None
    empty = sql.SQL("truncate {} restart identity").format(sql.SQL(tables[0]))

    def reset() -> None:
        with psycopg.connect(current_dsn, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            connection.execute(empty)
            connection.execute("alter sequence registre.served_position restart")
            # No pace: a test's account takes one job after the other.
            connection.execute("insert into registre.rules (pace_seconds) values (0)")
            connection.execute("insert into registre.fees values ('*', '2000-01-01', 150)")

    return reset


@pytest.fixture
def dsn(current_dsn: str, reset: Callable[[], None]) -> str:
    """A database with the current schema and no rows."""
    reset()
    return current_dsn


@pytest.fixture
def empty_dsn(server_dsn: str) -> Iterator[str]:
    """A database in which nothing was ever created."""
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    try:
        yield make_conninfo(server_dsn, dbname=name)
    finally:
        with psycopg.connect(server_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def transport() -> str:
    """How `gateway` reaches the database. Some suites run over 'rest' as well: tests/contract/conftest.py."""
    return "direct"


@pytest.fixture(scope="session")
def supabase(current_dsn: str) -> Iterator[StandIn]:
    """A stand-in for a Supabase project whose database is the current one."""
    with StandIn(current_dsn) as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def supabase_client(supabase: StandIn) -> Iterator[Client]:
    """One for all tests: making it costs more than most of them."""
    with connected(supabase.project) as client:
        yield client


@pytest.fixture
def rest_gateway(dsn: str, supabase_client: Client) -> RestGateway:
    del dsn
    return RestGateway(supabase_client)


@pytest.fixture
def gateway(dsn: str, transport: str, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    if transport == "rest":
        yield request.getfixturevalue("rest_gateway")
        return
    with DirectGateway(dsn) as opened:
        yield opened


@pytest.fixture
def store(gateway: Gateway, tmp_path: Path) -> Store:
    """The stores over this test's database, and local buckets of its own."""
    return make_store(gateway, LocalBuckets(tmp_path / "buckets"))


class ClockedGateway:
    """A gateway that tells every function which takes an instant what time it is by the test's clock."""

    def __init__(self, gateway: DirectGateway, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._clock = clock
        rows = gateway.query(
            "select distinct proname::text as name from pg_proc where pronamespace = 'registre'::regnamespace "
            "and 'p_now' = any (proargnames)"
        )
        self._timed = {row["name"] for row in rows}

    def call(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        now = {"now": self._clock()} if function in self._timed else {}
        return self._gateway.call(function, **arguments, **now)

    def listen(self, channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
        return self._gateway.listen(channels, ring)

    def close(self) -> None:
        self._gateway.close()


@pytest.fixture
def store_at(
    current_dsn: str, reset: Callable[[], None], tmp_path: Path
) -> Iterator[Callable[[Callable[[], datetime]], Store]]:
    """Makes stores over an emptied database under a clock; each one ends the one before."""
    opened: list[DirectGateway] = []

    def store_at(clock: Callable[[], datetime]) -> Store:
        while opened:
            opened.pop().close()
        reset()
        opened.append(DirectGateway(current_dsn, pool_size=2))
        opened[0].execute_script("delete from registre.fees")  # the fee without any is the one that is seeded
        return make_store(ClockedGateway(opened[0], clock), LocalBuckets(tmp_path / "buckets"))

    yield store_at
    for gateway in opened:
        gateway.close()


@pytest.fixture
def desk(gateway: Gateway, dsn: str) -> Iterator[Desk]:
    """The SQL functions under a clock of the test's own."""
    desk = Desk(gateway, dsn)
    yield desk
    desk.check_story()
    desk.close()
