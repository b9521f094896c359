"""How jobs are given out and taken back: lease_next and reclaim.

Invariant: at most one job for each account; a job whose document is owned or being bought elsewhere is never given out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from registre.account import Seat
from registre.document import DocumentRequest
from registre.errors import ErrorKind
from registre.gates import Scope
from registre.job import JobId, Lease, LeaseToken, Status
from registre.ledger import PurchaseState
from tests.memory.closures import closed_accounts, closures, holds, is_idle, keeps_pace, queue_order
from tests.memory.money import UNDER_WAY
from tests.memory.moves import fail, hold_ambiguous, own_purchase, owned, reuse, rival, wait_again
from tests.memory.state import AccountRow, AttemptRow, JobRow, State

PUT_OFF = timedelta(seconds=30)
PROBE = timedelta(seconds=120)


def lease_next(state: State, now: datetime, owner: str, seats: Sequence[Seat], visibility: timedelta) -> list[Lease]:
    closed = closures(state, now)
    if any(closure.scope is Scope.SITE for closure in closed):
        return []
    shut = closed_accounts(closed)
    free = [seat for seat in seats if _is_usable(state, now, owner, seat, shut)]
    half_open = state.breaker.is_half_open(now)
    if half_open:
        del free[1:]
    due = [
        job
        for job in state.jobs.values()
        if job.status == Status.WAITING
        and (job.next_attempt_at is None or job.next_attempt_at <= now)
        and (job.order.deadline is None or job.order.deadline > now)
        and not any(holds(closure, job) for closure in closed)
    ]
    given: list[JobRow] = []
    for job in sorted(due, key=queue_order):
        if len(given) == len(free):
            break
        if job.next_attempt_at is not None and job.next_attempt_at > now:
            continue  # put off with another that waits for the same document
        document = None if job.order.fresh else owned(state, job.identity, job.source, now)
        if document is not None:
            reuse(state, job, document, now)
        elif (reason := _bought_elsewhere(state, job)) is not None:
            _put_off(state, now, job, reason)
        else:
            _give(state, now, job, owner, free[len(given)], visibility)
            given.append(job)
    if given:
        state.served = max(state.served, float(int(max(job.position for job in given))))
        if half_open:
            state.breaker.probe_until = now + PROBE
    return [_lease(job) for job in given]


def _is_usable(state: State, now: datetime, owner: str, seat: Seat, shut: set[str]) -> bool:
    account = state.accounts.get(seat.account_id)
    return (
        account is not None
        and account.owner == owner
        and account.token == seat.token
        and not account.is_set_aside(now)
        and is_idle(state, account, now)
        and account.username not in shut
        and keeps_pace(account, now)
    )


def _bought_elsewhere(state: State, job: JobRow) -> str | None:
    for other in state.jobs.values():
        if other.status == Status.RUNNING and other.identity == job.identity and other.id != job.id:
            return f"Order {other.id} is buying the same document."
    line = rival(state, job)
    if line is None:
        return None
    if line.job_id == job.id:
        return "The document of this order is on its way."
    match state.jobs[line.job_id].error_kind:
        case ErrorKind.AMBIGUOUS_PURCHASE:
            return f"Order {line.job_id} may have bought the same document."
        case ErrorKind.SECURED_ELSEWHERE:
            return f"The same document is bought by order {line.job_id}, and elsewhere."
        case _:
            return f"Order {line.job_id} is buying the same document."


def _put_off(state: State, now: datetime, job: JobRow, reason: str) -> None:
    """With all that are due for the same document; told once."""
    for other in state.jobs.values():
        due = other.next_attempt_at is None or other.next_attempt_at <= now
        if other.identity == job.identity and other.status == Status.WAITING and due:
            if other.wait_reason != reason:
                state.tell("job.put_off", other.id, now, status=str(other.status), message=reason)
            other.next_attempt_at, other.wait_reason = now + PUT_OFF, reason


def _give(state: State, now: datetime, job: JobRow, owner: str, seat: Seat, visibility: timedelta) -> None:
    job.status = Status.RUNNING
    job.owner, job.account_id, job.worker = owner, seat.account_id, seat.worker
    job.token += 1
    job.attempts += 1
    job.until, job.attempt_until = now + visibility, now + timedelta(seconds=state.rules.attempt_seconds)
    job.started_at, job.finished_at, job.step = now, None, None
    job.wait_reason = job.cancel_requested_at = None
    account = state.accounts[seat.account_id]
    account.last_used = now
    account.ready_at = _ready_at(state, now)
    state.attempts[job.id, job.token] = AttemptRow(job.id, job.token, job.attempts, owner, seat.account_id, now)
    state.tell("job.leased", job.id, now, status=str(job.status), attempts=job.attempts, worker=seat.worker)


def _ready_at(state: State, now: datetime) -> datetime:
    return now + timedelta(seconds=state.rules.pace_seconds * state.random.uniform(0.75, 1.25))


def _lease(job: JobRow) -> Lease:
    assert job.owner is not None
    assert job.account_id is not None
    assert job.until is not None
    request: DocumentRequest = job.order.request
    return Lease(
        job.id,
        LeaseToken(job.token),
        job.owner,
        job.account_id,
        job.until,
        job.attempts,
        job.order.max_attempts,
        request,
    )


def reclaim(
    state: State, now: datetime, backoff: timedelta, host_gone: timedelta, limit: int
) -> list[tuple[JobId, str]]:
    run_out = [j for j in state.jobs.values() if j.status == Status.RUNNING and j.until is not None and j.until <= now]
    run_out.sort(key=lambda job: job.until or now)
    outcomes = [(job.id, _judge(state, now, job, backoff)) for job in run_out[:limit]]
    elsewhere = [job for job in state.jobs.values() if _is_elsewhere(state, now, job, host_gone)]
    for job in elsewhere[:limit]:
        message = "The document is safe on a host that does not answer; it is delivered when that host returns."
        fail(state, job, ErrorKind.SECURED_ELSEWHERE, message, "reclaimed", now)
        outcomes.append((job.id, str(ErrorKind.SECURED_ELSEWHERE)))
    late = [
        job
        for job in state.jobs.values()
        if job.status == Status.WAITING and job.order.deadline is not None and job.order.deadline <= now
    ]
    for job in late[:limit]:
        fail(state, job, ErrorKind.DEADLINE_PASSED, "It was not started by its deadline.", "expired", now)
        outcomes.append((job.id, str(ErrorKind.DEADLINE_PASSED)))
    return outcomes


def _judge(state: State, now: datetime, job: JobRow, backoff: timedelta) -> str:
    """The ledger is read before anything else."""
    purchase = own_purchase(state, job)
    if purchase is not None and purchase.state in UNDER_WAY:
        hold_ambiguous(state, job, purchase, "the worker died while the document was being bought", now)
        return str(ErrorKind.AMBIGUOUS_PURCHASE)
    if purchase is not None and purchase.state is PurchaseState.SECURED:
        job.until = None
        return "secured"
    job.rescues += 1
    if job.attempts >= job.order.max_attempts:
        message = f"The worker stopped in each of the {job.attempts} attempts."
        fail(state, job, ErrorKind.ATTEMPTS_EXHAUSTED, message, "reclaimed", now)
        return str(ErrorKind.ATTEMPTS_EXHAUSTED)
    message = "the worker stopped before anything was bought"
    wait_again(state, job, backoff, message, "reclaimed", now, consumed=True)
    return "reclaimed"


def _is_elsewhere(state: State, now: datetime, job: JobRow, host_gone: timedelta) -> bool:
    purchase = own_purchase(state, job)
    if job.status != Status.RUNNING or job.until is not None or purchase is None or purchase.secured_at is None:
        return False
    host = state.hosts.get(purchase.host)
    seen_at = host.seen_at if host is not None else purchase.secured_at
    return purchase.state is PurchaseState.SECURED and seen_at <= now - host_gone


def is_kept(account: AccountRow, now: datetime, owner: str, seat: Seat) -> bool:
    return account.owner == owner and account.token == seat.token and account.is_leased(now) and account.is_active
