"""Calls SQL functions of schema `registre` by name, over a direct connection.

Invariant: one call is one statement and one transaction; arguments go by name; foreign errors become ours here and only
here. A call is never repeated by the gateway: only its caller knows whether repeating is safe.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, LiteralString, Protocol, Self

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from registre.database.address import Route, read_address
from registre.database.bell import Ear, first_line, hears, ring_once
from registre.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    LeaseLost,
    Miscounted,
    NotFound,
    OtherRequest,
    Refused,
    RegistreError,
)

PREPARE_AFTER = 5  # calls on one connection


_BY_CODE: dict[str, type[RegistreError]] = {
    "lease_lost": LeaseLost,
    "name_taken": ConfigurationError,
    "not_found": NotFound,
    "other_request": OtherRequest,
    "miscounted": Miscounted,
}


class Json:
    """Marks an argument that is to arrive as jsonb."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Gateway(Protocol):
    """What the stores need: a call by name, and a bell that rings when a channel is notified."""

    def call(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        """Rows of `registre.<function>(p_<name> => value, …)`; a scalar comes as one row with one column.

        Raises LeaseLost, NotFound, Refused (other codes of `registre.refuse`, and values that no column takes),
        DatabaseUnavailable.
        """

    def listen(self, channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
        """Ring (channel, payload) from a thread of its own for each notice; returns what ends it.

        Rings once with an empty payload after each (re)connection, since notices may have been missed.
        """

    def close(self) -> None: ...


class DirectGateway:
    """The gateway over psycopg. Thread-safe: each call borrows one pooled connection."""

    def __init__(self, dsn: str, *, pool_size: int = 8, connect_timeout_seconds: int = 5) -> None:
        self._dsn, self.route = read_address(dsn)
        # No prepared statements until a connection is seen to be direct.
        self._options: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": None,
            "row_factory": dict_row,
            "connect_timeout": connect_timeout_seconds,
            "application_name": "registre",
            "keepalives_idle": 30,
        }
        self._pool: ConnectionPool[psycopg.Connection[dict[str, Any]]] = ConnectionPool(
            self._dsn, kwargs=self._options, min_size=1, max_size=pool_size,
            timeout=connect_timeout_seconds, max_idle=300, max_lifetime=1800, check=_check,
            # the pause between two tries doubles until this: with the library's five minutes the fleet would stand for as
            # long again as an outage lasted; given up, the next who asks makes it try at once
            reconnect_timeout=connect_timeout_seconds,
            configure=_configure if self.route is Route.TRANSACTION_POOLER else _configure_and_prepare,
            open=False, name="registre",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """Connect once, directly, so that a wrong address is a sentence and not a pool's time-out."""
        try:
            with psycopg.connect(self._dsn, **{**self._options, "row_factory": psycopg.rows.tuple_row}) as connection:
                version = connection.info.server_version
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(f"The database does not answer: {first_line(error)}.") from None
        except psycopg.ProgrammingError as error:
            raise ConfigurationError(f"DATABASE_URL is not a PostgreSQL address: {first_line(error)}.") from None
        if version < 150000:
            raise ConfigurationError(f"PostgreSQL 15 or later is needed; this one is {version // 10000}.")

    def call(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        adapted = {name: _adapt(value) for name, value in arguments.items()}
        return self._run(_statement(function, tuple(arguments)), adapted)

    def clock(self) -> datetime:
        """The database's own, by which leases go."""
        found: datetime = self._run(sql.SQL("select clock_timestamp() as now"), None)[0]["now"]
        return found

    def version(self) -> str:
        return str(self._run(sql.SQL("show server_version"), None)[0]["server_version"]).split()[0]

    def execute_script(self, script: LiteralString) -> None:
        """Run one migration script in one transaction. Only `schema` calls this."""
        self._run(sql.SQL(script), None)

    def query(self, statement: LiteralString) -> list[dict[str, Any]]:
        """Run one constant statement. Only `schema` calls this, before the functions exist."""
        return self._run(sql.SQL(statement), None)

    def _run(self, statement: sql.SQL | bytes, arguments: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                try:
                    cursor = connection.execute(statement, arguments)
                except psycopg.errors.FeatureNotSupported:
                    connection.close()  # what it has prepared is of a function that now answers with other columns
                    raise
                # asked for its description it would make a column object for each, longer than the rows take
                return cursor.fetchall() if cursor.rownumber is not None else []
        except psycopg.errors.RaiseException as error:
            raise refusal(
                error.diag.message_hint or "", error.diag.message_primary or "The database refused."
            ) from None
        except (psycopg.OperationalError, PoolTimeout, psycopg.InterfaceError) as error:
            raise DatabaseUnavailable(f"The database does not answer: {first_line(error)}.") from None
        except (
            psycopg.errors.FeatureNotSupported,
            psycopg.errors.InternalError_,
            psycopg.errors.UndefinedFunction,
            psycopg.errors.UndefinedObject,
        ) as error:
            # Called while another program replaces the functions: nothing was done, and the next call finds the new ones.
            raise DatabaseUnavailable(
                f"The database's functions are not those expected: {first_line(error)}."
            ) from None
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError) as error:
            raise Refused(f"The database refuses what it was given: {first_line(error)}.") from None

    def listen(self, channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
        if self.route is Route.TRANSACTION_POOLER:
            return ring_once(channels, ring)
        ear = Ear(self._dsn, self._options, channels, ring)
        ear.start()
        return ear.stop

    def hears(self) -> bool:
        """Whether notices come through, as a try shows; without, everything is looked for each second. DatabaseUnavailable."""
        if self.route is Route.TRANSACTION_POOLER:
            return False
        try:
            with psycopg.connect(self._dsn, **self._options) as connection:
                return hears(connection, self._dsn, self._options)
        except psycopg.Error as error:
            raise DatabaseUnavailable(f"The database does not answer: {first_line(error)}.") from None

    def close(self) -> None:
        self._pool.close()


def _configure(connection: psycopg.Connection[Any]) -> None:
    """Ids are text everywhere in the core: making objects of them first cost a third of the making of a page."""
    connection.adapters.register_loader("uuid", TextLoader)
    set_json_loads(
        msgspec.json.decode, connection
    )  # a page has a hundred jsonb: a third of its reading, with the library's own


def _configure_and_prepare(connection: psycopg.Connection[Any]) -> None:
    _configure(connection)
    _prepare_if_direct(connection)


def _check(connection: psycopg.Connection[Any]) -> None:
    """Raise if the connection has ended. A server that ends one says so, hence only a socket with something to read is asked
    more: a question before every call would cost a third of a short one."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        ConnectionPool.check_connection(connection)


def _prepare_if_direct(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Let the driver prepare what is called again and again: parsing takes longer than a short call.

    Not through a pooler, which would mix the statements up between its clients. One shows by its own numbers: the process it
    names is not the one that answers, or the database sees another port than ours.
    """
    [seen] = connection.execute("select pg_backend_pid() as process, inet_client_port() as port").fetchall()
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        address = ours.getsockname()
    port = address[1] if isinstance(address, tuple) else None
    if (seen["process"], seen["port"]) == (connection.info.backend_pid, port):
        connection.prepare_threshold = PREPARE_AFTER


@lru_cache(maxsize=512)
def _statement(function: str, names: tuple[str, ...]) -> bytes:
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(f"p_{name}"), sql.Placeholder(name)) for name in names
    )
    return sql.SQL("select * from registre.{}({})").format(sql.Identifier(function), arguments).as_bytes(None)


def _adapt(value: Any) -> Any:
    return Jsonb(value.value) if isinstance(value, Json) else value


def refusal(code: str, message: str) -> RegistreError:
    """The error of a code of `registre.refuse`."""
    return _BY_CODE.get(code, Refused)(message)
