"""What people look at, and what hosts say of themselves, over the gateway (sql/02, 05, 09)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registre.account import AccountId
from registre.database.gateway import Gateway
from registre.errors import NotFound
from registre.job import AttemptView, Event, JobId, JobView, Status
from registre.store.rows import request_of


class Reading:
    """Implements `registre.ports.Views`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def job(self, job_id: JobId) -> JobView:
        rows = self._gateway.call("jobs_as_seen", id=job_id)
        if not rows:
            raise NotFound(f"No job has the id {job_id}.")
        return _job(rows[0])

    def jobs(self, status: Status | None = None, limit: int = 100) -> list[JobView]:
        return [_job(row) for row in self._gateway.call("jobs_as_seen", status=status and str(status), limit=limit)]

    def counts(self) -> dict[Status, int]:
        found = {row["status"]: row["jobs"] for row in self._gateway.call("count_jobs")}
        return {status: found.get(status, 0) for status in Status}

    def attempts(self, job_id: JobId) -> list[AttemptView]:
        return [AttemptView(**row) for row in self._gateway.call("attempts_as_seen", job=job_id)]

    def story(self, job_id: JobId) -> list[Event]:
        return [_event(row) for row in self._gateway.call("job_events", job=job_id)]

    def events_after(self, cursor: str, limit: int = 500) -> list[Event]:
        return [_event(row) for row in self._gateway.call("events_after", cursor=cursor, limit=limit)]


class Hosts:
    """Implements `registre.ports.Fleet`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def register_host(self, host: str, boot: str, version: str) -> None:
        self._gateway.call("register_host", host=host, boot=boot, version=version)

    def report_worker(self, worker: str, status: str, account_id: AccountId | None, job_id: JobId | None) -> None:
        self._gateway.call("report_worker", worker=worker, status=status, account=account_id, job=job_id)


def _job(row: Mapping[str, Any]) -> JobView:
    return JobView(
        id=JobId(str(row["id"])),
        status=Status(row["status"]),
        request=request_of(row),
        client=row["client"],
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
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _event(row: Mapping[str, Any]) -> Event:
    job_id = row["job_id"]
    return Event(row["cursor"], row["at"], row["kind"], JobId(str(job_id)) if job_id else None, row["data"])
