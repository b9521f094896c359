"""One host under test, and short names for what tests do with it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Condition, Thread
from typing import Any, LiteralString

import psycopg
import pykka
from psycopg.rows import dict_row

from actors.browser import Browser
from actors.fleet import Fleet
from actors.messages import AskStatus, BrowserStatus, LookAfter, Ref, Tick
from registre.account import AccountId
from registre.document import DocumentRequest, Source
from registre.job import HostFacts, JobId, JobView, Order, Status
from registre.ports import Fleet as HostsPort
from registre.settings import Settings
from registre.wiring import Store
from tests.fakes import FakeRegistry
from tests.waiting import SECONDS, until

QUEBEC = "Cadastre du Québec"


class Site:
    """One host under test: its database, its registry, its fleet, and short names for what tests do with them."""

    def __init__(self, store: Store, registry: FakeRegistry, dsn: str, home: Path) -> None:
        self.store = store
        self.registry = registry
        self.home = home
        self.fleet: Fleet | None = None
        self.settings = Settings(
            _env_file=None, home=home, host="host-a", drain_seconds=20, buckets=home.parent / "buckets"
        )
        self._dsn = dsn
        self._draining: Fleet | None = None

    # -- the fleet

    def start(self, *, tasks_elsewhere: bool = False, **changes: Any) -> Fleet:
        assert self.fleet is None, "a host has one fleet"
        settings = self.settings.model_copy(update=changes)
        self.fleet = Fleet(settings, self.store, self.registry, tasks_elsewhere=tasks_elsewhere)
        self.fleet.start()
        return self.fleet

    def drain(self) -> bool:
        assert self.fleet is not None
        fleet, self.fleet = self.fleet, None
        return fleet.drain()

    def drain_in_the_background(self) -> Future[bool]:
        assert self.fleet is not None
        fleet, self.fleet, done = self.fleet, None, Future[bool]()

        def run() -> None:
            try:
                done.set_result(fleet.drain())
            except BaseException as error:
                done.set_exception(error)

        self._draining = fleet
        Thread(target=run, name="drain", daemon=True).start()
        return done

    def accepts_work(self) -> bool:
        """Whether the dispatcher still leases jobs."""
        dispatcher: Ref = getattr(self.fleet or self._draining, "_dispatcher")  # noqa: B009
        actor = dispatcher._actor_weakref()
        return actor is not None and not actor._draining

    def free_seats(self) -> int:
        """How many browsers the dispatcher knows to be without a job."""
        dispatcher: Ref = getattr(self.fleet, "_dispatcher")  # noqa: B009
        actor = dispatcher._actor_weakref()
        return 0 if actor is None else len(actor._idle)

    def slow_reports(self, status: str) -> SlowReports:
        """Hold back browsers while they report this status; to be called before `start`."""
        slow = SlowReports(self.store.fleet, status)
        self.store = replace(self.store, fleet=slow)
        return slow

    def replace_bucket(self, bucket: Any) -> None:
        """To be called before `start`."""
        self.store = replace(self.store, bucket=bucket)

    def tick_keeper(self) -> None:
        """What the ticker does at a third of the visibility timeout."""
        self._tell("_keeper")

    def tick_supervisor(self) -> None:
        """What the ticker does every five seconds."""
        self._tell("_supervisor")

    def _tell(self, name: str) -> None:
        ref: Ref = getattr(self.fleet, name)
        ref.tell(Tick())

    @staticmethod
    def browsers() -> list[Ref]:
        return list(pykka.ActorRegistry.get_by_class(Browser))

    # -- accounts and orders

    def accounts(self, *names: str) -> None:
        for name in names:
            self.store.accounts.add(name, f"secret-of-{name}")

    def order(self, *numbers: int | str, max_attempts: int = 3) -> list[JobId]:
        return self.store.queue.submit([Order(request_of(number), max_attempts=max_attempts) for number in numbers])

    def job(self, job_id: JobId) -> JobView:
        return self.store.views.job(job_id)

    def until_ended(self, *job_ids: JobId, seconds: float = SECONDS) -> list[JobView]:
        def look() -> list[JobView] | None:
            jobs = [self.job(job_id) for job_id in job_ids]
            return jobs if all(job.status in (Status.DONE, Status.FAILED) for job in jobs) else None

        return until(look, f"not every order ended: {[str(self.job(j).status) for j in job_ids]}", seconds) or []

    def until_status(self, job_id: JobId, status: Status) -> JobView:
        return until(
            lambda: job if (job := self.job(job_id)).status is status else None, f"the order did not come to {status}"
        )

    def states(self) -> list[str]:
        """What each browser answers when it is asked."""
        states = []
        for ref in self.browsers():
            with suppress(pykka.ActorDeadError):
                states.append(status_of(ref).state)
        return sorted(states)

    def until_idle(self, sessions: int) -> None:
        until(lambda: self.states() == ["idle"] * sessions, f"{sessions} sessions did not become idle")

    def make_due(self) -> None:
        """Time passes: whatever waits until later may be leased now."""
        self.sql("update extraction_queue set next_attempt_at = now() where status = 'En attente' and not is_due")
        self.sql("select pg_notify('registre_jobs', '')")

    # -- the database, behind everybody's back

    def sql(self, statement: LiteralString, **values: Any) -> int:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            return connection.execute(statement, values).rowcount

    def rows(self, statement: LiteralString, **values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self._dsn, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(statement, values).fetchall()

    def assert_money_is_right(self) -> None:
        """What was billed is what was delivered, once each; no row is stuck; the spool is empty."""
        billed = sorted((line.source, line.number) for line in self.registry.bill)
        assert len(set(billed)) == len(billed), "something was bought twice"
        delivered = self.rows(
            "select document_source, document_number_normalized from extraction_queue q "
            "join registre.purchases p on p.id = q.purchase_id where q.status = 'Complété' and p.state = 'delivered'"
        )
        assert sorted(tuple(row.values()) for row in delivered) == billed
        assert self.rows("select id from extraction_queue where status = 'En traitement'") == []
        assert self.spooled() == []

    def spooled(self) -> list[str]:
        """Purchases whose documents lie in the spool, saved or being saved."""
        spool = self.home / "spool"
        return sorted(f.name for part in ("incoming", "ready", "held") for f in (spool / part).iterdir())


def look_after(browser: Ref) -> None:
    """What the ticker tells an idle browser from time to time; one look at a time, so the last must have ended."""

    def rests() -> bool:
        actor = browser._actor_weakref()
        return actor is None or not actor._looking

    until(rests, "the last look did not end")
    browser.tell(LookAfter())


def status_of(browser: Ref) -> BrowserStatus:
    answer = browser.ask(AskStatus(), timeout=SECONDS)
    assert isinstance(answer, BrowserStatus)
    return answer


def request_of(number: int | str) -> DocumentRequest:
    return DocumentRequest(Source.INDEX, str(number), "Montréal", QUEBEC)


class SlowReports:
    """Stands before `Fleet.report_worker` and holds back the reports of one status until released."""

    def __init__(self, real: HostsPort, status: str) -> None:
        self._real = real
        self._status = status
        self._changed = Condition()
        self._held = False
        self._released = False

    def wait(self) -> None:
        """Until a report is held back."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._held, SECONDS), f"nobody reported {self._status}"

    def release(self) -> None:
        with self._changed:
            self._released = True
            self._changed.notify_all()

    def register_host(
        self, host: str, boot: str, version: str, home: str | None = None, visibility: timedelta = timedelta(minutes=1)
    ) -> None:
        self._real.register_host(host, boot, version, home, visibility)

    def leave(self, owner: str) -> None:
        self._real.leave(owner)

    def note_facts(self, owner: str, facts: HostFacts) -> None:
        self._real.note_facts(owner, facts)

    def take_upkeep(self, owner: str, duration: timedelta) -> bool:
        return self._real.take_upkeep(owner, duration)

    def forget_history(self) -> int:
        return self._real.forget_history()

    def report_worker(self, worker: str, status: str, account_id: AccountId | None, job_id: JobId | None) -> None:
        with self._changed:
            if status == self._status:
                self._held = True
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: self._released, SECONDS), "nobody released the report"
        self._real.report_worker(worker, status, account_id, job_id)
