"""kill -9 of the worker at every point of a job's life: the next start finishes it, and nothing is bought twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from registre.document import DocumentRequest, Source
from registre.inspection import inspect_pdf
from registre.job import JobId, Order, Status
from registre.settings import Settings
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import Store, open_store
from tests.fakes import read_bill
from tests.faults.worker import ON_THE_TWIN, POINTS
from tests.processes import environment, processes_of
from tests.waiting import until

PROJECT = Path(__file__).resolve().parents[2]
QUEBEC = "Cadastre du Québec"

ACTE = Order(DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte"))

AMBIGUOUS = {"after_intent": 0, "at_viewer": 1, "after_charge": 1}
"""Points after which a person must decide, and what the registry billed. After every other one the document comes."""


class Worker:
    """`tests.faults.worker` as a process."""

    def __init__(self, point: str, where: str, home: Path, **settings: str) -> None:
        self.home = home
        self._log = (home.parent / f"{point}.log").open("a+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", point, where],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            cwd=PROJECT,
            env=environment(home, REGISTRE_HOST="host-a", **settings),
        )

    def wait_for_its_death(self) -> None:
        assert self._process.wait(60) == -signal.SIGKILL, self.log()
        self._forget()

    def finish(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0, self.log()
        self._forget()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _forget(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


@contextmanager
def worker(point: str, where: str, home: Path, **settings: str) -> Iterator[Worker]:
    started = Worker(point, where, home, **settings)
    try:
        yield started
    finally:
        started.end()
        started._log.close()


@pytest.fixture
def home() -> Iterator[Path]:
    """Not below tmp_path: root's is closed to the database server's own user."""
    folder = Path(tempfile.mkdtemp(prefix="registre-faults-"))
    folder.chmod(0o711)
    (folder / "home").mkdir(mode=0o700)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


def index(number: str) -> Order:
    return Order(DocumentRequest(Source.INDEX, number, "Montréal", QUEBEC))


def until_ended(store: Store, orders: list[JobId], running: Worker) -> None:
    def ended() -> bool:
        assert running._process.poll() is None, running.log()
        return all(store.views.job(order).status in (Status.DONE, Status.FAILED) for order in orders)

    until(ended, "not every order ended", 60)
    until(lambda: spooled(running.home) == [], "something stays in the spool", 60)


def spooled(home: Path) -> list[Path]:
    return [entry for part in ("incoming", "ready", "held") for entry in (home / "spool" / part).iterdir()]


def assert_delivered(store: Store, order: JobId, folder: Path) -> None:
    job = store.views.job(order)
    assert job.status is Status.DONE, job.error_message
    bucket, _, key = (job.supabase_path or "").partition("/")
    copy = folder / "delivered.pdf"
    copy.write_bytes(store.bucket.fetch(bucket, key))
    inspect_pdf(copy, job.request)  # raises when it is not the document ordered


@pytest.mark.parametrize("point", [point for point in POINTS if point not in ON_THE_TWIN])
def test_a_worker_killed(point: str, store: Store, dsn: str, home: Path, tmp_path: Path) -> None:
    bill = tmp_path / "bill.jsonl"
    store.accounts.add("99T0001", "made up")
    orders = store.queue.submit([index("1 000 001")])
    settings = {"DATABASE_URL": dsn, "REGISTRE_BUCKETS": str(tmp_path / "buckets")}
    with worker(point, str(bill), home, **settings) as killed:
        killed.wait_for_its_death()
    orders += store.queue.submit([index("1 000 002")])
    with worker("never", str(bill), home, **settings) as restarted:
        if point == "after_lease":
            until(lambda: store.views.job(orders[0]).rescues == 1, "the job was not taken back")
            with psycopg.connect(dsn) as connection:
                connection.execute("update extraction_queue set next_attempt_at = now() where status = 'En attente'")
        until_ended(store, orders, restarted)
        restarted.finish()

    numbers = [line.number for line in read_bill(bill)]
    assert len(set(numbers)) == len(numbers), "something was bought twice"
    first, second = (store.views.job(order) for order in orders)
    if point in AMBIGUOUS:
        assert (first.status, first.error_kind) == (Status.FAILED, "ambiguous_purchase")
        assert numbers.count("1000001") == AMBIGUOUS[point]
    else:
        assert_delivered(store, first.id, tmp_path)
        assert numbers.count("1000001") == 1
    assert_delivered(store, second.id, tmp_path)
    assert numbers.count("1000002") == 1
    delivered = [line for line in store.ledger.lines() if line.state == "delivered"]
    assert len(numbers) == len(delivered) + AMBIGUOUS.get(point, 0)
    assert store.views.counts()[Status.RUNNING] == 0
    assert [account.lease_owner for account in store.accounts.all()] == [None]


@pytest.mark.parametrize("point", ["after_download", "after_secure"])
def test_a_worker_with_real_browsers_and_its_own_postgres_killed(point: str, home: Path) -> None:
    ledger = home.parent / "twin.jsonl"
    settings = Settings(_env_file=None, home=home, database_url=None, pg_bin=None, buckets=None)
    with open_store(settings) as store:
        store.accounts.add(*demo_accounts(1)[0])
        orders = store.queue.submit([index("2 784 195")])
    with TwinServer(TwinConfig(ledger_path=ledger, loading_seconds=0.05)) as twin:
        with worker(point, twin.base_url, home) as killed:
            killed.wait_for_its_death()
        until(lambda: processes_of(home) == [], f"outlived the worker: {processes_of(home)}")
        with worker("never", twin.base_url, home) as restarted, open_store(settings) as store:
            orders += store.queue.submit([ACTE])
            until_ended(store, orders, restarted)
            restarted.finish()
            for order in orders:
                assert_delivered(store, order, home.parent)
            assert store.views.counts()[Status.RUNNING] == 0
    until(lambda: processes_of(home) == [], f"outlived the drain: {processes_of(home)}")
    billed = [json.loads(line)["number_normalized"] for line in ledger.read_text("utf-8").splitlines()]
    assert sorted(billed) == ["25616321", "2784195"]
