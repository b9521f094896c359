"""The port `Batches` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.budget import Period
from registre.errors import Miscounted, Refused
from registre.gates import Scope
from registre.job import Order, Status
from registre.ledger import PurchaseState
from tests.memory.money import UNDER_WAY, fee_of, purchases_of
from tests.memory.moves import cancel, is_buying, owned
from tests.memory.queue import put_in
from tests.memory.state import JOBS_CHANNEL, BatchRow, State

OVER = (Status.DONE, Status.FAILED)


def _quote(state: State, orders: Sequence[Order], now: datetime) -> Quote:
    paths: list[str | None] = []
    repeated: list[bool] = []
    seen: set[str] = set()
    price = 0
    for order in orders:
        source, identity = str(order.request.source), order.request.identity_key
        document = None if order.fresh else owned(state, identity, source, now)
        paths.append(None if document is None else document.path)
        # One that insists on a fresh document buys its own, whoever else ordered it.
        repeated.append(identity in seen and not order.fresh)
        seen.add(identity)
        if document is None and not repeated[-1]:
            price += fee_of(state, source, now)
    threshold = state.rules.approval_above_cents
    return Quote(tuple(paths), tuple(repeated), price, threshold is not None and price > threshold)


def submit_batch(state: State, batch: NewBatch, orders: Sequence[Order], now: datetime) -> BatchRow:
    """All or none."""
    quote = _quote(state, orders, now)
    row = BatchRow(BatchId(state.new_id()), batch, now, quote.price_cents, quote.needs_approval)
    put_in(state, orders, now, row.id)
    state.batches[row.id] = row
    if batch.cap_cents is not None:
        state.caps[Scope.BATCH, row.id, Period.TOTAL] = batch.cap_cents
    state.tell("batch.submitted", None, now, batch=row.id, price_cents=row.price_cents, author=batch.author)
    return row


class MemoryBatches:
    """Implements `registre.ports.Batches`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def quote(self, orders: Sequence[Order]) -> Quote:
        with self._state.transaction() as now:
            return _quote(self._state, orders, now)

    def submit(self, batch: NewBatch, orders: Sequence[Order]) -> BatchView:
        with self._state.transaction() as now:
            return self._view(submit_batch(self._state, batch, orders, now), now)

    def get(self, batch_id: BatchId) -> BatchView:
        with self._state.transaction() as now:
            return self._view(self._state.batch(batch_id), now)

    def all(self, limit: int = 50) -> list[BatchView]:
        with self._state.transaction() as now:
            rows = sorted(self._state.batches.values(), key=lambda row: row.id)
            rows.sort(key=lambda row: row.created_at, reverse=True)
            return [self._view(row, now) for row in rows[:limit]]

    def approve(self, batch_id: BatchId, author: str) -> None:
        with self._state.transaction() as now:
            row = self._state.batch(batch_id)
            if not row.waits_for_approval or row.approved_at is not None:
                raise Refused("This batch waits for no approval.")
            row.approved_at, row.approved_by = now, author
            self._state.tell("batch.approved", None, now, batch=row.id, author=author)
            self._state.ring(JOBS_CHANNEL)

    def cancel(self, batch_id: BatchId, author: str, *, expected: int | None = None) -> int:
        with self._state.transaction() as now:
            row = self._state.batch(batch_id)
            left = [job for job in self._state.jobs.values() if job.batch_id == row.id and job.status not in OVER]
            if expected is not None and expected != len(left):
                raise Miscounted(f"{expected} orders were expected, and {len(left)} have not ended; nothing was done.")
            jobs = [job for job in left if not is_buying(self._state, job)]
            for job in jobs:
                cancel(self._state, job, author, now)
            return len(jobs)

    def _view(self, row: BatchRow, now: datetime) -> BatchView:
        jobs = [job for job in self._state.jobs.values() if job.batch_id == row.id]
        lines = [line for line in purchases_of(self._state, batch_id=row.id) if line.state is not PurchaseState.VOID]
        return BatchView(
            row.id,
            row.new.name,
            row.new.client,
            row.new.author,
            row.created_at,
            row.price_cents,
            self._state.caps.get((Scope.BATCH, row.id, Period.TOTAL)),
            row.waits_for_approval,
            row.approved_at,
            row.approved_by,
            {status: sum(job.status == status for job in jobs) for status in Status},
            sum(line.fee_cents for line in lines if line.state not in UNDER_WAY),
            sum(line.fee_cents for line in lines if line.state in UNDER_WAY),
            self._done_at(row, now),
        )

    def _done_at(self, row: BatchRow, now: datetime) -> datetime | None:
        """When the pace of the accounts signed in lets every order that is left have started, were the service always open."""
        left = sum(job.batch_id == row.id and job.status not in OVER for job in self._state.jobs.values())
        accounts = sum(account.is_leased(now) for account in self._state.accounts.values())
        if not left or not accounts or self._state.hours:
            return None
        return now + timedelta(seconds=self._state.rules.pace_seconds * left / accounts)
