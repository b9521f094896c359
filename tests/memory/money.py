"""Fees and budgets: what a document costs today, and whether there is room for it.

Invariant: `State.used` holds, for each period of each name, the fees of its purchases that are not void.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from registre.batch import BatchId
from registre.budget import BUDGETS, Period
from registre.document import Source
from registre.gates import Scope
from registre.job import JobId
from registre.ledger import PurchaseState
from tests.memory.state import JobRow, PurchaseRow, State, UseKey

TORONTO = ZoneInfo("America/Toronto")
FEE_CENTS = 150
"""What a document costs when no fee was ever set."""

EVERYBODY = "*"


def day_of(at: datetime) -> date:
    return at.astimezone(TORONTO).date()


def fee_of(state: State, source: str, now: datetime) -> int:
    """The newest fee in force: the source's own, else everybody's, else what it was before fees were set."""
    today = day_of(now)
    for name in (source, EVERYBODY):
        days = [valid_from for owner, valid_from in state.fees if owner == name and valid_from <= today]
        if days:
            return state.fees[name, max(days)]
    return FEE_CENTS


def smallest_fee(state: State, now: datetime) -> int:
    return min(fee_of(state, source, now) for source in Source)


def use_key(scope: Scope, name: str, period: Period, now: datetime) -> UseKey:
    today = day_of(now)
    start = {Period.DAY: today, Period.MONTH: today.replace(day=1), Period.TOTAL: None}[period]
    return scope, name, period, start


def uses_of(job: JobRow, username: str, now: datetime) -> tuple[UseKey, ...]:
    """Every budget, capped or not, that a purchase for this job through this account counts in."""
    names = {Scope.SITE: "", Scope.ACCOUNT: username, Scope.CLIENT: job.client}
    if job.batch_id is not None:
        names[Scope.BATCH] = job.batch_id
    return tuple(use_key(scope, name, period, now) for scope, name in names.items() for period in BUDGETS[scope])


def cap_of(state: State, scope: Scope, name: str, period: Period) -> int | None:
    """The name's own cap, else the one of every account or client."""
    own = state.caps.get((scope, name, period))
    if own is None and scope in (Scope.ACCOUNT, Scope.CLIENT):
        return state.caps.get((scope, EVERYBODY, period))
    return own


def over(state: State, use: UseKey, cents: int) -> bool:
    """True when the cap leaves no room for so many cents more."""
    scope, name, period, _ = use
    cap = cap_of(state, scope, name, period)
    return cap is not None and state.used[use] + cents > cap


def exhausted(state: State, scope: Scope, name: str, now: datetime) -> Period | None:
    """The first period whose cap leaves no room for any document today."""
    cents = smallest_fee(state, now)
    for period in BUDGETS[scope]:
        if over(state, use_key(scope, name, period, now), cents):
            return period
    return None


def reserve(state: State, purchase: PurchaseRow) -> None:
    for use in purchase.uses:
        state.used[use] += purchase.fee_cents


def give_back(state: State, purchase: PurchaseRow) -> None:
    """To the budgets of the day it was intended."""
    for use in purchase.uses:
        state.used[use] -= purchase.fee_cents


def names_of(state: State, scope: Scope) -> Iterator[str]:
    """Everybody a budget of this scope may be about: who is known, and who has a cap of his own."""
    capped = {name for owner, name, _ in state.caps if owner is scope and name != EVERYBODY}
    match scope:
        case Scope.SITE:
            yield ""
        case Scope.ACCOUNT:
            yield from sorted(capped | {account.username for account in state.accounts.values()})
        case Scope.CLIENT:
            yield from sorted(capped | {job.client for job in state.jobs.values()})
        case Scope.BATCH:
            yield from sorted(state.batches)
        case Scope.SOURCE:
            return


UNDER_WAY = (PurchaseState.INTENDED, PurchaseState.CHARGED)
BOUGHT = (PurchaseState.SECURED, PurchaseState.DELIVERED)


def purchases_of(state: State, *, batch_id: BatchId | None = None, job_id: JobId | None = None) -> list[PurchaseRow]:
    """The lines of one batch, of one job, or all."""
    return [
        line
        for line in state.purchases.values()
        if (batch_id is None or state.jobs[line.job_id].batch_id == batch_id)
        and (job_id is None or line.job_id == job_id)
    ]
