"""What people look at, and what hosts say of themselves, over the gateway (sql/02, 05, 09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from registre.account import AccountId
from registre.database.gateway import Gateway, Json
from registre.errors import NotFound, Refused
from registre.job import (
    AttemptView,
    Event,
    HostFacts,
    HostView,
    JobFilter,
    JobId,
    JobListing,
    JobPage,
    JobView,
    Status,
    WorkerView,
)
from registre.ledger import FailingDelivery
from registre.pulse import MOST_COUNTED, Beat, Cause, Measure, Measured, Pulse, Span
from registre.store.rows import request_of

_STATUSES = {str(status): status for status in Status}


class Reading:
    """Implements `registre.ports.Views`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def job(self, job_id: JobId) -> JobView:
        rows = self._gateway.call("job_as_seen", id=job_id)
        if not rows:
            raise NotFound(f"No job has the id {job_id}.")
        return _job(rows[0])

    def jobs(self, status: Status | None = None, limit: int = 100) -> list[JobView]:
        return list(self.page(JobFilter(status=status), limit=limit).jobs)

    def page(self, wanted: JobFilter, cursor: str | None = None, limit: int = 100) -> JobPage:
        return _page(
            self._gateway.call(
                "page_of_jobs", **_asked(wanted), **_from(cursor), limit=limit + 1, oldest=wanted.oldest_first
            ),
            limit,
        )

    def listing(self, wanted: JobFilter, cursor: str | None, limit: int, *, count_to: int) -> JobListing:
        rows = self._gateway.call(
            "listing",
            **_asked(wanted),
            **_from(cursor),
            limit=limit + 1,
            count_to=count_to,
            oldest=wanted.oldest_first,
        )
        page = _page(rows, limit)
        is_counted = wanted == JobFilter(status=wanted.status, oldest_first=wanted.oldest_first)
        if cursor is None and page.next_cursor is None:
            return JobListing(page, len(page.jobs), True)
        # Past the end no row tells it.
        total = int(rows[0]["total"]) if rows else self._total(wanted, count_to)
        return JobListing(page, total, is_counted or total < count_to)

    def _total(self, wanted: JobFilter, count_to: int) -> int:
        if wanted != JobFilter(status=wanted.status):
            return self.count(wanted, count_to)
        counts = self.counts()
        return sum(counts.values()) if wanted.status is None else counts[wanted.status]

    def ids(self, wanted: JobFilter, limit: int) -> list[JobId]:
        return [JobId(str(row["id"])) for row in self._gateway.call("ids_of_jobs", **_asked(wanted), limit=limit)]

    def count(self, wanted: JobFilter, limit: int) -> int:
        return int(self._gateway.call("count_page", **_asked(wanted), limit=limit)[0]["count_page"])

    def counts(self) -> dict[Status, int]:
        found = {row["status"]: row["jobs"] for row in self._gateway.call("count_jobs")}
        return {status: found.get(status, 0) for status in Status}

    def attempts(self, job_id: JobId) -> list[AttemptView]:
        return [AttemptView(**row) for row in self._gateway.call("attempts_as_seen", job=job_id)]

    def story(self, job_id: JobId) -> list[Event]:
        return [_event(row) for row in self._gateway.call("job_events", job=job_id)]

    def events_after(self, cursor: str, limit: int = 500) -> list[Event]:
        return [_event(row) for row in self._gateway.call("events_after", cursor=cursor, limit=limit)]

    def events_end(self) -> str:
        last = self.last_events(1)
        return last[0].cursor if last else ""

    def last_events(self, limit: int) -> list[Event]:
        return [_event(row) for row in self._gateway.call("last_events", limit=limit)][::-1]

    def deeds(self, before: str | None = None, limit: int = 100) -> list[Event]:
        number = int(before.rpartition("-")[2]) if before else None
        return [_event(row) for row in self._gateway.call("deeds", before=number, limit=limit)]

    def workers(self) -> list[WorkerView]:
        return [
            WorkerView(
                worker_id=row["worker"],
                status=row["status"],
                account=row["account"],
                job_id=JobId(str(row["job_id"])) if row["job_id"] else None,
                last_heartbeat=row["heartbeat"],
                started_at=row["started_at"],
                step=row["step"],
            )
            for row in self._gateway.call("workers_as_seen")
        ]

    def hosts(self) -> list[HostView]:
        rows = self._gateway.call("hosts_as_seen")
        return [HostView(**{**row, "facts": HostFacts(**row["facts"])}) for row in rows]

    def measured(self) -> Measured:
        found: dict[str, list[Measure]] = {"wait": [], "step": [], "oldest": [], "running": []}
        for row in self._gateway.call("measured"):
            found[row["what"]].append(Measure(row["name"] or "", row["number"], row["p50"], row["p95"]))
        return Measured(
            next(iter(found["wait"]), None),
            tuple(found["step"]),
            {each.name: each.p50_seconds for each in found["oldest"]},
            found["running"][0].p50_seconds if found["running"] else None,
        )

    def failing_deliveries(self) -> list[FailingDelivery]:
        return [FailingDelivery(**row) for row in self._gateway.call("failing_deliveries")]

    def expected_end(self) -> datetime | None:
        found: datetime | None = self._gateway.call("expected_end")[0]["expected_end"]
        return found

    def last_answer(self) -> datetime | None:
        found: datetime | None = self._gateway.call("last_answer")[0]["last_answer"]
        return found

    def pulse(self, span: Span) -> Pulse:
        *beats, whole = self._gateway.call("pulse", step_seconds=float(span.step_seconds), buckets=span.buckets)
        return Pulse(
            span,
            whole["completed"],
            whole["failed"],
            whole["p50_seconds"],
            whole["p95_seconds"],
            tuple(Beat(**row) for row in beats),
        )

    def causes(self) -> list[Cause]:
        rows = self._gateway.call("causes", limit=MOST_COUNTED + 1)
        found = [
            Cause(
                row["kind"],
                min(row["jobs"], MOST_COUNTED),
                row["jobs"] <= MOST_COUNTED,
                row["source"],
                row["message"] or "",
                row["at"],
            )
            for row in rows
        ]
        return sorted(found, key=lambda cause: (-cause.jobs, cause.kind))

    def oldest_waiting(self) -> datetime | None:
        found: datetime | None = self._gateway.call("oldest_waiting")[0]["oldest_waiting"]
        return found


