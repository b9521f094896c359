"""The port `Ledger` in memory."""

from __future__ import annotations

from collections.abc import Sequence

from registre.errors import ErrorKind, LeaseLost, Refused
from registre.job import JobId, Lease, Status
from registre.ledger import FAILING_AFTER, Delivery, Intent, LedgerLine, PurchaseId, PurchaseState, SecuredFile, Verdict
from tests.memory.money import fee_of, give_back, over, purchases_of, reserve, uses_of
from tests.memory.moves import (
    NEVER_BLINDLY,
    OPEN_PURCHASE,
    complete,
    end_attempt,
    hold_ambiguous,
    is_buying,
    owned,
    reuse,
    rival,
    serve_waiting,
    site_answered,
)
from tests.memory.state import JobRow, PurchaseRow, State

SAFE = (PurchaseState.SECURED, PurchaseState.DELIVERED)


class MemoryLedger:
    """Implements `registre.ports.Ledger`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def intend(self, lease: Lease, host: str) -> Intent:
        state = self._state
        with state.transaction() as now:
            job = state.jobs.get(lease.job_id)
            if (
                job is None
                or (job.status, job.token) != (Status.RUNNING, lease.token)
                or job.until is None
                or job.until <= now
                or job.account_id is None
            ):
                raise LeaseLost("The lease of this job is lost.")
            if job.cancel_requested_at is not None:
                return Intent(Verdict.CANCELLED, None, None, "A person asked for this order to stop.")
            if is_buying(state, job, PurchaseState.AMBIGUOUS):
                raise Refused(OPEN_PURCHASE)
            document = None if job.order.fresh else owned(state, job.identity, job.source, now)
            if document is not None:
                reuse(state, job, document, now)
                return Intent(Verdict.OWNED, None, None, "The document was bought meanwhile.")
            line = rival(state, job)
            if line is not None:
                return Intent(Verdict.IN_PROGRESS, None, None, f"Another order's purchase is {line.state}.")
            uses = uses_of(job, state.username(job.account_id), now)
            fee = fee_of(state, job.source, now)
            for scope, name, period, start in uses:
                if over(state, (scope, name, period, start), fee):
                    who = f"{scope} {name}".rstrip()
                    reason = f"The {period} budget of {who} has no room for {fee} cents."
                    return Intent(Verdict.OVER_BUDGET, None, None, reason)
            purchase = PurchaseRow(
                PurchaseId(state.new_id()),
                job.id,
                job.token,
                job.account_id,
                host,
                job.identity,
                job.source,
                fee,
                now,
                uses,
            )
            state.purchases[purchase.id] = purchase
            reserve(state, purchase)
            job.purchase_id = purchase.id
            state.tell("purchase.intended", job.id, now, purchase=purchase.id, fee_cents=fee)
            return Intent(Verdict.GRANTED, purchase.id, now)

    def void(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        with self._state.transaction() as now:
            line, job = self._under(purchase, lease, PurchaseState.INTENDED)
            line.state, line.reason = PurchaseState.VOID, reason
            give_back(self._state, line)
            job.purchase_id = None
            self._state.tell("purchase.void", job.id, now, purchase=purchase, reason=reason)

    def charge(self, purchase: PurchaseId, lease: Lease, notes: Sequence[str]) -> None:
        with self._state.transaction() as now:
            line, job = self._under(purchase, lease, PurchaseState.INTENDED, PurchaseState.CHARGED)
            if line.state is PurchaseState.CHARGED:
                return
            line.state, line.charged_at = PurchaseState.CHARGED, now
            job.cost_cents += line.fee_cents
            job.notes += notes
            self._state.tell("purchase.charged", job.id, now, purchase=purchase, cost_cents=job.cost_cents)
            site_answered(self._state, now)

    def secure(self, purchase: PurchaseId, file: SecuredFile) -> None:
        with self._state.transaction() as now:
            line = self._state.purchase(purchase)
            job = self._state.jobs[line.job_id]
            if line.state in SAFE:
                if line.sha256 != file.sha256:
                    raise Refused("This purchase is secured with another file.")
                return
            if line.state is PurchaseState.VOID:
                raise Refused("This purchase was void: its file must be looked at by a person.")
            line.state, line.secured_at, line.reason = PurchaseState.SECURED, now, None
            line.sha256, line.size_bytes, line.pages = file.sha256, file.size_bytes, file.pages
            if line.charged_at is None:
                line.charged_at = now
                job.cost_cents += line.fee_cents
            if job.purchase_id == purchase:
                job.until = job.step = None
            end_attempt(self._state, job.id, line.token, "secured", now)
            self._state.tell("purchase.secured", job.id, now, purchase=purchase, cost_cents=job.cost_cents)

    def mark_ambiguous(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        with self._state.transaction() as now:
            line, job = self._under(purchase, lease, PurchaseState.INTENDED, PurchaseState.CHARGED)
            hold_ambiguous(self._state, job, line, reason, now)

    def lose(self, purchase: PurchaseId, reason: str) -> None:
        with self._state.transaction() as now:
            line = self._state.purchase(purchase)
            if line.state is not PurchaseState.SECURED:
                return
            job = self._state.jobs[line.job_id]
            waits_for_it = job.status == Status.RUNNING or job.error_kind == ErrorKind.SECURED_ELSEWHERE
            if job.purchase_id == purchase and waits_for_it:
                hold_ambiguous(self._state, job, line, reason, now)
            else:
                line.state, line.reason = PurchaseState.AMBIGUOUS, reason
                self._state.tell("purchase.ambiguous", job.id, now, purchase=purchase, reason=reason)

    def note_undelivered(self, purchase: PurchaseId, reason: str) -> None:
        with self._state.transaction() as now:
            line = self._state.purchases.get(purchase)
            if line is None or line.state is not PurchaseState.SECURED:
                return
            line.failures, line.failed_at, line.reason = line.failures + 1, now, reason
            if line.failures == FAILING_AFTER:
                self._state.tell(
                    "purchase.undelivered", line.job_id, now, purchase=purchase, failures=line.failures, reason=reason
                )

    def deliver(self, delivery: Delivery) -> str:
        with self._state.transaction() as now:
            line = self._state.purchase(delivery.purchase_id)
            if line.state not in SAFE or line.sha256 != delivery.sha256:
                raise Refused("This purchase is not secured with this file.")
            if line.state is PurchaseState.DELIVERED:
                return "repeated"
            line.state, line.delivered_at = PurchaseState.DELIVERED, now
            line.path, line.reason = f"{delivery.bucket}/{delivery.object_key}", None
            job = self._state.jobs[line.job_id]
            # Not the fact's `path`: it may not be the job's.
            self._state.tell("purchase.delivered", job.id, now, purchase=line.id, delivered_to=line.path)
            completes = job.purchase_id == line.id and (
                job.status in (Status.RUNNING, Status.WAITING)
                or (job.status == Status.FAILED and job.error_kind in NEVER_BLINDLY)
            )
            if completes:
                complete(self._state, job, line.path, now)
            serve_waiting(self._state, line.identity, now)
            return "completed" if completes else "kept"

    def lines(self, job_id: JobId | None = None) -> list[LedgerLine]:
        with self._state.transaction():
            return [self._line(line) for line in purchases_of(self._state, job_id=job_id)]

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        with self._state.transaction():
            whole = [line for line in purchases_of(self._state) if line.state is PurchaseState.DELIVERED]
            return {line.path: self._line(line) for line in whole if line.path is not None and line.path in paths}

    def _line(self, line: PurchaseRow) -> LedgerLine:
        return LedgerLine(
            line.id,
            line.job_id,
            line.state,
            line.fee_cents,
            self._state.username(line.account_id),
            line.intended_at,
            line.charged_at,
            line.secured_at,
            line.delivered_at,
            line.sha256,
            line.size_bytes,
            line.pages,
            line.reason,
        )

    def _under(self, purchase: PurchaseId, lease: Lease, *states: PurchaseState) -> tuple[PurchaseRow, JobRow]:
        """The purchase in one of these states, still its job's, under this token; or LeaseLost. An expired lease still counts:
        refusing the truth about money because the clock ran out would lose it."""
        line = self._state.purchase(purchase)
        job = self._state.jobs[line.job_id]
        if line.token == lease.token == job.token and line.state in states and job.purchase_id == purchase:
            return line, job
        raise LeaseLost("This purchase is no longer yours to change.")
