"""The port `Views` in memory."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from registre.errors import Refused
from registre.job import AttemptView, Event, JobFilter, JobId, JobPage, JobView, Status
from tests.memory.state import AttemptRow, JobRow, State


class MemoryViews:
    """Implements `registre.ports.Views`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def job(self, job_id: JobId) -> JobView:
        with self._state.transaction():
            return _job(self._state.job(job_id))

    def jobs(self, status: Status | None = None, limit: int = 100) -> list[JobView]:
        return list(self.page(JobFilter(status=status), limit=limit).jobs)

    def page(self, wanted: JobFilter, cursor: str | None = None, limit: int = 100) -> JobPage:
        after = _place(cursor) if cursor is not None else None
        with self._state.transaction():
            rows = [row for row in self._newest_first() if _is_wanted(row, wanted)]
        if after is not None:
            instant, job_id = after
            rows = [r for r in rows if (r.created_at, r.id) < (instant, job_id)]
        more = len(rows) > limit
        rows = rows[:limit]
        last = f"{rows[-1].created_at.isoformat()}|{rows[-1].id}" if rows and more else None
        return JobPage(tuple(_job(row) for row in rows), last)

    def _newest_first(self) -> list[JobRow]:
        return sorted(self._state.jobs.values(), key=lambda row: (row.created_at, row.id), reverse=True)

    def counts(self) -> dict[Status, int]:
        with self._state.transaction():
            found = [row.status for row in self._state.jobs.values()]
            return {status: found.count(status) for status in Status}

    def attempts(self, job_id: JobId) -> list[AttemptView]:
        with self._state.transaction():
            rows = [row for row in self._state.attempts.values() if row.job_id == job_id]
            return [self._attempt(row) for row in sorted(rows, key=lambda row: row.token)]

    def _attempt(self, row: AttemptRow) -> AttemptView:
        return AttemptView(
            row.number,
            row.owner,
            self._state.username(row.account_id),
            row.started_at,
            row.ended_at,
            row.ending,
            row.error_kind,
            row.message,
            row.evidence,
        )

    def story(self, job_id: JobId) -> list[Event]:
        with self._state.transaction():
            return [event for event in self._state.events if event.job_id == job_id]

    def events_end(self) -> str:
        last = self.last_events(1)
        return last[0].cursor if last else ""

    def last_events(self, limit: int) -> list[Event]:
        with self._state.transaction():
            return self._state.events[-limit:]

    def events_after(self, cursor: str, limit: int = 500) -> list[Event]:
        start = cursor.removeprefix("0-") or "0"
        if not start.isdigit():
            raise Refused("This cursor is none of ours.")
        with self._state.transaction():
            return self._state.events[int(start) : int(start) + limit]


def _place(cursor: str) -> tuple[datetime, str]:
    instant, _, job_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(instant), job_id
    except ValueError:
        raise Refused("This cursor is none of ours.") from None


def _is_wanted(row: JobRow, wanted: JobFilter) -> bool:
    return (
        wanted.status in (None, row.status)
        and wanted.source in (None, row.source)
        and wanted.client in (None, row.client)
        and wanted.batch_id in (None, row.batch_id)
        and wanted.error_kind in (None, row.error_kind)
    )


def _job(row: JobRow) -> JobView:
    return JobView(
        id=row.id,
        status=row.status,
        request=row.order.request,
        client=row.client,
        batch_id=cast("str | None", row.batch_id),
        priority=row.order.priority,
        worker_id=row.worker,
        attempts=row.attempts,
        max_attempts=row.order.max_attempts,
        rescues=row.rescues,
        supabase_path=row.path,
        error_kind=row.error_kind,
        error_message=row.error_message,
        notes=tuple(row.notes),
        cost_cents=row.cost_cents,
        step=row.step,
        next_attempt_at=row.next_attempt_at,
        wait_reason=row.wait_reason,
        deadline=row.order.deadline,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        needs_review=row.needs_review,
    )
