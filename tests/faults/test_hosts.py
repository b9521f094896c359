"""Three hosts as process trees of their own, on the twin: one cut off from the database, one killed, one back with its spool."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from benchmarks.crashes.workers import Worker
from registre.document import DocumentRequest, Source
from registre.job import JobId, JobView, Order, Status
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import Store
from tests.faults.cable import Cable
from tests.processes import environment, processes_of
from tests.waiting import until

HOSTS = ("host-a", "host-b", "host-c")
PATIENCE = 90.0
"""Seconds for one step of it, all browsers on a slow machine included."""


class Hosts:
    """Three homes, one account each, one twin; each host's worker is started by `start`."""

    def __init__(self, folder: Path, dsn: str, where: str) -> None:
        self._folder = folder
        self._where = where
        self._dsn = dsn
        self.running: dict[str, Worker] = {}

    def start(self, host: str, dsn: str, point: str = "never") -> Worker:
        home = self.home(host)
        home.mkdir(mode=0o700, exist_ok=True)
        settings = environment(
            home,
            REGISTRE_HOST=host,
            DATABASE_URL=dsn,
            REGISTRE_BUCKETS=str(self._folder / "buckets"),
            REGISTRE_MAX_SESSIONS="1",
            REGISTRE_VISIBILITY_SECONDS="4",
            REGISTRE_HOST_GONE_SECONDS="3",
            REGISTRE_DRAIN_SECONDS="60",
        )
        self.running[host] = Worker(point, self._where, settings, self._folder / f"{host}.log")
        return self.running[host]

    def home(self, host: str) -> Path:
        return self._folder / host

    def spooled(self, host: str) -> list[str]:
        return sorted(entry.name for entry in (self.home(host) / "spool" / "ready").iterdir())

    def is_empty(self, host: str) -> bool:
        return self.spooled(host) == []

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self._dsn, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def until(self, look: Callable[[], Any], otherwise: str) -> Any:
        """As `tests.waiting.until`; a worker that ended by itself says why."""

        def looked() -> Any:
            for host, worker in self.running.items():
                assert worker.code in (None, -9), f"{host} ended with {worker.code}: {worker.log.read_text()[-2000:]}"
            return look()

        return until(looked, otherwise, PATIENCE)

    def buys(self, host: str) -> dict[str, Any] | None:
        """A purchase that is under way there."""
        found = self.rows(
            "select p.id::text, p.job_id::text from registre.purchases p "
            "where p.host = %s and p.state in ('intended', 'charged')",
            host,
        )
        return found[0] if found else None

    def works(self, host: str) -> bool:
        started = "select 1 from extraction_queue where status = 'En traitement' and worker_id like %s"
        return bool(self.rows(started, f"{host}/%"))


class Orders:
    """As many as are needed to have work for all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids: list[JobId] = []

    def top_up(self) -> bool:
        """Three wait, of documents nobody ordered before."""
        missing = 3 - self._store.views.counts()[Status.WAITING]
        numbers = range(1_000_001 + len(self._ids), 1_000_001 + len(self._ids) + max(0, missing))
        requests = [DocumentRequest(Source.INDEX, str(n), "Montréal", "Cadastre du Québec") for n in numbers]
        self._ids += self._store.queue.submit([Order(request) for request in requests])
        return True

    def jobs(self) -> list[JobView]:
        return [self._store.views.job(job_id) for job_id in self._ids]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="registre-hosts-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(400)
def test_orders_survive_a_host_cut_off_a_host_killed_and_a_host_that_returns(
    store: Store, dsn: str, folder: Path
) -> None:
    for account in demo_accounts(3):
        store.accounts.add(*account)
    ledger = folder / "twin.jsonl"
    with TwinServer(TwinConfig(ledger_path=ledger, loading_seconds=0.7)) as twin, Cable(dsn) as cable:
        hosts, orders = Hosts(folder, dsn, twin.base_url), Orders(store)
        try:
            play(hosts, store, dsn, cable, orders)
        finally:
            for worker in hosts.running.values():
                worker.end()
        billed = Counter(line.number_normalized for line in twin.ledger())
    until(lambda: [p for host in HOSTS for p in processes_of(hosts.home(host))] == [], "a process outlived its host")

    assert max(billed.values()) == 1, "something was bought twice"
    jobs = orders.jobs()
    explained = [job for job in jobs if job.status is Status.FAILED]
    assert {job.status for job in jobs} <= {Status.DONE, Status.FAILED}
    assert {job.error_kind for job in explained} <= {"ambiguous_purchase", "secured_elsewhere"}
    assert len(explained) <= 1, "only what the killed host was buying may need a person"
    assert all(billed[job.request.number_normalized] == 1 for job in jobs if job.status is Status.DONE)
    assert hosts.rows("select job_id from registre.attempts where ended_at is null") == []
    assert {host.host: host.state for host in store.views.hosts()} == {
        "host-a": "stopped",
        "host-b": "stopped",
        "host-c": "silent",
    }


def play(hosts: Hosts, store: Store, dsn: str, cable: Cable, orders: Orders) -> None:
    orders.top_up()
    # One dies with a document in its spool; the others say so, and go on.
    lost = hosts.start("host-a", dsn, "after_secure")
    hosts.start("host-b", cable.dsn)
    killed = hosts.start("host-c", dsn)
    hosts.until(lambda: lost.code == -9, "host-a did not come to its point")
    [kept] = hosts.spooled("host-a")
    kept_for = hosts.rows("select job_id::text from registre.purchases where id::text = %s", kept)[0]["job_id"]
    hosts.until(
        lambda: store.views.job(JobId(kept_for)).error_kind == "secured_elsewhere", "nobody told what the dead host has"
    )

    # One is cut off while it buys: nobody buys that again; back, it delivers by itself.
    bought = hosts.until(lambda: orders.top_up() and hosts.buys("host-b"), "host-b buys nothing")
    cable.cut()
    cut_off = JobId(bought["job_id"])
    hosts.until(
        lambda: store.views.job(cut_off).error_kind == "ambiguous_purchase", "nobody told of what the cut-off host buys"
    )
    assert hosts.rows("select state from registre.purchases where id::text = %s", bought["id"]) == [
        {"state": "ambiguous"}
    ]
    cable.mend()
    hosts.until(lambda: store.views.job(cut_off).status is Status.DONE, "what was bought did not come")

    # One is killed at work. Its account and orders go to others.
    hosts.until(lambda: orders.top_up() and hosts.works("host-c"), "host-c has no work")
    killed.kill()
    hosts.start("host-a", dsn)
    hosts.until(
        lambda: store.views.job(JobId(kept_for)).status is Status.DONE, "the spool that returned is not delivered"
    )

    def ended() -> bool:
        hosts.rows(
            "update extraction_queue set next_attempt_at = now() where status = 'En attente' and not is_due returning 1"
        )
        return all(job.status in (Status.DONE, Status.FAILED) for job in orders.jobs())

    hosts.until(ended, "not every order ended")
    for host in ("host-a", "host-b"):
        hosts.until(partial(hosts.is_empty, host), f"something stays in the spool of {host}")
    for host in ("host-a", "host-b"):
        assert hosts.running[host].finish(60) == 0, hosts.running[host].log.read_text()[-2000:]
