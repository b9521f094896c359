"""The gateway's edge: foreign errors become ours, and a database that was away is found again."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from registre.database.gateway import DirectGateway, Json
from registre.errors import ConfigurationError, DatabaseUnavailable, LeaseLost, NotFound, Refused
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
