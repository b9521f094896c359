"""The port `JobQueue` in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from registre.account import Seat
from registre.batch import BatchId
from registre.errors import ErrorKind, Refused
from registre.job import JobId, Lease, Order, Renewal, Settlement, Status
from registre.ledger import PurchaseState
from tests.memory.leasing import is_kept, lease_next, reclaim
from tests.memory.money import give_back
from tests.memory.moves import (
    NEVER_BLINDLY,
    OPEN_PURCHASE,
    cancel,
    fail,
    held,
    is_buying,
    own_purchase,
    owned,
    reuse,
    settle_purchase,
    site_answered,
    site_away,
    start_over,
    wait_again,
)
from tests.memory.site import is_settled
from tests.memory.state import EVENTS_CHANNEL, JOBS_CHANNEL, JobRow, State

MOST_RESCUES = 10


def put_in(state: State, orders: Sequence[Order], now: datetime, batch_id: BatchId | None = None) -> list[JobId]:
    """All or none, in this order."""
    for order in orders:
        request = order.request
        texts = (request.number, request.circonscription, request.cadastre, request.designation, request.acte_type)
        if any("\x00" in text for text in texts):
            raise Refused("A text holds a character that no row can hold.")
    return [_put_in(state, order, now, batch_id, number) for number, order in enumerate(orders, start=1)]


def _put_in(state: State, order: Order, now: datetime, batch_id: BatchId | None, number: int) -> JobId:
    created_at = now + timedelta(microseconds=number)  # listed in the order given
    job = JobRow(JobId(state.new_id()), order, order.client, batch_id, order.request.identity_key, created_at)
    state.jobs[job.id] = job
    document = None if order.fresh else owned(state, job.identity, job.source, now)
    state.tell(
        "job.submitted",
        job.id,
        now,
        status=str(Status.WAITING if document is None else Status.DONE),
        attempts=0,
        error_kind=None,
        path=None if document is None else document.path,
        cost_cents=0,
        source=job.source,
        number=order.request.number,
        client=job.client,
    )
    if document is not None:
        reuse(state, job, document, now)
        return job.id
    job.position = max(state.clients.get(job.client, 0.0), state.served) + 1
    state.clients[job.client] = job.position
    if order.not_before is not None and order.not_before > now:
        job.next_attempt_at = order.not_before
    state.ring(JOBS_CHANNEL)
    return job.id


class MemoryQueue:
    """Implements `registre.ports.JobQueue`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def submit(self, orders: Sequence[Order]) -> list[JobId]:
        with self._state.transaction() as now:
            return put_in(self._state, orders, now)

    def lease_next(self, owner: str, seats: Sequence[Seat], visibility: timedelta) -> list[Lease]:
        with self._state.transaction() as now:
            return lease_next(self._state, now, owner, seats, visibility)

    def renew(self, owner: str, jobs: Sequence[Lease], seats: Sequence[Seat], visibility: timedelta) -> Renewal:
        state = self._state
        with state.transaction() as now:
            host = state.hosts.get(owner.split("/", 1)[0])
            if host is not None and owner.split("/", 1)[1:] == [host.boot]:
                host.seen_at, host.until = now, now + visibility
            kept = [row for lease in jobs if (row := self._kept(lease, owner, visibility, now)) is not None]
            for row in kept:
                row.until = now + visibility
            accounts = [
                seat.account_id
                for seat in seats
                if (account := state.accounts.get(seat.account_id)) is not None and is_kept(account, now, owner, seat)
            ]
            for account_id in accounts:
                state.accounts[account_id].until = now + visibility
            return Renewal(
                jobs=frozenset(row.id for row in kept),
                accounts=frozenset(accounts),
                cancelled=frozenset(row.id for row in kept if row.cancel_requested_at is not None),
                overdue=frozenset(row.id for row in kept if row.attempt_until is not None and row.attempt_until <= now),
            )

    def _kept(self, lease: Lease, owner: str, visibility: timedelta, now: datetime) -> JobRow | None:
        """A lease past its end is not revived; one past its attempt's end is renewed a last time only."""
        row = self._state.jobs.get(lease.job_id)
        if (
            row is not None
            and (row.status, row.owner, row.token) == (Status.RUNNING, owner, lease.token)
            and (row.until is not None and row.until > now)
            and (row.attempt_until is None or row.attempt_until + visibility > now)
        ):
            return row
        return None

    def note_step(self, lease: Lease, step: str) -> None:
        with self._state.transaction() as now:
            row = self._state.jobs.get(lease.job_id)
            if row is not None and row.status == Status.RUNNING and row.token == lease.token:
                row.step = step
                self._state.tell("job.step", row.id, now, step=step)

    # -- ends of a lease

    def release(self, lease: Lease, message: str) -> None:
        with self._state.transaction() as now:
            job = held(self._state, lease)
            wait_again(self._state, job, timedelta(0), message, "released", now, consumed=False)

    def snooze(
        self, lease: Lease, delay: timedelta, message: str, *, kind: ErrorKind | None = None, rescued: bool = False
    ) -> None:
        state = self._state
        with state.transaction() as now:
            job = held(state, lease)
            if kind is ErrorKind.SITE_UNAVAILABLE:
                site_away(state, message, now)
            elif kind is ErrorKind.LAYOUT_CHANGED and not is_settled(state, job.source, job.started_at):
                state.frozen[job.source] = message
                state.tell("gate.frozen", None, now, source=job.source, reason=message)
            if rescued and job.rescues >= MOST_RESCUES:
                fail(state, job, ErrorKind.ATTEMPTS_EXHAUSTED, message, "failed", now)
                return
            job.rescues += rescued
            wait_again(
                state,
                job,
                delay,
                message,
                "snoozed",
                now,
                consumed=False,
                kind=None if kind is None else str(kind),
            )

    def retry(self, lease: Lease, kind: ErrorKind, message: str, delay: timedelta) -> None:
        with self._state.transaction() as now:
            job = held(self._state, lease)
            if job.attempts >= job.order.max_attempts:
                fail(self._state, job, ErrorKind.ATTEMPTS_EXHAUSTED, message, "failed", now)
            else:
                wait_again(self._state, job, delay, message, "retried", now, consumed=True, kind=str(kind))

    def fail(self, lease: Lease, kind: ErrorKind, message: str, *, needs_review: bool = False) -> None:
        with self._state.transaction() as now:
            job = held(self._state, lease)
            job.needs_review = needs_review
            fail(self._state, job, kind, message, "failed", now)
            if kind is not ErrorKind.CANCELLED:
                site_answered(self._state, now)

    def note_evidence(self, lease: Lease, place: str) -> None:
        with self._state.transaction():
            attempt = self._state.attempts.get((lease.job_id, lease.token))
            if attempt is not None:
                attempt.evidence = place

    def reclaim(
        self,
        backoff: timedelta,
        host_gone: timedelta,
        legacy: timedelta,
        limit: int = 100,
    ) -> list[tuple[JobId, str]]:
        with self._state.transaction() as now:
            return reclaim(self._state, now, backoff, host_gone, limit)

    # -- a person

    def requeue(self, job_id: JobId, author: str) -> None:
        with self._state.transaction() as now:
            job = self._state.job(job_id)
            if job.status != Status.FAILED:
                raise Refused(f"Only a job in 'Erreur' can be retried; this one is in '{job.status}'.")
            if job.error_kind in NEVER_BLINDLY or is_buying(self._state, job, PurchaseState.AMBIGUOUS):
                raise Refused(OPEN_PURCHASE)
            start_over(job)
            self._state.tell(
                "job.requeued", job.id, now, status=str(job.status), attempts=0, error_kind=None, author=author
            )
            self._state.ring(JOBS_CHANNEL)

    def cancel(self, job_id: JobId, author: str) -> str:
        with self._state.transaction() as now:
            return cancel(self._state, self._state.job(job_id), author, now)

    def settle(self, job_id: JobId, decision: Settlement, author: str, *, billed: bool = True) -> None:
        state = self._state
        with state.transaction() as now:
            job = state.job(job_id)
            if job.status != Status.FAILED or job.error_kind not in NEVER_BLINDLY:
                raise Refused("There is nothing to settle.")
            purchase = own_purchase(state, job)
            if purchase is not None:
                settle_purchase(purchase, decision, now)
                if not billed:
                    purchase.state = PurchaseState.VOID
                    give_back(state, purchase)
                    job.cost_cents -= purchase.fee_cents if purchase.charged_at is not None else 0
                    state.tell("purchase.void", job.id, now, purchase=purchase.id, cost_cents=job.cost_cents)
            job.purchase_id = None
            if decision is Settlement.REBUY:
                start_over(job)
                state.ring(JOBS_CHANNEL)
            else:
                job.error_kind, job.error_message = str(ErrorKind.ABANDONED), f"Abandoned by {author}."
            state.tell(
                "job.settled",
                job.id,
                now,
                status=str(job.status),
                attempts=job.attempts,
                error_kind=job.error_kind,
                cost_cents=job.cost_cents,
                decision=str(decision),
                author=author,
            )

    def listen(self, ring: Callable[[str, str], None]) -> Callable[[], None]:
        """Rings once at the start for each channel, since what came before was missed."""
        with self._state.transaction():
            self._state.bells.append(ring)
            self._state.ring(JOBS_CHANNEL)
            self._state.ring(EVENTS_CHANNEL)

        def stop() -> None:
            with self._state.transaction():
                if ring in self._state.bells:
                    self._state.bells.remove(ring)

        return stop