class Hosts:
    """Implements `registre.ports.Fleet`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def register_host(
        self, host: str, boot: str, version: str, home: str | None = None, visibility: timedelta = timedelta(minutes=1)
    ) -> None:
        self._gateway.call(
            "register_host",
            host=host,
            boot=boot,
            version=version,
            id=home,
            visibility_seconds=visibility.total_seconds(),
        )

    def leave(self, owner: str) -> None:
        self._gateway.call("leave_host", owner=owner)

    def note_facts(self, owner: str, facts: HostFacts) -> None:
        self._gateway.call("note_host", owner=owner, facts=Json(asdict(facts)))

    def take_upkeep(self, owner: str, duration: timedelta) -> bool:
        taken = self._gateway.call("take_upkeep", owner=owner, seconds=duration.total_seconds())
        return bool(taken[0]["take_upkeep"])

    def forget_history(self) -> int:
        return int(self._gateway.call("forget_history")[0]["forget_history"])

    def report_worker(self, worker: str, status: str, account_id: AccountId | None, job_id: JobId | None) -> None:
        self._gateway.call("report_worker", worker=worker, status=status, account=account_id, job=job_id)


def _asked(wanted: JobFilter) -> dict[str, str | None]:
    """A choice as the functions of listings take it."""
    return {
        "status": wanted.status and str(wanted.status),
        "source": wanted.source,
        "client": wanted.client,
        "batch": wanted.batch_id,
        "kind": wanted.error_kind,
        "number": wanted.number,
        "place": wanted.circonscription,
    }


def _from(cursor: str | None) -> dict[str, datetime | str | None]:
    """A place in a listing as its functions take it."""
    before_at, before_id = _place(cursor) if cursor else (None, None)
    return {"before_at": before_at, "before_id": before_id}


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> JobPage:
    """A page from its rows, and one more when there is a next."""
    jobs = tuple(_job(row) for row in rows[:limit])
    more = len(rows) > limit
    return JobPage(jobs, f"{jobs[-1].created_at.isoformat()}_{jobs[-1].id}" if more else None)


def _place(cursor: str) -> tuple[datetime, str]:
    """Where the page before ended: the instant and id of its last job."""
    at, _, job_id = cursor.partition("_")
    try:
        return datetime.fromisoformat(at), str(UUID(job_id))
    except ValueError:
        raise Refused("This is no cursor of a listing.") from None


def _job(row: Mapping[str, Any]) -> JobView:
    return JobView(
        id=row["id"],
        status=_STATUSES[row["status"]],
        request=request_of(row),
        client=row["client"],
        batch_id=row["batch_id"],
        priority=row["priority"],
        worker_id=row["worker_id"],
        attempts=row["attempts"],
        max_attempts=row["max_attempts"],
        rescues=row["rescues"],
        supabase_path=row["supabase_path"],
        error_kind=row["error_kind"],
        error_message=row["error_message"],
        notes=tuple(row["notes"]),
        cost_cents=row["cost_cents"],
        step=row["step"],
        next_attempt_at=row["next_attempt_at"],
        wait_reason=row["wait_reason"],
        deadline=row["deadline"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        needs_review=row["needs_review"],
    )


def _event(row: Mapping[str, Any]) -> Event:
    job_id = row["job_id"]
    return Event(row["cursor"], row["at"], row["kind"], JobId(str(job_id)) if job_id else None, row["data"])
