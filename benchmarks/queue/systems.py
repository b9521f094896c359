"""The three queues: where each one's code runs, what its database is, and how it is filled.

Invariant: what is compared is installed by number into an environment of its own, and again only when the numbers change.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.queue.wire import Child, children
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.store.accounts import Accounts
from registre.store.gates import GateKeeping

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
SEATS = 48


@dataclass(frozen=True)
class System:
    """One queue. `waiting`, `table` and `modes` are its own words for a job that waits, the queue, and its ways to consume."""

    name: str
    python: Path
    module: str
    dsn: str
    table: LiteralString
    waiting: LiteralString
    modes: tuple[tuple[str, str], ...]

    def child(self, role: str) -> Child:
        return Child(self.python, self.module, role, self.dsn)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            yield connection

    def count_waiting(self) -> int:
        with self.connection() as connection:
            row = connection.execute(
                sql.SQL("select count(*) from {} where {}").format(sql.SQL(self.table), sql.SQL(self.waiting))
            ).fetchone()
        assert row is not None
        return int(row[0])

    def fill_to(self, rows: int) -> None:
        """Make `rows` jobs wait, and leave the tables as autovacuum would after a while."""
        missing = rows - self.count_waiting()
        with self.connection() as connection:
            if missing > 0:
                script = (HERE / "sql" / f"{self.name}.sql").read_text("utf-8")
                statements = [part for part in script.split(";\n") if part.strip()]
                with connection.transaction():
                    for statement in statements:
                        connection.execute(sql.SQL(statement), {"rows": missing} if "%(rows)s" in statement else None)
            connection.execute("vacuum (analyze)")

    def empty(self) -> None:
        with self.connection() as connection:
            if self.name == "ours":
                connection.execute(
                    "truncate public.extraction_queue, registre.events, registre.attempts, registre.purchases, "
                    "registre.clients, registre.job_counts restart identity"
                )
                connection.execute("select setval('registre.served_position', 1, false)")
            elif self.name == "procrastinate":
                connection.execute("truncate procrastinate_jobs, procrastinate_events restart identity cascade")
            else:
                connection.execute("truncate pgqueuer, pgqueuer_log, pgqueuer_statistics restart identity")
            connection.execute("vacuum (analyze)")


def environment(folder: Path) -> Path:
    """The Python of the environment in `folder`, made or renewed if its packages are not those of the requirements."""
    python = folder / "bin" / "python"
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if not python.exists() or not stamp.exists() or stamp.read_text() != wanted:
        sys.stderr.write(f"bench: installing {REQUIREMENTS.name} into {folder}\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)]
        quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        done = subprocess.run(pip, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            raise SystemExit("bench: the packages to compare with could not be installed.")
        stamp.write_text(wanted)
    return python


def versions(python: Path) -> dict[str, str]:
    """Name → version of what is installed beside `python`."""
    script = "import importlib.metadata as m; print('\\n'.join(f'{d.name}=={d.version}' for d in m.distributions()))"
    shown = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=True)
    return dict(line.lower().split("==") for line in shown.stdout.splitlines())


def make_systems(server_dsn: str, rivals_python: Path) -> list[System]:
    """A database for each on the server, with its schema, and seats for our consumers."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        for name in ("ours", "procrastinate", "pgqueuer"):
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(f"bench_{name}")))

    def dsn(name: str) -> str:
        # an address and not psycopg's own form, which asyncpg does not read
        return urlsplit(server_dsn)._replace(path=f"/bench_{name}").geturl()

    systems = [
        System(
            "ours", Path(sys.executable), "benchmarks.queue.ours", dsn("ours"), "public.extraction_queue",
            "status = 'En attente'",
            (("lease, then fail: 2 calls", "work"), ("lease, intend, charge, secure, deliver: 5 calls", "buy")),
        ),
        System(
            "procrastinate", rivals_python, "benchmarks.queue.with_procrastinate", dsn("procrastinate"),
            "procrastinate_jobs", "status = 'todo'",
            (("fetch, then finish: 2 calls", "loop"), ("its own Worker, concurrency 1", "work")),
        ),
        System(
            "pgqueuer", rivals_python, "benchmarks.queue.with_pgqueuer", dsn("pgqueuer"), "pgqueuer",
            "status = 'queued'",
            (("dequeue one, then log it: 2 calls", "loop"), ("its own QueueManager, batches of 10", "work")),
        ),
    ]  # fmt: skip
    with DirectGateway(systems[0].dsn) as gateway:
        schema.upgrade(gateway)
        # the registry's pace is not the queue's
        GateKeeping(gateway).set_rule("pace_seconds", 0, "bench")
        accounts = Accounts(gateway)
        for seat in range(SEATS):
            accounts.add(f"seat-{seat:02}", "none")
    for system in systems[1:]:
        with children(lambda system=system: system.child("install")):  # type: ignore[misc]
            pass
    return systems


def machine() -> str:
    """Processor and cores, in one line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{model}, {os.cpu_count()} cores"
