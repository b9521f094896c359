"""Brings a database to this version's schema: numbered migrations once, SQL functions whenever their text changed.

Invariant: additive for tables of the contract; every step is one transaction under one advisory lock, so two programs
that start together do it once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from registre.database.gateway import DirectGateway, Gateway
from registre.errors import ConfigurationError

_LOCK = 7_305_811_001  # any constant of our own

# Under the lock too: "if not exists" does not keep two creations apart.
_BEGINNING = f"""begin;
select pg_advisory_xact_lock({_LOCK});
create schema if not exists registre;
create table if not exists registre.migrations
(name text primary key, checksum text not null, applied_at timestamptz not null default now());
commit;"""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What is applied, and what this version brings."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    functions_current: bool

    @property
    def current(self) -> bool:
        return not self.pending and self.functions_current


def state(gateway: DirectGateway) -> SchemaState:
    """Read the state; a database without our schema has everything pending."""
    known = gateway.query("select to_regclass('registre.migrations') is not null as known")[0]["known"]
    rows = gateway.query("select name, checksum from registre.migrations order by name") if known else []
    return _state({str(row["name"]): str(row["checksum"]) for row in rows})


def state_by_call(gateway: Gateway) -> SchemaState:
    """The same through a function of ours, where no statement can be sent."""
    return _state({str(row["name"]): str(row["checksum"]) for row in gateway.call("applied")})


def require_current(gateway: Gateway) -> None:
    """ConfigurationError unless the schema is this version's; for a gateway that cannot bring it up to date."""
    if not state_by_call(gateway).current:
        raise ConfigurationError(
            "The database's schema is not this version's: run what `registre db plan` prints in the SQL editor of the Supabase "
            "project, or `registre db upgrade` with DATABASE_URL."
        )


def plan() -> str:
    """Everything `upgrade` would ever do, as one script for an SQL editor: what is applied already is left alone."""
    steps = [_BEGINNING, *[_once(name, script) for name, script in _migrations()], _replace_functions(_functions())]
    return "\n\n".join(steps) + "\n"


def _state(applied: dict[str, str]) -> SchemaState:
    return SchemaState(
        applied=tuple(n for n in applied if n != "functions"),
        pending=tuple(name for name, _ in _migrations() if name not in applied),
        functions_current=applied.get("functions") == _checksum(_functions()),
    )


def upgrade(gateway: DirectGateway) -> tuple[str, ...]:
    """Apply what is pending; returns the names applied. Idempotent and safe to run from several programs at once."""
    before = state(gateway)
    if before.current:
        return ()
    gateway.execute_script(_BEGINNING)
    done: list[str] = []
    for name, script in _migrations():
        if name in before.pending:
            gateway.execute_script(_once(name, script))
            done.append(name)
    if not before.functions_current:
        gateway.execute_script(_replace_functions(_functions()))
        done.append("functions")
    return tuple(done)


def _migrations() -> list[tuple[str, str]]:
    folder = resources.files("registre.database") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


def _functions() -> str:
    folder = resources.files("registre.database") / "sql"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return "\n".join(f.read_text("utf-8") for f in files)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _once(name: str, script: str) -> str:
    """The script guarded against a second program: the name is inserted first, under the lock."""
    tag = "$registre_migration$"
    return f"""begin;
select pg_advisory_xact_lock({_LOCK});
do {tag} begin
if not exists (select from registre.migrations where name = '{name}') then
{_as_execute(script)}
insert into registre.migrations (name, checksum) values ('{name}', '{_checksum(script)}');
end if;
end {tag};
commit;"""  # noqa: S608 - our own script, from our own package


def _as_execute(script: str) -> str:
    body = "$registre_script$"
    return f"execute {body}{script}{body};"


def _replace_functions(script: str) -> str:
    """Drop every function of ours (with its triggers) and create them anew, so that no old signature lingers.

    Guarded against a second program: the first one's functions may be in use when the second comes to its turn.
    """
    tag = "$registre_functions$"
    return f"""begin;
select pg_advisory_xact_lock({_LOCK});
do {tag} declare f record; begin
if not exists (select from registre.migrations where name = 'functions' and checksum = '{_checksum(script)}') then
for f in select p.oid::regprocedure as signature from pg_proc p where p.pronamespace = 'registre'::regnamespace loop
execute 'drop function if exists ' || f.signature || ' cascade';
end loop;
{_as_execute(script)}
insert into registre.migrations (name, checksum) values ('functions', '{_checksum(script)}')
on conflict (name) do update set checksum = excluded.checksum, applied_at = now();
end if;
end {tag};
commit;"""  # noqa: S608 - our own script, from our own package
