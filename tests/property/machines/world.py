"""What every machine over the ports shares: a store, its clock, the leases ever given, and what must always be true.

Invariant: after each step the rows are read afresh; nothing of them is believed from before, save what no port shows.
A run can be repeated: nothing drawn depends on the random ids, so rows are kept in the order in which they were created, and
no two jobs tie for their place (clients never share a priority: ties fall by id).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from registre.account import Seat
from registre.document import CADASTRE_DU_QUEBEC, DocumentRequest, Source
from registre.errors import RegistreError
from registre.gates import Rules
from registre.job import ARROWS, Event, JobId, JobView, Lease, Order, Status
from registre.ledger import LedgerLine, PurchaseId, PurchaseState
from tests.property.machines.fold import fold, row_of
from tests.property.machines.ports import Clock, StoreAt

T = TypeVar("T")

WAITING, RUNNING, DONE, FAILED = Status.WAITING, Status.RUNNING, Status.DONE, Status.FAILED
UNDER_WAY = (PurchaseState.INTENDED, PurchaseState.CHARGED)
OPEN = (*UNDER_WAY, PurchaseState.SECURED)
BACKED = (PurchaseState.SECURED, PurchaseState.DELIVERED)

VISIBILITY = timedelta(seconds=60)
BACKOFF = timedelta(seconds=10)
HOST_GONE = timedelta(seconds=600)
LEGACY = timedelta(days=3650)
FOR_EVER = timedelta(days=3650)
MOST_WAITING = 5
FIRST_LOT = 2_784_195

RULES = Rules(
    pace_seconds=0,
    last_start_seconds=0,
    attempt_seconds=86_400,
    fresh_index_hours=24,
    fresh_plan_hours=720,
    approval_above_cents=None,
    rebuys_per_day=0,
    breaker_failures=1000,
    notice_days=30,
    alert_backlog_minutes=10,
    alert_failures=10,
    alert_budget_percent=80,
    alert_spool_minutes=30,
    alert_spool_documents=50,
    history_days=None,
)
"""Rules that get in nobody's way; a machine changes the ones it is about."""


def lot(number: int, source: Source = Source.INDEX) -> DocumentRequest:
    return DocumentRequest(source, str(FIRST_LOT + number), cadastre=CADASTRE_DU_QUEBEC)


def likely(data: st.DataObject, likely: Sequence[T], all_of_them: Sequence[T]) -> T:
    """Most often one of the likely ones, for which the call means something; now and then any."""
    wants_any = not likely or data.draw(st.integers(0, 4)) == 0
    return data.draw(st.sampled_from(all_of_them if wants_any else likely))


