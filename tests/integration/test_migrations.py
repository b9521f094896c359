"""The schema is brought up to date once, however many programs try, and a failure leaves nothing half done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event

import psycopg
import pytest

from registre.database import schema
from registre.database.gateway import DirectGateway, Json
from registre.errors import DatabaseUnavailable
from tests.desk import OWNER, VISIBILITY, Desk

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
    schema.upgrade(desk.direct)
    desk.charge(purchase, held)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"
    monkeypatch.undo()
    schema.upgrade(desk.direct)


def test_functions_are_replaced_under_a_worker_and_it_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was being called while it was replaced is refused whole, as a database that is away for a moment."""
    jobs = desk.order(*range(1000001, 1000401))
    seats = desk.seats(2)
    told = Json([{"account": s.account_id, "token": s.token, "worker": s.worker} for s in seats])
    script = schema._functions()
    replaced = Event()

    def work() -> None:
        while not replaced.is_set():
            with suppress(DatabaseUnavailable):
                for row in desk.gateway.call(
                    "lease_next", owner=OWNER, seats=told, visibility_seconds=VISIBILITY, now=desk.now
                ):
                    desk.gateway.call(
                        "fail_job", job=row["id"], token=row["token"], kind="not_found", message="no", now=desk.now
                    )

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        for version in range(8):
            monkeypatch.setattr(schema, "_functions", lambda version=version: f"{script}\n-- {version}")
            assert schema.upgrade(desk.direct) == ("functions",)
        replaced.set()
        worker.result()
    monkeypatch.undo()
    schema.upgrade(desk.direct)
    desk.pass_time(61)
    desk.reclaim()
    assert desk.lease(seats)
    assert len(desk.sql("select 1 from extraction_queue")) == len(jobs)


def test_what_is_kept_beside_the_rows_is_counted_anew_with_the_functions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = desk.leased()
    desk.intend(held)
    desk.sql("delete from registre.job_counts")
    desk.sql("update registre.spending set used_cents = 7")
    script = schema._functions()
    monkeypatch.setattr(schema, "_functions", lambda: script + "\n-- changed")
    schema.upgrade(desk.direct)
    desk.check_story()
    monkeypatch.undo()
    schema.upgrade(desk.direct)


# -- from one version to the next

PURCHASES = """
insert into extraction_queue (id, document_source, document_number, client, status, cost_cents)
values ('00000000-0000-0000-0000-000000000001', 'acte', '1', 'étude', 'Complété', 150),
       ('00000000-0000-0000-0000-000000000002', 'index', '2', '', 'Erreur', 300),
       ('00000000-0000-0000-0000-000000000003', 'index', '3', '', 'En attente', 0);
insert into worker_accounts (username, password) values ('marie', 'secret');
insert into registre.purchases (job_id, token, account_id, host, identity_key, state, fee_cents, intended_at)
select ('00000000-0000-0000-0000-00000000000' || j)::uuid, 1, coalesce(a.id::text, 'removed'), 'host-a', 'key|' || n, s, f,
    i::timestamptz
from (values (1, 1, 'delivered', 150, '2026-06-01 03:59+00', true), (2, 2, 'void', 150, '2026-06-01 12:00+00', true),
    (3, 2, 'ambiguous', 300, '2026-06-01 04:00+00', true), (4, 9, 'secured', 150, '2026-06-30 23:00+00', false)
) v (n, j, s, f, i, known)
left join worker_accounts a on v.known;
"""


def test_purchases_of_the_version_before_are_in_the_books(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    every, script = schema._migrations(), schema._functions()
    with DirectGateway(empty_dsn) as gateway:
        monkeypatch.setattr(schema, "_migrations", lambda: every[:1])
        monkeypatch.setattr(schema, "_functions", lambda: "select 1")
        schema.upgrade(gateway)
        with psycopg.connect(empty_dsn) as connection:
            connection.execute(PURCHASES.encode())
        monkeypatch.undo()
        assert schema._functions() == script
        assert schema.upgrade(gateway) == (*[name for name, _ in every[1:]], "functions")
        desk = Desk(gateway, empty_dsn)
        desk.check_story()
        bought = "select source, client, spent_on::text from registre.purchases order by identity_key"
        assert [tuple(row.values()) for row in desk.sql(bought)] == [
            ("acte", "étude", "2026-05-31"),
            ("index", "", "2026-06-01"),
            ("index", "", "2026-06-01"),
            ("", "", "2026-06-30"),
        ]
        spent = "select scope, name, starts_on::text, used_cents from registre.spending where period = 'month' order by 1, 2, 3"
        assert [tuple(row.values()) for row in desk.sql(spent)] == [
            ("account", "marie", "2026-05-01", 150),
            ("account", "marie", "2026-06-01", 300),
            ("account", "removed", "2026-06-01", 150),
            ("client", "", "2026-06-01", 450),
            ("client", "étude", "2026-05-01", 150),
            ("site", "", "2026-05-01", 150),
            ("site", "", "2026-06-01", 450),
        ]
        assert [held.id for held in desk.lease(desk.seats(1))] == ["00000000-0000-0000-0000-000000000003"]
        desk.close()
