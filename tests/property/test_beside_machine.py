"""The store in memory beside the real one, where there is one: any order of calls, the same answers, the same rows to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registre.account import Seat
from registre.batch import BatchId, BatchView, NewBatch
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.gates import Rules
from registre.job import JobFilter, JobId, Lease, Order, Settlement, Status
from registre.ledger import Delivery, PurchaseId, PurchaseState, SecuredFile
from tests.property.machines.operated import CLIENTS, MOSTLY_NOT, OperatedMachine
from tests.property.machines.ports import MEMORY, STORES, Ports, run, store_factory
from tests.property.machines.world import BACKOFF, FOR_EVER, HOST_GONE, LEGACY, VISIBILITY, likely, lot

T = TypeVar("T")

HOSTS = ("host-a", "host-b")
RULES = Rules(
    # One pace is never an hour's matter: it is over, or not, whatever chance has made of it.
    pace_seconds=4,
    last_start_seconds=600,
    attempt_seconds=100,
    fresh_index_hours=24,
    fresh_plan_hours=48,
    approval_above_cents=300,
    rebuys_per_day=0,
    breaker_failures=2,
    notice_days=30,
    alert_backlog_minutes=10,
    alert_failures=10,
    alert_budget_percent=80,
    alert_spool_minutes=30,
    alert_spool_documents=50,
    history_days=None,
)
FILES = [SecuredFile(letter * 64, 1000, 2) for letter in "aab"]
DOCUMENTS = [
    lot(0),
    lot(1),
    lot(1, Source.PLAN),
    DocumentRequest(Source.ACTE, "25616321", "Montréal", acte_type="Acte"),
]
MOST_WAITING = 6
TIMES = st.sampled_from([None, None, None, -60, 60, 700])


class BesideMachine(OperatedMachine):
    """Each rule is one call on both."""

    def __init__(self) -> None:
        super().__init__()
        self.lots = count(100)
        self.boots = dict.fromkeys(HOSTS, 0)
        self.seats: list[tuple[str, Seat]] = []
        self.jobs: list[JobId] = []
        self.leases: list[Lease] = []
        self.purchases: dict[PurchaseId, Lease] = {}
        self.batches: list[BatchId] = []
        for name, value in asdict(RULES).items():
            self.both(lambda s, name=name, value=value: s.gates.set_rule(name, value, "a test"))  # type: ignore[misc]
        self.both(lambda s: s.gates.set_hours([], "a test"))
        for number in range(3):
            self.add(f"account-{number}")
        for host in HOSTS:
            self.boot(host)

    def owner(self, host: str) -> str:
        return f"{host}/boot-{self.boots[host]}"

    def add(self, username: str) -> None:
        self.both(lambda s: s.accounts.add(username, "secret"), lambda added: [added[0]] if added[1] else [])

    # -- hosts, accounts, time

    @rule(host=st.sampled_from(HOSTS))
    def boot(self, host: str) -> None:
        self.boots[host] += 1
        self.both(lambda s: s.fleet.register_host(host, f"boot-{self.boots[host]}", "1.0"))
        self.claim(host)

    @rule(host=st.sampled_from(HOSTS))
    def claim(self, host: str) -> None:
        limit = 2 - HOSTS.index(host)
        self.both(
            lambda s: sorted(
                s.accounts.claim(self.owner(host), limit, FOR_EVER), key=lambda claimed: claimed[0].username
            )
        )
        for account in self.rows.accounts.values():
            seat = Seat(account.id, account.token, account.username, f"{host}/{account.username}")
            if account.owner == self.owner(host) and (self.owner(host), seat) not in self.seats:
                self.seats.append((self.owner(host), seat))

    @precondition(lambda self: self.seats)
    @rule(data=st.data(), seconds=st.sampled_from([None, 60]))
    def set_aside(self, data: st.DataObject, seconds: int | None) -> None:
        _, seat = data.draw(st.sampled_from(self.seats))
        duration = None if seconds is None else timedelta(seconds=seconds)
        self.both(lambda s: s.accounts.set_aside(seat, "password refused", duration))
        self.add(seat.username) if seconds is None else None

    @precondition(lambda self: self.seats)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        _, seat = data.draw(st.sampled_from(self.seats))
        self.both(lambda s: s.accounts.release(seat))

    @rule(seconds=st.sampled_from([6.0, 31.0, 31.0, 61.0, 121.0, 601.0, 6 * 3600.0, 24 * 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_time(seconds)

    # -- orders

    def is_roomy(self) -> bool:
        """Few enough wait that one order more would soon be somebody's."""
        return sum(job.status is Status.WAITING for job in self.rows.jobs.values()) < MOST_WAITING

    @precondition(lambda self: self.is_roomy())
    @rule(
        document=st.sampled_from(DOCUMENTS),
        client=st.sampled_from(list(CLIENTS)),
        data=st.data(),
        depth=st.integers(0, 3),
    )
    def buy(self, document: DocumentRequest, client: str, data: st.DataObject, depth: int) -> None:
        """From order to lease, to intent or to delivery, at one go: what matters comes between and after."""
        self.order(document, client, 0, 2, None, None, 1, fresh=False)
        for host in HOSTS:
            self.both_look_alike()
            self.lease_of(self.owner(host))
        self.both_look_alike()
        if depth == 0 and self.running():
            self.snooze(data, 20, None, rescued=data.draw(st.booleans()))
        elif self.running():
            self.intend(data)
            self.both_look_alike()
        bought = self.in_state(PurchaseState.INTENDED)
        if depth == 2 and bought:
            purchase, lease = bought[-1], self.purchases[bought[-1]]
            self.both(lambda s: s.ledger.charge(purchase, lease, ["Lot inactif"]))
            self.both(lambda s: s.ledger.secure(purchase, FILES[0]))
            if data.draw(MOSTLY_NOT):
                self.both(lambda s: s.ledger.lose(purchase, "the disk is damaged"))
                self.both_look_alike()
            self.both(lambda s: s.ledger.deliver(Delivery(purchase, FILES[0].sha256, "index", f"{purchase}.pdf")))
        elif depth == 3 and bought:
            self.doubt(bought[-1], data)

    def doubt(self, purchase: PurchaseId, data: st.DataObject) -> None:
        """Nobody can tell; a person decides; and the file may be found after all."""
        lease, decision, billed = (
            self.purchases[purchase],
            data.draw(st.sampled_from(Settlement)),
            data.draw(st.booleans()),
        )
        if data.draw(st.booleans()):
            self.both(lambda s: s.ledger.charge(purchase, lease, []))
        self.both(lambda s: s.ledger.mark_ambiguous(purchase, lease, "the browser broke"))
        self.both_look_alike()
        self.both(lambda s: s.queue.settle(lease.job_id, decision, "a test", billed=billed))

    @precondition(lambda self: self.is_roomy())
    @rule(
        document=st.sampled_from(DOCUMENTS),
        client=st.sampled_from(list(CLIENTS)),
        urgency=st.integers(0, 2),
        max_attempts=st.integers(1, 3),
        fresh=st.sampled_from([False, False, True]),
        not_before=TIMES,
        deadline=TIMES,
        copies=st.sampled_from([1, 1, 2]),
    )
    def order(
        self,
        document: DocumentRequest,
        client: str,
        urgency: int,
        max_attempts: int,
        not_before: int | None,
        deadline: int | None,
        copies: int,
        *,
        fresh: bool,
    ) -> None:
        def at(seconds: int | None) -> datetime | None:
            return None if seconds is None else self.clock.now + timedelta(seconds=seconds)

        order = Order(document, client, CLIENTS[client][urgency], max_attempts, fresh, at(not_before), at(deadline))
        ids = self.both(lambda s: s.queue.submit([order] * copies), lambda ids: ids)
        self.jobs += [] if isinstance(ids, type) else ids

    @precondition(lambda self: self.is_roomy())
    @rule(
        client=st.sampled_from(list(CLIENTS)),
        sources=st.lists(st.sampled_from([Source.INDEX, Source.PLAN]), max_size=3),
        cap=st.sampled_from([None, 150, 400]),
    )
    def order_batch(self, client: str, sources: list[Source], cap: int | None) -> None:
        orders = [
            Order(lot(0), client, CLIENTS[client][0]),
            *(Order(lot(next(self.lots), source), client, CLIENTS[client][0]) for source in sources),
        ]
        self.both(lambda s: s.batches.quote([*orders, *orders]))
        self.clock.pass_time(0.001)  # one instant, one batch: listings go by it

        def jobs(batch: BatchView) -> list[JobId]:
            rows = {row.request: row.id for row in self.beside.left.views.page(JobFilter(batch_id=batch.id)).jobs}
            return [rows[order.request] for order in orders]

        batch = self.beside.outcome(
            lambda s: s.batches.submit(NewBatch("lots", client, "a test", cap), orders),
            lambda batch: (batch.id, batch.price_cents, batch.counts),
            lambda batch: [batch.id, *jobs(batch)],
        )
        if not isinstance(batch, type):
            self.jobs += jobs(batch)
            self.batches.append(batch.id)

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), cancels=st.sampled_from([False, False, True]))
    def decide_batch(self, data: st.DataObject, *, cancels: bool) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        if cancels:
            self.both(lambda s: s.batches.cancel(batch, "a test"))
        else:
            self.both(lambda s: s.batches.approve(batch, "a test"))

    # -- leases

    @precondition(lambda self: self.seats)
    @rule(data=st.data())
    def lease_jobs(self, data: st.DataObject) -> None:
        self.lease_of(data.draw(st.sampled_from([*map(self.owner, HOSTS), self.seats[0][0]])))

    def lease_of(self, owner: str) -> None:
        self.clock.pass_time(0.001)
        seats = [seat for claimant, seat in self.seats if claimant == owner]
        leases = self.both(lambda s: s.queue.lease_next(owner, seats, VISIBILITY))
        self.leases += [] if isinstance(leases, type) else leases

    @rule(host=st.sampled_from(HOSTS))
    def renew(self, host: str) -> None:
        """The seats for long, the jobs for as long as any lease: what is not renewed runs out."""
        self.both(lambda s: s.queue.renew(self.owner(host), [], [seat for _, seat in self.seats], FOR_EVER))

    @rule(host=st.sampled_from(HOSTS))
    def renew_jobs(self, host: str) -> None:
        self.both(lambda s: s.queue.renew(self.owner(host), self.leases, [], VISIBILITY))

    @rule()
    def reclaim(self) -> None:
        self.beside.outcome(
            lambda s: s.queue.reclaim(BACKOFF, HOST_GONE, LEGACY), lambda found: {job_id for job_id, _ in found}
        )

    def running(self) -> list[Lease]:
        """By the rows in memory: as good as any, since both are alike."""
        rows = self.rows.jobs
        return [
            lease
            for lease in self.leases
            if (rows[lease.job_id].status, rows[lease.job_id].token) == (Status.RUNNING, lease.token)
        ]

    def in_state(self, *states: PurchaseState) -> list[PurchaseId]:
        return [key for key in self.purchases if self.rows.purchases[key].state in states]

    def a_lease(self, data: st.DataObject) -> Lease:
        return likely(data, self.running(), self.leases)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        lease = self.a_lease(data)
        self.both(lambda s: s.queue.note_step(lease, "filling the form"))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), end=st.sampled_from(["release", "retry", "fail", "cancel"]))
    def end(self, data: st.DataObject, end: str) -> None:
        lease = self.a_lease(data)
        ends: dict[str, Callable[[Ports], None]] = {
            "release": lambda s: s.queue.release(lease, "drained"),
            "retry": lambda s: s.queue.retry(lease, ErrorKind.BAD_DOCUMENT, "cut", timedelta(seconds=20)),
            "fail": lambda s: s.queue.fail(lease, ErrorKind.NOT_FOUND, "Aucun résultat", needs_review=True),
            "cancel": lambda s: s.queue.fail(lease, ErrorKind.CANCELLED, "stopped"),
        }
        self.both(ends[end])

    @precondition(lambda self: self.running())
    @rule(
        data=st.data(),
        delay=st.sampled_from([0, 20]),
        rescued=st.booleans(),
        kind=st.sampled_from([None, ErrorKind.SITE_UNAVAILABLE, ErrorKind.LAYOUT_CHANGED]),
    )
    def snooze(self, data: st.DataObject, delay: int, kind: ErrorKind | None, *, rescued: bool) -> None:
        lease = self.a_lease(data)
        self.both(lambda s: s.queue.snooze(lease, timedelta(seconds=delay), "away", kind=kind, rescued=rescued))

    # -- money

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        self.clock.pass_time(0.001)
        lease = self.a_lease(data)
        host = lease.owner.split("/")[0]
        intent = self.beside.outcome(
            lambda s: s.ledger.intend(lease, host),
            lambda intent: (intent.verdict, intent.purchase_id, intent.intended_at),
            lambda intent: [intent.purchase_id] if intent.purchase_id else [],
        )
        if not isinstance(intent, type) and intent.purchase_id is not None:
            self.purchases[intent.purchase_id] = lease

    def a_purchase(self, data: st.DataObject, *states: PurchaseState) -> PurchaseId:
        return likely(data, self.in_state(*states), list(self.purchases))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), what=st.sampled_from(["void", "charge", "charge", "ambiguous", "lose"]))
    def tell(self, data: st.DataObject, what: str) -> None:
        purchase = self.a_purchase(data, PurchaseState.SECURED if what == "lose" else PurchaseState.INTENDED)
        lease = likely(data, [self.purchases[purchase]], self.leases)
        calls: dict[str, Callable[[Ports], None]] = {
            "void": lambda s: s.ledger.void(purchase, lease, "Aucun résultat"),
            "charge": lambda s: s.ledger.charge(purchase, lease, ["Lot inactif"]),
            "ambiguous": lambda s: s.ledger.mark_ambiguous(purchase, lease, "the browser broke"),
            "lose": lambda s: s.ledger.lose(purchase, "the disk is damaged"),
        }
        self.both(calls[what])

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), file=st.sampled_from(FILES))
    def secure(self, data: st.DataObject, file: SecuredFile) -> None:
        purchase = self.a_purchase(data, PurchaseState.INTENDED, PurchaseState.CHARGED, PurchaseState.AMBIGUOUS)
        self.both(lambda s: s.ledger.secure(purchase, file))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), file=st.sampled_from(FILES))
    def deliver(self, data: st.DataObject, file: SecuredFile) -> None:
        purchase = self.a_purchase(data, PurchaseState.SECURED)
        self.both(lambda s: s.ledger.deliver(Delivery(purchase, file.sha256, "index", f"{purchase}.pdf")))

    # -- a person

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), what=st.sampled_from(["cancel", "requeue", "requeue"]))
    def steer(self, data: st.DataObject, what: str) -> None:
        wanted = Status.RUNNING if what == "cancel" else Status.FAILED
        job_id = likely(data, [key for key in self.jobs if self.rows.jobs[key].status is wanted], self.jobs)
        if what == "cancel":
            self.both(lambda s: s.queue.cancel(job_id, "a test"))
        else:
            self.both(lambda s: s.queue.requeue(job_id, "a test"))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), limit=st.integers(1, 3))
    def look(self, data: st.DataObject, limit: int) -> None:
        """One line says why; pages follow one another without a gap."""
        job_id = data.draw(st.sampled_from(self.jobs))
        self.beside.outcome(lambda s: s.gates.why(job_id), lambda why: bool(why) and "\n" not in why)
        wanted = JobFilter(status=data.draw(st.sampled_from([None, *Status])))

        def leaf_through(store: Ports) -> list[JobId]:
            page = store.views.page(wanted, limit=limit)
            found = [job.id for job in page.jobs]
            while page.next_cursor is not None:
                page = store.views.page(wanted, page.next_cursor, limit)
                found += [job.id for job in page.jobs]
            return found

        self.both(leaf_through)

    @precondition(lambda self: self.doubtful())
    @rule(data=st.data(), decision=st.sampled_from(Settlement), billed=st.booleans())
    def settle(self, data: st.DataObject, decision: Settlement, *, billed: bool) -> None:
        job_id = likely(data, self.doubtful(), self.jobs)
        self.both(lambda s: s.queue.settle(job_id, decision, "a test", billed=billed))

    def doubtful(self) -> list[JobId]:
        kinds = (ErrorKind.AMBIGUOUS_PURCHASE, ErrorKind.SECURED_ELSEWHERE)
        return [key for key in self.jobs if self.rows.jobs[key].error_kind in kinds]


@pytest.mark.parametrize("kind", [kind for kind in STORES if kind != MEMORY])
def test_both_stores_do_the_same(kind: str, request: pytest.FixtureRequest) -> None:
    run(BesideMachine, kind, store_factory(kind, request))
