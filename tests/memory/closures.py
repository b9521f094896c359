"""What is closed now, and which jobs it holds back.

Invariant: `lease_next` and `why` ask here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from registre.budget import BUDGETS, Period
from registre.gates import Closure, Gate, Scope, ServiceHours
from registre.job import JobId, Status
from tests.memory.money import TORONTO, day_of, exhausted, names_of
from tests.memory.state import AccountRow, JobRow, State

DAYS_AHEAD = 30


def closures(state: State, now: datetime) -> list[Closure]:
    """Every closed gate, in the order in which they are asked."""
    return [
        *_hours(state, now),
        *_breaker(state, now),
        *_frozen(state),
        *_pauses(state),
        *_approvals(state),
        *_budgets(state, now),
    ]


def holds(closure: Closure, job: JobRow) -> bool:
    match closure.scope:
        case Scope.SITE:
            return True
        case Scope.SOURCE:
            return closure.name == job.source
        case Scope.CLIENT:
            return closure.name == job.client
        case Scope.BATCH:
            return closure.name == job.batch_id
        case Scope.ACCOUNT:
            return False


def closed_accounts(closed: Sequence[Closure]) -> set[str]:
    return {closure.name for closure in closed if closure.scope is Scope.ACCOUNT}


def is_idle(state: State, account: AccountRow, now: datetime) -> bool:
    """Signed in, and no job under it is alive."""
    return account.is_leased(now) and not any(
        job.status == Status.RUNNING and job.account_id == account.id and job.until is not None and job.until > now
        for job in state.jobs.values()
    )


def keeps_pace(account: AccountRow, now: datetime) -> bool:
    return account.ready_at is None or account.ready_at <= now


# -- gate by gate


def _hours(state: State, now: datetime) -> Iterator[Closure]:
    if not state.hours or any(_starts(state, opening, now) for opening in state.hours):
        return
    yield Closure(Gate.HOURS, Scope.SITE, "", "the registry's service is closed", _next_opening(state, now))


def _starts(state: State, opening: ServiceHours, now: datetime) -> bool:
    """Within this opening, with time enough left to finish what is started."""
    local = now.astimezone(TORONTO)
    if opening.weekday != local.isoweekday() or local.date() in state.holidays:
        return False
    closes = datetime.combine(local.date(), opening.closes, TORONTO)
    last_start = closes - timedelta(seconds=state.rules.last_start_seconds)
    return datetime.combine(local.date(), opening.opens, TORONTO) <= local < last_start


def _next_opening(state: State, now: datetime) -> datetime | None:
    for ahead in range(DAYS_AHEAD):
        day = day_of(now) + timedelta(days=ahead)
        opens = [
            datetime.combine(day, opening.opens, TORONTO).astimezone(now.tzinfo)
            for opening in state.hours
            if opening.weekday == day.isoweekday() and day not in state.holidays
        ]
        later = [at for at in opens if at > now]
        if later:
            return min(later)
    return None


def _breaker(state: State, now: datetime) -> Iterator[Closure]:
    breaker = state.breaker
    if breaker.is_open(now):
        yield Closure(Gate.BREAKER, Scope.SITE, "", f"the site is away: {breaker.reason}", breaker.open_until)
    elif breaker.is_half_open(now) and breaker.probe_until is not None and breaker.probe_until > now:
        yield Closure(Gate.BREAKER, Scope.SITE, "", "one job tries whether the site is back", breaker.probe_until)


def _frozen(state: State) -> Iterator[Closure]:
    for source, reason in sorted(state.frozen.items()):
        yield Closure(Gate.FROZEN, Scope.SOURCE, source, reason, None)


def _pauses(state: State) -> Iterator[Closure]:
    for (scope, name), pause in sorted(state.pauses.items()):
        yield Closure(Gate.PAUSE, scope, name, f"paused by {pause.author}: {pause.reason}", None)


def _with_jobs_to_start(state: State) -> set[str]:
    """The gate of a batch that is over holds nothing back and is not told."""
    return {str(job.batch_id) for job in state.jobs.values() if job.status == Status.WAITING}


def _approvals(state: State) -> Iterator[Closure]:
    for batch in state.batches.values():
        if batch.waits_for_approval and batch.approved_at is None and batch.id in _with_jobs_to_start(state):
            yield Closure(Gate.APPROVAL, Scope.BATCH, batch.id, f"the batch {batch.new.name} waits for approval", None)


def _budgets(state: State, now: datetime) -> Iterator[Closure]:
    for scope in BUDGETS:
        for name in names_of(state, scope):
            period = exhausted(state, scope, name, now)
            if period is not None and (scope is not Scope.BATCH or name in _with_jobs_to_start(state)):
                who = f"{scope} {name}".rstrip()
                yield Closure(
                    Gate.BUDGET, scope, name, f"the {period} budget of {who} is used up", _renewal(period, now)
                )


def _renewal(period: Period, now: datetime) -> datetime | None:
    """Midnight in Toronto, when the next period begins."""
    today = day_of(now)
    match period:
        case Period.TOTAL:
            return None
        case Period.DAY:
            day = today + timedelta(days=1)
        case Period.MONTH:
            day = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime(day.year, day.month, day.day, tzinfo=TORONTO).astimezone(now.tzinfo)


# -- in one line


def why(state: State, job: JobRow, now: datetime) -> str:
    if job.status == Status.DONE:
        return f"completed: {job.path}"
    if job.status == Status.FAILED:
        return f"ended: {job.error_kind}: {job.error_message}"
    if job.status == Status.RUNNING:
        return f"running: {job.step or 'just leased'}"
    if job.next_attempt_at is not None and job.next_attempt_at > now:
        return f"put off until {job.next_attempt_at.isoformat()}: {job.wait_reason or 'as ordered'}"
    closed = closures(state, now)
    for closure in closed:
        if holds(closure, job):
            return f"{closure.gate}: {closure.reason}"
    shut = closed_accounts(closed)
    idle = [a for a in state.accounts.values() if is_idle(state, a, now) and a.username not in shut]
    if idle and not any(keeps_pace(account, now) for account in idle):
        return f"{Gate.PACE}: every free account paces itself"
    if not idle:
        return f"{Gate.ACCOUNT}: no account is free"
    return "next in line"


def why_anything(state: State, now: datetime) -> str:
    """About the job that would come next, were every gate open."""
    waiting = [job for job in state.jobs.values() if job.status == Status.WAITING]
    if not waiting:
        return "nothing waits"
    return why(state, min(waiting, key=queue_order), now)


def queue_order(job: JobRow) -> tuple[int, float, JobId]:
    return -job.order.priority, job.position, job.id
