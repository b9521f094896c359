"""The port `Idleness` in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from registre.gates import Scope
from registre.idleness import IdleEnd, LearntLimit
from registre.job import Status
from tests.memory.closures import closures, holds
from tests.memory.state import State

FLOOR = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(days=7)
SAME_CAUSE = timedelta(minutes=10)


class MemoryIdleness:
    """Implements `registre.ports.Idleness`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._learnt = LearntLimit(None, None, timedelta(0))
        self._doubt: tuple[timedelta, datetime] | None = None

    def limit(self, assumed: timedelta) -> timedelta:
        with self._state.transaction() as now:
            return self._limit(assumed, now)

    def note(self, end: IdleEnd, assumed: timedelta) -> timedelta:
        idle = timedelta(seconds=end.seconds)
        with self._state.transaction() as now:
            limit, longest = self._limit(assumed, now), self._learnt.survived
            if end.survived:
                new, longest = max(limit, idle), max(longest, idle)
                if self._doubt and self._doubt[0] <= idle:
                    self._doubt = None
            else:
                new = min(limit, max(FLOOR, idle))
                if new < limit and idle <= longest and (not self._doubt or self._doubt[1] > now - SAME_CAUSE):
                    self._doubt = (idle, self._doubt[1] if self._doubt else now)
                    return limit
            if new == limit:
                self._learnt = LearntLimit(self._learnt.limit, self._learnt.learnt_at, longest)
                return limit
            self._learnt = LearntLimit(new, now, longest if end.survived else min(longest, idle))
            self._doubt = None
            self._state.tell(
                "idle_limit.learnt", None, now, seconds=new.total_seconds(), before=limit.total_seconds(),
                idle_seconds=end.seconds, survived=end.survived,
            )  # fmt: skip
            return new

    def learnt(self) -> LearntLimit:
        with self._state.transaction():
            return self._learnt

    def work_due(self, username: str, within: timedelta) -> bool:
        with self._state.transaction() as now:
            soon = now + within
            shut = [closed for closed in closures(self._state, now) if closed.until is None or closed.until > soon]
            if any(closed.scope is Scope.ACCOUNT and closed.name == username for closed in shut):
                return False
            return any(
                job.status == Status.WAITING
                and (job.next_attempt_at is None or job.next_attempt_at <= soon)
                and not any(holds(closed, job) for closed in shut)
                for job in self._state.jobs.values()
            )

    def _limit(self, assumed: timedelta, now: datetime) -> timedelta:
        learnt = self._learnt
        if learnt.limit is None or learnt.learnt_at is None:
            return assumed
        return learnt.limit if learnt.limit >= assumed or learnt.learnt_at > now - FORGOTTEN_AFTER else assumed