class PortMachine(RuleBasedStateMachine):
    """One store under one clock, with hosts whose boots hold the accounts' leases."""

    store_at: StoreAt
    hosts = {"host-a": 2, "host-b": 1}  # noqa: RUF012 - how many accounts each claims; read only
    rules_of_the_house = RULES

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = type(self).store_at(self.clock)
        for name, value in asdict(self.rules_of_the_house).items():
            self.store.gates.set_rule(name, value, "a test")
        self.store.gates.set_hours([], "a test")
        self.jobs: dict[JobId, JobView] = {}
        self.lines: dict[PurchaseId, LedgerLine] = {}
        self.facts: dict[JobId, list[Event]] = {}
        self.cursor = ""
        self.arrows: set[str] = set()
        self.orders: dict[JobId, Order] = {}
        # what no port shows
        self.given: list[Lease] = []
        self.latest: dict[JobId, Lease] = {}
        self.until: dict[JobId, datetime | None] = {}
        self.present: dict[JobId, PurchaseId] = {}
        self.asked_to_stop: set[JobId] = set()
        self.boots: Counter[str] = Counter()
        self.seen: dict[str, datetime] = {}
        self.seats: dict[str, list[Seat]] = {}
        for number in range(sum(self.hosts.values())):
            self.store.accounts.add(f"account-{number}", "secret")
        for host in self.hosts:
            self.boot(host)

    # -- hosts and leases

    def owner(self, host: str) -> str:
        return f"{host}/boot-{self.boots[host]}"

    def boot(self, host: str) -> None:
        """The host starts again: its former boot's leases end, and the new one claims the accounts."""
        self.boots[host] += 1
        owner, now = self.owner(host), self.clock.now
        self.store.fleet.register_host(host, owner.split("/")[1], "1.0")
        self.seen[host] = now
        for job_id, until in self.until.items():
            if until is not None and until > now and self.latest[job_id].owner.startswith(f"{host}/"):
                self.until[job_id] = now
        claimed = self.store.accounts.claim(owner, self.hosts[host], FOR_EVER)
        assert len(claimed) == self.hosts[host]
        self.seats[owner] = sorted((seat for seat, _ in claimed), key=lambda seat: seat.username)

    def free_seats(self, owner: str) -> int:
        """How many of the owner's accounts may take a job, by every lease ever given."""
        host = owner.split("/")[0]
        busy = {
            self.latest[job_id].account_id
            for job_id, until in self.until.items()
            if until is not None and until > self.clock.now
        }
        seats = {seat.account_id for seat in self.seats[owner]}
        return len(seats - busy) if owner == self.owner(host) else 0

    def due(self) -> list[JobView]:
        """What waits and may start now, were every gate open."""
        now = self.clock.now
        return [
            job
            for job in self.jobs.values()
            if job.status is WAITING
            and (job.next_attempt_at is None or job.next_attempt_at <= now)
            and (job.deadline is None or job.deadline > now)
        ]

    def tick(self) -> None:
        """Two purchases of one document are never of the same instant."""
        self.clock.pass_time(0.001)

    def submit(self, orders: Sequence[Order]) -> list[JobId]:
        ids = self.store.queue.submit(orders)
        assert len(set(ids)) == len(orders)
        self.orders.update(zip(ids, orders, strict=True))
        return ids

    def lease(self, owner: str) -> list[Lease]:
        """One call for all the owner's accounts; whatever it gives is new and nobody else's."""
        self.arrows |= {"lease_next", "reuse"}
        now, room = self.clock.now, self.free_seats(owner)
        due = {job.id for job in self.due()}
        leases = self.store.queue.lease_next(owner, self.seats[owner], VISIBILITY)
        leases.sort(key=lambda lease: list(self.facts).index(lease.job_id))
        assert len(leases) <= room
        assert len({lease.account_id for lease in leases}) == len(leases)
        for lease in leases:
            job, before = self.jobs[lease.job_id], self.latest.get(lease.job_id)
            assert lease.job_id in due
            assert before is None or lease.token > before.token
            assert (lease.attempt, lease.max_attempts) == (job.attempts + 1, job.max_attempts)
            assert (lease.owner, lease.until, lease.request) == (owner, now + VISIBILITY, job.request)
            self.latest[lease.job_id] = lease
            self.until[lease.job_id] = lease.until
            self.asked_to_stop.discard(lease.job_id)
        self.given += leases
        return leases

    def has_work(self, host: str) -> bool:
        return bool(self.due()) and self.free_seats(self.owner(host)) > 0

    def is_roomy(self) -> bool:
        """Few enough wait that one order more would soon be somebody's."""
        return sum(job.status is WAITING for job in self.jobs.values()) < MOST_WAITING

    def has_expired(self) -> bool:
        """Something for reclaim to judge: a lease that ran out, or a job whose document is safe."""
        return any(until is None or until <= self.clock.now for until in self.until.values())

    def running(self) -> list[Lease]:
        return [self.latest[job_id] for job_id in self.until]

    def holds(self, lease: Lease) -> bool:
        return self.jobs[lease.job_id].status is RUNNING and self.latest[lease.job_id].token == lease.token

    def alive(self, lease: Lease) -> bool:
        until = self.until.get(lease.job_id)
        return self.holds(lease) and until is not None and until > self.clock.now

    def own_state(self, job_id: JobId) -> PurchaseState | None:
        """Of the purchase that is the job's present one."""
        return self.lines[self.present[job_id]].state if job_id in self.present else None

    def attempt(self, call: Callable[[], object], expected: type[RegistreError] | None) -> None:
        """The call does its work, or is refused as the machine says; a refusal changes nothing, which the facts prove."""
        if expected is None:
            call()
            return
        with pytest.raises(RegistreError) as raised:
            call()
        assert type(raised.value) is expected
        assert self.store.views.events_after(self.cursor) == []

    # -- what must always be true

    @invariant()
    def what_must_always_be_true(self) -> None:
        before = self.jobs
        told = self.read()
        bought: dict[str, list[LedgerLine]] = {}
        for line in self.lines.values():
            bought.setdefault(line.job_id, []).append(line)
        for job_id, job in self.jobs.items():
            if job_id in told or before.get(job_id) != job:
                self.is_what_its_facts_say(job)
                self.has_moved_along_an_arrow(before.get(job_id), job)
                self.has_an_attempt_for_each_lease(job)
            self.costs_what_was_charged(job, bought.get(job_id, []))
        self.buys_each_document_once_at_a_time()
        self.what_is_true_here()
        self.arrows.clear()

    def what_is_true_here(self) -> None:
        """What else a machine promises, once the rows are read. Not an invariant of its own: those have no order."""

    def read(self) -> set[JobId]:
        """Everything afresh; the jobs of which there are new facts."""
        told: set[JobId] = set()
        self.lines = {line.id: line for line in self.store.ledger.lines()}
        for event in self.store.views.events_after(self.cursor, limit=10_000):
            self.cursor = event.cursor
            if event.job_id is not None:
                self.facts.setdefault(event.job_id, []).append(event)
                told.add(event.job_id)
        jobs = {job.id: job for job in self.store.views.jobs(limit=1000)}
        assert jobs.keys() == self.facts.keys()
        self.jobs = {job_id: jobs[job_id] for job_id in self.facts}
        counts = Counter(job.status for job in self.jobs.values())
        assert self.store.views.counts() == {status: counts[status] for status in Status}
        for job_id in [job_id for job_id in self.until if self.jobs[job_id].status is not RUNNING]:
            del self.until[job_id]
        return told

    def is_what_its_facts_say(self, job: JobView) -> None:
        assert fold(self.facts[job.id]) == row_of(job)
        assert (job.supabase_path is not None) == (job.status is DONE)
        assert (job.error_kind is not None) == (job.status is FAILED)
        assert (job.finished_at is not None) == (job.status in (DONE, FAILED))
        assert 0 <= job.attempts <= job.max_attempts

    def has_moved_along_an_arrow(self, before: JobView | None, job: JobView) -> None:
        """Ends are ends, but for what a person settles or requeues, and a document found after all."""
        if before is None:
            assert job.status in (WAITING, DONE)
        elif before.status is not job.status:
            assert any((before.status, job.status) in ARROWS[arrow] for arrow in self.arrows), (before, self.arrows)
        elif job.status is DONE:
            assert row_of(before) == {**row_of(job), "cost_cents": before.cost_cents}

    def has_an_attempt_for_each_lease(self, job: JobView) -> None:
        """Every attempt is closed but the one that runs."""
        attempts = self.store.views.attempts(job.id)
        assert len(attempts) == len([lease for lease in self.given if lease.job_id == job.id])
        left = [attempt for attempt in attempts if attempt.ended_at is None]
        runs = job.status is RUNNING and self.own_state(job.id) is not PurchaseState.SECURED
        assert left == (attempts[-1:] if runs else [])

    def costs_what_was_charged(self, job: JobView, lines: Sequence[LedgerLine]) -> None:
        charged = [line for line in lines if line.charged_at is not None and line.state is not PurchaseState.VOID]
        assert job.cost_cents == sum(line.fee_cents for line in charged)
        if job.status is WAITING:
            assert not [line for line in lines if line.state in UNDER_WAY], "it waits with a purchase under way"
            assert self.own_state(job.id) not in OPEN, "it waits with a live purchase"

    def buys_each_document_once_at_a_time(self) -> None:
        live = Counter(
            self.jobs[JobId(line.job_id)].request.identity_key
            for line in self.lines.values()
            if line.state in UNDER_WAY
        )
        assert max(live.values(), default=1) == 1
