"""What budgets should have used: the ledger's own lines, added up.

Invariant: nothing here asks the store about a budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import count
from zoneinfo import ZoneInfo

from registre.batch import BatchId
from registre.budget import Period
from registre.document import Source
from registre.gates import Scope
from registre.job import JobId, JobView, Lease
from registre.ledger import LedgerLine, PurchaseId, PurchaseState
from tests.property.machines.world import PortMachine

TORONTO = ZoneInfo("America/Toronto")
FEE_CENTS = 150
CLIENTS = {"étude": 1, "notaire": 0}
"""Each with its own priority."""

PERIODS = (Period.DAY, Period.MONTH)
Key = tuple[Scope, str, Period]


def day_of(at: datetime) -> date:
    return at.astimezone(TORONTO).date()


class SummingMachine(PortMachine):
    """A machine that knows fees and caps, and adds up purchases."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.names = {seat.account_id: seat.username for seats in self.seats.values() for seat in seats}
        self.fees: dict[tuple[str, date], int] = {}
        self.caps: dict[Key, int] = {}
        self.above: set[tuple[Key, date]] = set()
        self.batches: dict[BatchId, bool] = {}
        self.leases: dict[PurchaseId, Lease] = {}

    def fee(self, source: str) -> int:
        for name in (source, "*"):
            days = [day for owner, day in self.fees if owner == name and day <= day_of(self.clock.now)]
            if days:
                return self.fees[name, max(days)]
        return FEE_CENTS

    def smallest_fee(self) -> int:
        return min(self.fee(source) for source in Source)

    def used(self, scope: Scope, name: str, period: Period, at: datetime | None = None) -> int:
        today = day_of(at or self.clock.now)

        def counts(line: LedgerLine) -> bool:
            job, day = self.jobs[JobId(line.job_id)], day_of(line.intended_at)
            whose = {Scope.SITE: "", Scope.ACCOUNT: line.account, Scope.CLIENT: job.client, Scope.BATCH: job.batch_id}
            in_period = {
                Period.DAY: day == today,
                Period.MONTH: (day.year, day.month) == (today.year, today.month),
                Period.TOTAL: True,
            }
            return line.state is not PurchaseState.VOID and whose[scope] == name and in_period[period]

        return sum(line.fee_cents for line in self.lines.values() if counts(line))

    def cap(self, scope: Scope, name: str, period: Period) -> int | None:
        own = self.caps.get((scope, name, period))
        return self.caps.get((scope, "*", period)) if own is None and scope in (Scope.ACCOUNT, Scope.CLIENT) else own

    def budgets_of(self, job: JobView, account: str) -> Iterator[Key]:
        for period in PERIODS:
            yield Scope.SITE, "", period
            yield Scope.ACCOUNT, account, period
            yield Scope.CLIENT, job.client, period
        if job.batch_id is not None:
            yield Scope.BATCH, job.batch_id, Period.TOTAL

    def has_room(self, key: Key, cents: int) -> bool:
        cap = self.cap(*key)
        return cap is None or self.used(*key) + cents <= cap

    def every_key(self) -> Iterator[Key]:
        for period in PERIODS:
            yield Scope.SITE, "", period
            yield from ((Scope.ACCOUNT, name, period) for name in self.names.values())
            yield from ((Scope.CLIENT, name, period) for name in CLIENTS)
        yield from ((Scope.BATCH, batch, Period.TOTAL) for batch in self.batches)

    def first_day(self, period: Period) -> date:
        today = day_of(self.clock.now)
        return {Period.DAY: today, Period.MONTH: today.replace(day=1), Period.TOTAL: date.min}[period]

    def over_cap(self) -> set[tuple[Key, date]]:
        return {
            (key, self.first_day(key[2]))
            for key in self.every_key()
            if (cap := self.cap(*key)) is not None and self.used(*key) > cap
        }
