"""On a Supabase project nobody comes in by the public keys, whatever was allowed before; the service role may do all."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.job import Order
from registre.wiring import make_store
from tests.contract.test_stores import LOT
from tests.memory.bucket import MemoryBucket

# What a project is like before registre comes: its default privileges, and a table that a web page wrote to by itself.
PROJECT = """
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;
create table public.extraction_queue (id uuid primary key default gen_random_uuid(), document_source text not null,
    document_number text not null, status text default 'En attente');
alter table public.extraction_queue enable row level security;
create policy everybody on public.extraction_queue using (true) with check (true);
insert into public.extraction_queue (document_source, document_number) values ('index', '2 784 195');
"""
OUTSIDERS = ["anon", "authenticated"]
INSUFFICIENT_PRIVILEGE = psycopg.errors.InsufficientPrivilege

Connection = psycopg.Connection[dict[str, object]]


@pytest.fixture
def project(empty_dsn: str) -> Iterator[Connection]:
    with psycopg.connect(empty_dsn, autocommit=True, row_factory=dict_row) as connection:
        connection.execute(PROJECT)
        with DirectGateway(empty_dsn) as gateway:
            schema.upgrade(gateway)
        yield connection


def become(connection: Connection, role: str) -> None:
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))


def tables(connection: Connection) -> list[sql.Composable]:
    rows = connection.execute(
        "select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind = 'r' and n.nspname in ('registre', 'public')"
    ).fetchall()
    return [sql.Identifier(str(row["schema"]), str(row["name"])) for row in rows]


@pytest.mark.parametrize("role", OUTSIDERS)
def test_the_public_keys_open_no_table(project: Connection, role: str) -> None:
    every = tables(project)
    assert len(every) > 20
    become(project, role)
    for table in every:
        for statement in ("select from {}", "delete from {}", "insert into {} default values", "truncate {}"):
            with pytest.raises(INSUFFICIENT_PRIVILEGE):
                project.execute(sql.SQL(statement).format(table))


@pytest.mark.parametrize("role", [*OUTSIDERS, "public"])
def test_the_public_keys_call_no_function(project: Connection, role: str) -> None:
    held = project.execute(
        "select p.oid::regprocedure::text as signature from pg_proc p where (p.pronamespace = 'registre'::regnamespace "
        "or p.proname = 'registre_call') and has_function_privilege(%s, p.oid, 'execute')",
        (role,),
    ).fetchall()
    assert held == []


@pytest.mark.parametrize("role", OUTSIDERS)
def test_row_level_security_is_a_second_lock(project: Connection, role: str) -> None:
    """Whoever grants the tables again by mistake still shows no row of those that never had a policy."""
    unlocked = project.execute(
        "select c.oid::regclass::text as name from pg_class c where c.relkind = 'r' and not c.relrowsecurity "
        "and c.relnamespace in ('registre'::regnamespace, 'public'::regnamespace)"
    ).fetchall()
    assert unlocked == []
    project.execute("insert into public.worker_accounts (username, password) values ('99X9999', 'sésame')")
    project.execute(sql.SQL("grant select on public.worker_accounts to {}").format(sql.Identifier(role)))
    become(project, role)
    assert project.execute("select * from public.worker_accounts").fetchall() == []


def test_the_service_role_may_do_everything(project: Connection) -> None:
    become(project, "service_role")
    for table in tables(project):
        project.execute(sql.SQL("select * from {}").format(table))
    project.execute(
        "insert into public.extraction_queue (document_source, document_number, circonscription_fonciere, cadastre) "
        "values ('index', '2 784 196', 'Montréal', 'Cadastre du Québec')"
    )
    [row] = project.execute("select public.registre_call('count_jobs') as answer").fetchall()
    assert row["answer"]["rows"] == [{"status": "En attente", "jobs": 2}]  # type: ignore[index]


def test_the_owner_works_as_before(project: Connection, empty_dsn: str) -> None:
    del project
    with DirectGateway(empty_dsn) as gateway:
        store = make_store(gateway, MemoryBucket())
        store.queue.submit([Order(LOT)])
        assert sum(store.views.counts().values()) == 2


def test_a_table_that_comes_later_is_closed_with_the_next_functions(
    project: Connection, empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, script = schema._migrations(), schema._functions()
    monkeypatch.setattr(schema, "_migrations", lambda: [*every, ("9999_next", "create table registre.later (n int);")])
    monkeypatch.setattr(schema, "_functions", lambda: f"{script}\n-- changed with it")
    with DirectGateway(empty_dsn) as gateway:
        schema.upgrade(gateway)
    test_row_level_security_is_a_second_lock(project, "anon")


def test_the_plan_brings_an_empty_database_up_to_date_and_may_be_run_again(empty_dsn: str) -> None:
    with DirectGateway(empty_dsn) as gateway:
        for _ in range(2):
            gateway.execute_script(schema.plan())
            assert schema.state(gateway).current
        assert schema.upgrade(gateway) == ()


def test_the_plan_leaves_alone_what_is_applied(project: Connection, empty_dsn: str) -> None:
    functions = "select oid from pg_proc where pronamespace = 'registre'::regnamespace order by 1"
    before = project.execute(functions).fetchall()
    with DirectGateway(empty_dsn) as gateway:
        gateway.execute_script(schema.plan())
    assert project.execute(functions).fetchall() == before
