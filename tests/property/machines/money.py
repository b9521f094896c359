"""What a machine about the ledger knows of purchases, and what it expects to have become of a job.

Invariant: states are read from the ledger's own lines; kept here is only what no port shows.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind, LeaseLost, RegistreError
from registre.job import JobId, Lease, Settlement
from registre.ledger import LedgerLine, PurchaseId, PurchaseState
from tests.property.machines.world import (
    DONE,
    FAILED,
    HOST_GONE,
    OPEN,
    RULES,
    UNDER_WAY,
    VISIBILITY,
    WAITING,
    PortMachine,
    likely,
)

TORONTO = ZoneInfo("America/Toronto")
FRESH = timedelta(hours=RULES.fresh_index_hours)
NEVER_BLINDLY = (ErrorKind.AMBIGUOUS_PURCHASE, ErrorKind.SECURED_ELSEWHERE)
AMBIGUOUS, SECURED, DELIVERED, VOID = (
    PurchaseState.AMBIGUOUS,
    PurchaseState.SECURED,
    PurchaseState.DELIVERED,
    PurchaseState.VOID,
)


class MoneyMachine(PortMachine):
    """A machine with purchases: whose they are, what settled them, where their files went."""

    def __init__(self) -> None:
        super().__init__()
        self.rebuys_per_day = 0
        self.rebuys: Counter[date] = Counter()
        self.settled: set[PurchaseId] = set()
        self.leases: dict[PurchaseId, Lease] = {}
        self.files: dict[PurchaseId, str] = {}
        self.paths: dict[str, str] = {}

    def rivals(self, job_id: JobId) -> list[LedgerLine]:
        """Purchases by which another job has, or may have, bought the same document; and of this one a former one found again."""
        identity = self.orders[job_id].request.identity_key
        return [
            line
            for line in self.lines.values()
            if self.orders[JobId(line.job_id)].request.identity_key == identity
            and (
                line.state is SECURED
                or (
                    line.job_id != job_id
                    and (line.state in OPEN or (line.state is AMBIGUOUS and line.id not in self.settled))
                )
            )
        ]

    def owned(self, document: DocumentRequest) -> LedgerLine | None:
        current = [
            line
            for line in self.store.ledger.lines()
            if line.state is DELIVERED
            and self.orders[JobId(line.job_id)].request.identity_key == document.identity_key
            and (document.source is Source.ACTE or line.intended_at > self.clock.now - FRESH)
        ]
        return max(current, key=lambda line: line.intended_at, default=None)

    def is_served(self, job_id: JobId, line: LedgerLine | None) -> None:
        """Completed by a document of another order, at no cost."""
        row = self.store.views.job(job_id)
        assert line is not None
        assert (row.status, row.supabase_path) == (DONE, self.paths[line.id])
        assert row.cost_cents == (self.jobs[job_id].cost_cents if job_id in self.jobs else 0)
        assert "job.reused" in [event.kind for event in self.store.views.story(job_id)]

    def serves_who_waits(self, document: DocumentRequest) -> None:
        """Whoever waited for the document has it now, but for those who want a fresh one."""
        current = self.owned(document)
        for job in self.jobs.values():
            if current and job.request.identity_key == document.identity_key and job.status is WAITING:
                if self.orders[job.id].fresh:
                    assert self.store.views.job(job.id).status is WAITING
                else:
                    self.is_served(job.id, current)

    def waits(self, job_id: JobId, attempts: int) -> None:
        row = self.store.views.job(job_id)
        assert (row.status, row.error_kind, row.attempts) == (WAITING, None, attempts)

    def today(self) -> date:
        return self.clock.now.astimezone(TORONTO).date()

    def rebuys_left(self) -> int:
        return max(0, self.rebuys_per_day - self.rebuys[self.today()])

    def is_ambiguous(self, *job_ids: JobId) -> None:
        """Each has stopped for a person, but for as many as the day's rule lets buy again."""
        rows = [self.store.views.job(job_id) for job_id in job_ids]
        again = [row for row in rows if row.error_kind != ErrorKind.AMBIGUOUS_PURCHASE]
        assert len(again) == min(len(rows), self.rebuys_left())
        self.rebuys[self.today()] += len(again)
        for row in again:
            self.settled.add(self.present.pop(row.id))
            if row.attempts >= row.max_attempts:
                assert (row.status, row.error_kind) == (FAILED, ErrorKind.ATTEMPTS_EXHAUSTED)
            else:
                assert (row.status, row.error_kind) == (WAITING, None)
        for row in rows:
            if row not in again:
                assert row.status is FAILED

    def may_buy(self) -> list[Lease]:
        return [lease for lease in self.running() if self.alive(lease) and self.own_state(lease.job_id) not in OPEN]

    def in_state(self, *states: PurchaseState) -> list[PurchaseId]:
        return [purchase for purchase, line in self.lines.items() if line.state in states]

    def unsettled(self) -> list[JobId]:
        return [job_id for job_id, job in self.jobs.items() if job.error_kind in NEVER_BLINDLY]

    def failed(self) -> list[JobId]:
        return [job_id for job_id, job in self.jobs.items() if job.status is FAILED]

    def may_tell(self, purchase: PurchaseId, lease: Lease, *states: PurchaseState) -> type[RegistreError] | None:
        line = self.lines[purchase]
        job_id = JobId(line.job_id)
        own = self.leases[purchase].token == lease.token == self.latest[job_id].token
        is_present = self.present.get(job_id) == purchase
        return None if own and is_present and line.state in states else LeaseLost

    def is_gone(self, purchase: PurchaseId) -> bool:
        host = self.leases[purchase].owner.split("/")[0]
        return self.seen[host] <= self.clock.now - HOST_GONE

    def is_too_long(self, job_id: JobId) -> bool:
        began = self.jobs[job_id].started_at
        return began is not None and began + timedelta(days=1) <= self.clock.now + VISIBILITY

    def under_way_and_held(self) -> list[PurchaseId]:
        return [purchase for purchase in self.in_state(*UNDER_WAY) if self.holds(self.leases[purchase])]

    def given_up(self) -> list[PurchaseId]:
        return [purchase for purchase in self.in_state(AMBIGUOUS) if purchase in self.settled]

    def draw(self, data: st.DataObject) -> tuple[PurchaseId, Lease]:
        """A purchase with its own lease or, less often, any other."""
        purchase = likely(data, self.in_state(*UNDER_WAY), list(self.leases))
        return purchase, likely(data, [self.leases[purchase]], self.given)

    def give_up(self, purchase: PurchaseId) -> None:
        """Ambiguous, and nobody wants it any more."""
        lease = self.leases[purchase]
        self.arrows.add("mark_ambiguous")
        self.store.ledger.mark_ambiguous(purchase, lease, "the browser broke")
        self.is_ambiguous(lease.job_id)
        if self.present.get(lease.job_id) == purchase:
            self.what_must_always_be_true()
            self.settled_by(lease.job_id, Settlement.ABANDON, billed=True)

    def settled_by(self, job_id: JobId, decision: Settlement, *, billed: bool) -> None:
        self.arrows.add("settle")
        self.store.queue.settle(job_id, decision, "a test", billed=billed)
        purchase = self.present.pop(job_id)
        self.settled.add(purchase)
        [line] = [line for line in self.store.ledger.lines(job_id) if line.id == purchase]
        assert line.state is (AMBIGUOUS if billed else VOID)
        if decision is Settlement.REBUY:
            self.waits(job_id, 0)
        else:
            row = self.store.views.job(job_id)
            assert (row.status, row.error_kind) == (FAILED, ErrorKind.ABANDONED)
