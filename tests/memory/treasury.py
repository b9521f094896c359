"""The port `Treasury` in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import date

from registre.budget import BUDGETS, Budget, CostBy, CostLine, Fee, Period
from registre.errors import InvalidInput, NotFound
from registre.gates import Scope
from registre.job import JobId
from registre.ledger import PurchaseState
from tests.memory.money import BOUGHT, EVERYBODY, UNDER_WAY, day_of, names_of, use_key
from tests.memory.state import JOBS_CHANNEL, JobRow, State


class MemoryTreasury:
    """Implements `registre.ports.Treasury`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def fees(self) -> list[Fee]:
        with self._state.transaction():
            return [Fee(source, day, cents) for (source, day), cents in sorted(self._state.fees.items())]

    def set_fee(self, source: str, valid_from: date, cents: int, author: str) -> None:
        if cents < 0:
            raise InvalidInput("cents", "a fee cannot be negative.")
        with self._state.transaction() as now:
            self._state.fees[source, valid_from] = cents
            self._state.tell(
                "fee.set", None, now, source=source, valid_from=valid_from.isoformat(), cents=cents, author=author
            )

    def budgets(self) -> list[Budget]:
        with self._state.transaction() as now:
            state = self._state

            def used(scope: Scope, name: str, period: Period) -> int:
                if name != EVERYBODY:
                    return state.used[use_key(scope, name, period, now)]
                others = [n for n in names_of(state, scope) if (scope, n, period) not in state.caps]
                return max((state.used[use_key(scope, n, period, now)] for n in others), default=0)

            return [
                Budget(scope, name, period, cap, used(scope, name, period))
                for (scope, name, period), cap in sorted(state.caps.items())
            ]

    def set_budget(self, scope: Scope, name: str, period: Period, cap_cents: int | None, author: str) -> None:
        if period not in BUDGETS.get(scope, ()):
            raise InvalidInput("period", f"there is no {period} budget of a {scope}.")
        if cap_cents is not None and cap_cents < 0:
            raise InvalidInput("cap_cents", "a budget cannot be negative.")
        with self._state.transaction() as now:
            if cap_cents is None:
                if self._state.caps.pop((scope, name, period), None) is None:
                    raise NotFound("There is no such budget.")
            else:
                self._state.caps[scope, name, period] = cap_cents
            self._state.tell(
                "budget.set",
                None,
                now,
                scope=str(scope),
                name=name,
                period=str(period),
                cap_cents=cap_cents,
                author=author,
            )
            self._state.ring(JOBS_CHANNEL)

    def costs(self, first: date, last: date, by: CostBy) -> list[CostLine]:
        with self._state.transaction():
            sums: dict[str, Counter[str]] = {}
            for key, column, cents in self._entries(first, last, by):
                sums.setdefault(key, Counter()).update({column: 1, f"{column}_cents": cents})
            columns = [column.name for column in fields(CostLine)[1:]]
            return [CostLine(key, *(line[column] for column in columns)) for key, line in sorted(sums.items())]

    def _entries(self, first: date, last: date, by: CostBy) -> Iterator[tuple[str, str, int]]:
        """(key, column, cents) of each purchase by the day it was intended, of each reuse by the day it ended."""
        for line in self._state.purchases.values():
            day = day_of(line.intended_at)
            if line.state is not PurchaseState.VOID and first <= day <= last:
                username = self._state.username(line.account_id)
                yield self._key(by, line.job_id, day, username), _column(line.state), line.fee_cents
        for job in self._state.jobs.values():
            if job.reused and job.finished_at is not None and first <= day_of(job.finished_at) <= last:
                yield self._key(by, job.id, day_of(job.finished_at), ""), "reused", 0

    def _key(self, by: CostBy, job_id: JobId, day: date, username: str) -> str:
        job: JobRow = self._state.jobs[job_id]
        return {
            CostBy.DAY: day.isoformat(),
            CostBy.ACCOUNT: username,
            CostBy.CLIENT: job.client,
            CostBy.SOURCE: job.source,
            CostBy.BATCH: job.batch_id or "",
        }[by]


def _column(state: PurchaseState) -> str:
    if state in BOUGHT:
        return "documents"
    return "reserved" if state in UNDER_WAY else "ambiguous"
