"""The port `Views` in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from registre.account import AccountId
from registre.errors import Refused
from registre.job import (
    AttemptView,
    Event,
    HostView,
    JobFilter,
    JobId,
    JobListing,
    JobPage,
    JobView,
    Status,
    WorkerView,
)
from registre.ledger import FAILING_AFTER, FailingDelivery, PurchaseState
from registre.pulse import Beat, Cause, Measure, Measured, Pulse, Span
from tests.memory.state import AttemptRow, JobRow, PurchaseRow, State

ANSWERED = ("secured", "completed", "failed")


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
        if wanted.oldest_first:
            rows = rows[::-1]
        if after is not None:
            rows = [
                r
                for r in rows
                if ((r.created_at, r.id) > after if wanted.oldest_first else (r.created_at, r.id) < after)
            ]
        more = len(rows) > limit
        rows = rows[:limit]
        last = f"{rows[-1].created_at.isoformat()}|{rows[-1].id}" if rows and more else None
        return JobPage(tuple(_job(row) for row in rows), last)

    def listing(self, wanted: JobFilter, cursor: str | None, limit: int, *, count_to: int) -> JobListing:
        page, total = self.page(wanted, cursor, limit), self.count(wanted, 1_000_000)
        is_whole = wanted == JobFilter(status=wanted.status, oldest_first=wanted.oldest_first) or (
            cursor is None and page.next_cursor is None
        )
        return JobListing(page, total if is_whole else min(total, count_to), is_whole or total < count_to)

    def ids(self, wanted: JobFilter, limit: int) -> list[JobId]:
        with self._state.transaction():
            return [row.id for row in self._newest_first() if _is_wanted(row, wanted)][:limit]

    def count(self, wanted: JobFilter, limit: int) -> int:
        with self._state.transaction():
            return min(limit, sum(_is_wanted(row, wanted) for row in self._state.jobs.values()))

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

    def deeds(self, before: str | None = None, limit: int = 100) -> list[Event]:
        with self._state.transaction():
            done = [event for event in self._state.events if event.data.get("author")]
        cursors = [event.cursor for event in done]
        return done[: cursors.index(before) if before else None][::-1][:limit]

    def workers(self) -> list[WorkerView]:
        with self._state.transaction() as now:
            return [self._worker(name, *said, now) for name, said in sorted(self._state.workers.items())]

    def _worker(
        self, name: str, status: str, account_id: AccountId | None, job_id: JobId | None, at: datetime, now: datetime
    ) -> WorkerView:
        account = self._state.accounts.get(account_id) if account_id is not None else None
        alive = account is not None and account.is_leased(now)
        job = self._state.jobs.get(job_id) if job_id is not None else None
        step = job.step if job is not None and job.status is Status.RUNNING else None
        return WorkerView(
            name,
            status if alive else "offline",
            account.username if account is not None else None,
            job_id,
            at,
            at,
            step,
        )

    def hosts(self) -> list[HostView]:
        with self._state.transaction() as now:
            return [self._host(name, now) for name in sorted(self._state.hosts)]

    def _host(self, name: str, now: datetime) -> HostView:
        row = self._state.hosts[name]
        safe = [p for p in self._state.purchases.values() if p.host == name and p.state is PurchaseState.SECURED]
        since = min((p.secured_at for p in safe if p.secured_at is not None), default=None)
        owner, upkeep = f"{name}/{row.boot}", self._state.upkeep
        return HostView(
            name,
            row.version,
            row.seen_at,
            len(safe),
            since,
            row.boot,
            row.started_at,
            "stopped" if row.stopped else "alive" if row.is_alive(now) else "silent",
            sum(account.owner == owner and account.is_leased(now) for account in self._state.accounts.values()),
            upkeep is not None and upkeep[0] == owner and upkeep[1] > now,
            row.facts,
        )

    def measured(self) -> Measured:
        state = self._state
        with state.transaction() as now:
            first = [row for row in state.attempts.values() if row.number == 1]
            waits = [(row.started_at - state.jobs[row.job_id].created_at).total_seconds() for row in first]
            took: dict[str, list[float]] = {}
            for event in state.events:
                after = next((e for e in state.events if e.job_id == event.job_id and e.at > event.at), None)
                if event.kind == "job.step" and after is not None:
                    took.setdefault(event.data["step"], []).append((after.at - event.at).total_seconds())
            oldest: dict[str, float] = {}
            for job in state.jobs.values():
                if job.status is Status.WAITING:
                    age = (now - job.created_at).total_seconds()
                    oldest[job.source] = max(age, oldest.get(job.source, 0))
            running = [
                (now - job.started_at).total_seconds()
                for job in state.jobs.values()
                if job.status is Status.RUNNING and job.until is not None and job.started_at is not None
            ]
        steps = tuple(measure for name in sorted(took) if (measure := _measure(name, took[name])) is not None)
        return Measured(_measure("", waits), steps, oldest, max(running, default=None))

    def failing_deliveries(self) -> list[FailingDelivery]:
        with self._state.transaction():
            failing = [
                p
                for p in self._state.purchases.values()
                if p.state is PurchaseState.SECURED and p.failures >= FAILING_AFTER
            ]
            return [self._failing(p) for p in sorted(failing, key=lambda p: (p.secured_at or p.intended_at, p.id))]

    def _failing(self, row: PurchaseRow) -> FailingDelivery:
        assert row.secured_at is not None
        assert row.failed_at is not None
        number = self._state.jobs[row.job_id].order.request.number
        return FailingDelivery(
            row.id,
            row.job_id,
            row.host,
            row.source,
            number,
            row.secured_at,
            row.failures,
            row.failed_at,
            row.reason or "",
        )

    def expected_end(self) -> datetime | None:
        return None  # memory keeps no pace

    def last_answer(self) -> datetime | None:
        with self._state.transaction():
            return max(
                (row.ended_at for row in self._state.attempts.values() if row.ended_at and row.ending in ANSWERED),
                default=None,
            )

    def pulse(self, span: Span) -> Pulse:
        with self._state.transaction() as now:
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            step = timedelta(seconds=span.step_seconds)
            since = epoch + (now - epoch) // step * step - (span.buckets - 1) * step
            ended = [e for e in self._state.events if e.kind in ("job.completed", "job.failed") and e.at >= since]
        beats = tuple(
            Beat(start, *_told([e for e in ended if start <= e.at < start + step]))
            for start in (since + n * step for n in range(span.buckets))
        )
        return Pulse(span, *_told(ended), beats)

    def causes(self) -> list[Cause]:
        newest: dict[str, list[JobRow]] = {}
        with self._state.transaction():
            for row in self._newest_first():
                if row.status is Status.FAILED and row.error_kind:
                    newest.setdefault(row.error_kind, []).append(row)
        found = [
            Cause(
                kind,
                len(rows),
                True,
                rows[0].source,
                rows[0].error_message or "",
                rows[0].finished_at or rows[0].created_at,
            )
            for kind, rows in newest.items()
        ]
        return sorted(found, key=lambda cause: (-cause.jobs, cause.kind))

    def oldest_waiting(self) -> datetime | None:
        with self._state.transaction():
            waiting = [row.created_at for row in self._state.jobs.values() if row.status is Status.WAITING]
        return min(waiting, default=None)

    def events_after(self, cursor: str, limit: int = 500) -> list[Event]:
        start = cursor.removeprefix("0-") or "0"
        if not start.isdigit():
            raise Refused("This cursor is none of ours.")
        with self._state.transaction():
            return self._state.events[int(start) : int(start) + limit]


def _told(ended: list[Event]) -> tuple[int, int, float | None, float | None]:
    completed = [event for event in ended if event.kind == "job.completed"]
    seconds = sorted(event.data["seconds"] for event in completed if "seconds" in event.data)
    return len(completed), len(ended) - len(completed), _percentile(seconds, 0.5), _percentile(seconds, 0.95)


def _measure(name: str, seconds: list[float]) -> Measure | None:
    p50 = _percentile(sorted(seconds), 0.5)
    return None if p50 is None else Measure(name, len(seconds), p50, _percentile(sorted(seconds), 0.95))


def _percentile(found: list[float], share: float) -> float | None:
    """Between the two nearest, as PostgreSQL's percentile_cont."""
    if not found:
        return None
    whole, part = divmod(share * (len(found) - 1), 1)
    low, high = found[int(whole)], found[min(int(whole) + 1, len(found) - 1)]
    return float(low + part * (high - low))


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
        and wanted.number in (None, row.order.request.number_normalized)
        and wanted.circonscription in (None, row.order.request.circonscription)
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
