"""The moves a job can make, each written once: how it ends, waits again, is served by a document already owned.

Invariant: each move tells one fact that holds everything of the row it has changed. Callers hold the lock and have checked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from registre.document import Source
from registre.errors import ErrorKind, LeaseLost, Refused
from registre.job import JobId, Lease, Settlement, Status
from registre.ledger import PurchaseState
from tests.memory.money import day_of
from tests.memory.state import JOBS_CHANNEL, OPEN, JobRow, PurchaseRow, State

OPEN_PURCHASE = "The document of this job may already be bought."
BREAKER_FORGETS = timedelta(minutes=5)
NEVER_BLINDLY = (ErrorKind.AMBIGUOUS_PURCHASE, ErrorKind.SECURED_ELSEWHERE)


# -- what is known


def own_purchase(state: State, job: JobRow) -> PurchaseRow | None:
    return state.purchases[job.purchase_id] if job.purchase_id is not None else None


def is_buying(state: State, job: JobRow, *also: PurchaseState) -> bool:
    purchase = own_purchase(state, job)
    return purchase is not None and purchase.state in (*OPEN, *also)


def held(state: State, lease: Lease) -> JobRow:
    """The job under this token, free to end; LeaseLost or Refused."""
    job = state.jobs.get(lease.job_id)
    if job is None or job.status != Status.RUNNING or job.token != lease.token:
        raise LeaseLost("The lease of this job is lost.")
    if is_buying(state, job):
        raise Refused("This job has an open purchase; it is settled first.")
    return job


def owned(state: State, identity: str, source: str, now: datetime) -> PurchaseRow | None:
    """The newest delivered purchase of the document that still counts as current."""
    hours = {Source.INDEX: state.rules.fresh_index_hours, Source.PLAN: state.rules.fresh_plan_hours}.get(
        source  # type: ignore[call-overload]
    )
    current = [
        line
        for line in state.purchases.values()
        if line.identity == identity
        and line.state is PurchaseState.DELIVERED
        and (source == Source.ACTE or (hours is not None and line.intended_at > now - timedelta(hours=hours)))
    ]
    return max(current, key=lambda line: line.intended_at, default=None)


def rival(state: State, job: JobRow) -> PurchaseRow | None:
    """A purchase by which another job has, or may have, bought this document without our having it yet; of the same job only a
    former one that was found again, and is on its way."""
    for line in state.purchases.values():
        if line.identity != job.identity:
            continue
        unsettled = line.state is PurchaseState.AMBIGUOUS and line.settled_at is None
        if line.state is PurchaseState.SECURED or (line.job_id != job.id and (line.state in OPEN or unsettled)):
            return line
    return None


# -- ends and waits


def end_attempt(
    state: State, job_id: JobId, token: int, ending: str, now: datetime, kind: str | None = None, message: str = ""
) -> None:
    attempt = state.attempts.get((job_id, token))
    if attempt is not None and attempt.ended_at is None:
        attempt.ended_at, attempt.ending, attempt.error_kind, attempt.message = now, ending, kind, message or None


def _leave(job: JobRow, now: datetime | None) -> None:
    job.owner = job.until = job.attempt_until = job.step = None
    job.finished_at = now


def fail(
    state: State, job: JobRow, kind: ErrorKind, message: str, ending: str, now: datetime, author: str | None = None
) -> None:
    """→ 'Erreur'; `author` is the person who ended it, if any."""
    job.status, job.error_kind, job.error_message = Status.FAILED, str(kind), message
    _leave(job, now)
    end_attempt(state, job.id, job.token, ending, now, str(kind), message)
    state.tell(
        "job.failed",
        job.id,
        now,
        status=str(job.status),
        attempts=job.attempts,
        error_kind=job.error_kind,
        message=message,
        **_worked(job, now),
        **({"author": author} if author else {}),
    )


def complete(state: State, job: JobRow, path: str, now: datetime) -> None:
    """→ 'Complété', by its own document."""
    job.status, job.error_kind, job.error_message, job.path = Status.DONE, None, None, path
    job.cancel_requested_at = job.wait_reason = None
    _leave(job, now)
    end_attempt(state, job.id, job.token, "completed", now)
    state.tell(
        "job.completed",
        job.id,
        now,
        status=str(job.status),
        attempts=job.attempts,
        error_kind=None,
        path=job.path,
        **_worked(job, now),
    )


def _worked(job: JobRow, now: datetime) -> dict[str, float]:
    return {} if job.started_at is None else {"seconds": (now - job.started_at).total_seconds()}


def reuse(state: State, job: JobRow, purchase: PurchaseRow, now: datetime) -> None:
    """→ 'Complété', by a document already owned: costs nothing."""
    job.status, job.error_kind, job.error_message, job.path = Status.DONE, None, None, purchase.path
    job.reused, job.wait_reason, job.cancel_requested_at = True, None, None
    job.notes.append(f"The document bought on {day_of(purchase.intended_at)} was reused at no cost.")
    _leave(job, now)
    end_attempt(state, job.id, job.token, "reused", now)
    state.tell(
        "job.reused",
        job.id,
        now,
        status=str(job.status),
        attempts=job.attempts,
        error_kind=None,
        path=job.path,
        purchase=purchase.id,
    )


def wait_again(
    state: State,
    job: JobRow,
    delay: timedelta,
    message: str,
    ending: str,
    now: datetime,
    *,
    consumed: bool,
    kind: str | None = None,
) -> None:
    """→ 'En attente', unless a person asked for the job to stop: then it ends here, its attempt spent."""
    if job.cancel_requested_at is not None:
        fail(state, job, ErrorKind.CANCELLED, "Cancelled before anything was bought.", ending, now)
        return
    job.status, job.error_kind, job.error_message, job.wait_reason = Status.WAITING, None, None, message
    job.attempts -= not consumed
    _leave(job, None)
    job.account_id = job.worker = job.started_at = None
    job.next_attempt_at = now + delay if delay > timedelta(0) else None
    end_attempt(state, job.id, job.token, ending, now, kind, message)
    state.tell(
        f"job.{ending}",
        job.id,
        now,
        status=str(job.status),
        attempts=job.attempts,
        error_kind=None,
        message=message,
        delay_seconds=delay.total_seconds(),
    )
    state.ring(JOBS_CHANNEL)


def start_over(job: JobRow) -> None:
    """'Erreur' → 'En attente' with fresh attempts, at its old place; the caller tells it."""
    job.status, job.error_kind, job.error_message, job.needs_review = Status.WAITING, None, None, False
    job.attempts = job.rescues = 0
    job.next_attempt_at = job.finished_at = job.cancel_requested_at = job.wait_reason = None
    job.order = replace(job.order, deadline=None)  # the one that has passed


def cancel(state: State, job: JobRow, author: str, now: datetime) -> str:
    if job.status in (Status.DONE, Status.FAILED):
        raise Refused(f"This job has already ended in '{job.status}'.")
    if is_buying(state, job):
        raise Refused("The document of this job is being bought; it can no longer be cancelled.")
    if job.status == Status.WAITING:
        fail(state, job, ErrorKind.CANCELLED, f"Cancelled by {author}.", "cancelled", now, author)
        return "cancelled"
    job.cancel_requested_at = now
    state.tell("job.cancel_requested", job.id, now, author=author)
    return "requested"


def serve_waiting(state: State, identity: str, now: datetime) -> None:
    """Whoever waits for a document that is now here has waited long enough."""
    for job in state.jobs.values():
        if job.identity == identity and job.status == Status.WAITING and job.purchase_id is None:
            document = None if job.order.fresh else owned(state, identity, job.source, now)
            if document is not None:
                reuse(state, job, document, now)


# -- money nobody can tell the end of


def hold_ambiguous(state: State, job: JobRow, purchase: PurchaseRow, reason: str, now: datetime) -> bool:
    """The purchase becomes ambiguous and its job stops for a person; or, as the day's rule allows, the job waits to buy again.
    True when it is settled so."""
    purchase.state, purchase.reason = PurchaseState.AMBIGUOUS, reason
    state.tell("purchase.ambiguous", job.id, now, purchase=purchase.id, reason=reason)
    today = day_of(now)
    settled_today = sum(
        line.settlement == "automatic" and line.settled_at is not None and day_of(line.settled_at) == today
        for line in state.purchases.values()
    )
    if settled_today >= state.rules.rebuys_per_day:
        fail(state, job, ErrorKind.AMBIGUOUS_PURCHASE, f"{reason}. A person decides.", "ambiguous", now)
        return False
    purchase.settled_at, purchase.settlement = now, "automatic"
    job.purchase_id = None
    if job.attempts >= job.order.max_attempts:
        fail(state, job, ErrorKind.ATTEMPTS_EXHAUSTED, f"{reason}, in the last attempt.", "ambiguous", now)
    else:
        message = f"{reason}; it is bought again, as the rules allow."
        wait_again(state, job, timedelta(0), message, "retried", now, consumed=True)
    return True


def settle_purchase(purchase: PurchaseRow, decision: Settlement, now: datetime) -> None:
    purchase.settled_at, purchase.settlement = now, str(decision)
    if purchase.state is PurchaseState.SECURED:
        purchase.state = PurchaseState.AMBIGUOUS


# -- the site


def site_away(state: State, reason: str, now: datetime) -> None:
    breaker = state.breaker
    if breaker.last_failure_at is None or now - breaker.last_failure_at > BREAKER_FORGETS:
        breaker.failures = 0
    breaker.failures += 1
    breaker.last_failure_at = now
    if breaker.is_open(now):
        return
    if breaker.failures >= state.rules.breaker_failures or breaker.is_half_open(now):
        breaker.open_until = now + timedelta(seconds=min(900, 60 * 2**breaker.trips))
        breaker.trips += 1
        breaker.probe_until = None
        breaker.reason = reason
        state.tell("site.away", None, now, reason=reason)


def site_answered(state: State, now: datetime) -> None:
    was_open = state.breaker.open_until is not None
    state.breaker = type(state.breaker)()
    if was_open:
        state.tell("site.answered", None, now)
        state.ring(JOBS_CHANNEL)
