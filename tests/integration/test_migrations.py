"""The schema is brought up to date once, however many programs try, and a failure leaves nothing half done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from registre.database import schema
from registre.database.gateway import DirectGateway
from tests.desk import Desk

FUNCTIONS = "select count(*) from pg_proc where pronamespace = 'registre'::regnamespace"


def ask(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_an_empty_database_is_brought_up_to_date_once(empty_dsn: str) -> None:
    with DirectGateway(empty_dsn) as gateway:
        before = schema.state(gateway)
        assert (before.applied, before.current) == ((), False)
        assert schema.upgrade(gateway)[-1] == "functions"
        assert schema.state(gateway).current
        assert schema.upgrade(gateway) == ()


def test_programs_that_start_together_bring_it_up_to_date_together(empty_dsn: str) -> None:
    programs = 4
    together = Barrier(programs)

    def program() -> None:
        with DirectGateway(empty_dsn) as gateway:
            gateway.query("select 1")
            together.wait()
            schema.upgrade(gateway)
            assert schema.state(gateway).current

    with ThreadPoolExecutor(programs) as pool:
        for done in [pool.submit(program) for _ in range(programs)]:
            done.result()
    names = [name for name, _ in schema._migrations()]
    assert ask(empty_dsn, "select name from registre.migrations order by name") == [(n,) for n in [*names, "functions"]]


def test_changed_functions_replace_the_old_ones_and_leave_none_behind(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = schema._functions()
    with DirectGateway(empty_dsn) as gateway:
        schema.upgrade(gateway)
        [(present,)] = ask(empty_dsn, FUNCTIONS)
        monkeypatch.setattr(
            schema,
            "_functions",
            lambda: script + "\ncreate function registre.added() returns int language sql as 'select 1';",
        )
        assert not schema.state(gateway).current
        assert schema.upgrade(gateway) == ("functions",)
        assert ask(empty_dsn, FUNCTIONS) == [(int(str(present)) + 1,)]
        monkeypatch.setattr(schema, "_functions", lambda: script)
        assert schema.upgrade(gateway) == ("functions",)
        assert ask(empty_dsn, FUNCTIONS) == [(present,)]


def test_a_program_that_comes_second_leaves_functions_in_use_alone(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DirectGateway(empty_dsn) as gateway:
        stale = schema.state(gateway)
        schema.upgrade(gateway)
        before = ask(empty_dsn, "select oid from pg_proc where pronamespace = 'registre'::regnamespace order by 1")
        monkeypatch.setattr(schema, "state", lambda _: stale)
        schema.upgrade(gateway)
        assert (
            ask(empty_dsn, "select oid from pg_proc where pronamespace = 'registre'::regnamespace order by 1") == before
        )


def test_a_migration_that_fails_leaves_nothing_and_may_be_mended(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended = "create table registre.half (n int); create table registre.other (n int);"
    real = schema._migrations()
    with DirectGateway(empty_dsn) as gateway:
        monkeypatch.setattr(schema, "_migrations", lambda: [*real, ("0002_next", mended + " select 1/0;")])
        with pytest.raises(Exception, match="division by zero"):
            schema.upgrade(gateway)
        assert ask(empty_dsn, "select to_regclass('registre.half')") == [(None,)]
        monkeypatch.setattr(schema, "_migrations", lambda: [*real, ("0002_next", mended)])
        assert schema.upgrade(gateway) == ("0002_next", "functions")


def test_jobs_and_leases_survive_an_upgrade(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    script = schema._functions()
    monkeypatch.setattr(schema, "_functions", lambda: script + "\n-- changed")
    schema.upgrade(desk.gateway)
    desk.charge(purchase, held)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"
    monkeypatch.undo()
    schema.upgrade(desk.gateway)
