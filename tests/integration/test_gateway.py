"""The gateway's edge: foreign errors become ours, and a database that was away is found again."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registre.database.gateway import PREPARE_AFTER, DirectGateway, Json
from registre.errors import ConfigurationError, DatabaseUnavailable, LeaseLost, NotFound, Refused
from tests.away import database_away
from tests.desk import Desk

NOBODY = "00000000-0000-0000-0000-000000000000"


def test_a_database_that_is_not_there_is_one_sentence_without_the_password(dsn: str) -> None:
    nowhere = make_conninfo(dsn, port="1", password="sésame")
    with DirectGateway(nowhere, connect_timeout_seconds=1) as gateway:
        for attempt in (gateway.check, lambda: gateway.call("count_jobs")):
            with pytest.raises(DatabaseUnavailable) as caught:
                attempt()
            assert "\n" not in str(caught.value)
            assert "sésame" not in str(caught.value)


def test_an_address_that_is_none_is_a_configuration_error(dsn: str) -> None:
    del dsn
    with pytest.raises(ConfigurationError):
        DirectGateway("postgresql://localhost?no_such_option=1").check()


def test_a_password_that_is_refused_is_one_sentence(dsn: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="password authentication failed"):
        DirectGateway(make_conninfo(dsn, password="wrong")).check()


def test_a_broken_connection_is_replaced(desk: Desk) -> None:
    desk.gateway.call("count_jobs")
    desk.sql(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert desk.gateway.call("count_jobs") == []


def test_a_database_that_was_away_long_is_found_by_the_next_who_asks(server_dsn: str, empty_dsn: str) -> None:
    def refused() -> bool:
        with contextlib.suppress(DatabaseUnavailable):
            gateway.clock()
            return False
        return True

    with DirectGateway(empty_dsn, connect_timeout_seconds=1) as gateway:
        gateway.clock()
        with database_away(server_dsn, empty_dsn):
            assert [refused() for _ in range(8)] == [True] * 8
        assert False in [refused() for _ in range(3)], "a pause between two tries has grown with the outage"


def test_a_refusal_carries_its_sentence_and_its_class(gateway: DirectGateway) -> None:
    with pytest.raises(NotFound, match="No job has this id"):
        gateway.call("cancel_job", job=NOBODY, author="a test")
    with pytest.raises(LeaseLost):
        gateway.call("release_job", job=NOBODY, token=1)
    assert not issubclass(NotFound, Refused)


@pytest.mark.parametrize(
    "argument", ["no id", "a\x00b", "\ud800"], ids=["not of the type", "with a NUL", "with half a character"]
)
def test_a_value_no_column_takes_is_refused_in_a_sentence(gateway: DirectGateway, argument: str) -> None:
    with pytest.raises(Refused, match=r"^The database refuses what it was given: [^\n]+\.$"):
        gateway.call("cancel_job", job=argument, author="a test")
    assert gateway.call("count_jobs") == [], "and the connection is usable"


def test_a_row_the_tables_rules_forbid_is_refused_in_a_sentence(gateway: DirectGateway) -> None:
    with pytest.raises(Refused, match="null value"):
        gateway.call("submit_jobs", orders=Json([{"source": "index"}]))


def test_arguments_go_by_name(gateway: DirectGateway) -> None:
    assert gateway.call("normalize_number", text="2 784 195") == [{"normalize_number": "2784195"}]


def test_a_failed_call_leaves_nothing_open(desk: Desk) -> None:
    for _ in range(12):
        with pytest.raises(NotFound):
            desk.gateway.call("requeue_job", job=NOBODY, author="a test")
    held = "select count(*) as n from pg_stat_activity where datname = current_database() and state like 'idle in transaction%%'"
    assert desk.sql(held) == [{"n": 0}]


def copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def somebody_between(dsn: str) -> Iterator[str]:
    """The address of one who stands before the database, as a pooler does, and passes everything on."""
    known = conninfo_to_dict(dsn)
    target = (str(known["host"]), int(str(known["port"])))

    class Between(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as far:
                back = Thread(target=copy, args=(far, self.request))
                back.start()
                copy(self.request, far)
                back.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Between) as server:
        serving = Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield make_conninfo(dsn, host="127.0.0.1", port=str(server.server_address[1]))
        finally:
            server.shutdown()
            serving.join()


def prepared(gateway: DirectGateway) -> Any:
    for _ in range(PREPARE_AFTER + 2):
        gateway.call("normalize_number", text="1")
    return gateway.query("select count(*) as n from pg_prepared_statements where statement like '%normalize_number%'")[
        0
    ]["n"]


def test_statements_are_prepared_on_a_direct_connection_and_not_through_somebody_between(dsn: str) -> None:
    with DirectGateway(dsn, pool_size=1) as direct:
        assert prepared(direct) == 1
    with somebody_between(dsn) as address, DirectGateway(address, pool_size=1) as passed_on:
        assert prepared(passed_on) == 0


def test_a_function_that_now_answers_with_other_columns_is_a_database_away_once(empty_dsn: str) -> None:
    with DirectGateway(empty_dsn, pool_size=1) as gateway, DirectGateway(empty_dsn, pool_size=1) as upgrading:
        upgrading.execute_script("create schema registre")
        upgrading.execute_script("create function registre.probe() returns integer language sql as 'select 1'")
        for _ in range(PREPARE_AFTER + 2):
            assert gateway.call("probe") == [{"probe": 1}]
        upgrading.execute_script("drop function registre.probe()")
        upgrading.execute_script(
            "create function registre.probe() returns table (one integer, two integer) language sql as 'select 1, 2'"
        )
        with pytest.raises(DatabaseUnavailable, match="not those expected"):
            gateway.call("probe")
        assert gateway.call("probe") == [{"one": 1, "two": 2}]
