"""The queue over the gateway: each method is one SQL function (sql/03, 05, 07, 08)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from registre.account import AccountId, Seat
from registre.database.gateway import Gateway, Json
from registre.errors import ErrorKind
from registre.job import JobId, Lease, LeaseToken, Order, Renewal, Settlement
from registre.store.rows import order_fields, request_of

JOBS_CHANNEL = "registre_jobs"
EVENTS_CHANNEL = "registre_events"


class Jobs:
    """Implements `registre.ports.JobQueue`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def submit(self, orders: Sequence[Order]) -> list[JobId]:
        rows = self._gateway.call("submit_jobs", orders=Json([order_fields(o) for o in orders]))
        return [JobId(str(row["id"])) for row in rows]

    def lease_next(self, owner: str, seats: Sequence[Seat], visibility: timedelta) -> list[Lease]:
        rows = self._gateway.call(
            "lease_next",
            owner=owner,
            seats=Json([{"account": s.account_id, "token": s.token, "worker": s.worker} for s in seats]),
            visibility_seconds=visibility.total_seconds(),
        )
        return [
            Lease(
                job_id=JobId(str(row["id"])),
                token=LeaseToken(row["token"]),
                owner=owner,
                account_id=AccountId(row["account_id"]),
                until=row["until"],
                attempt=row["attempt"],
                max_attempts=row["max_attempts"],
                request=request_of(row),
            )
            for row in rows
        ]

    def renew(self, owner: str, jobs: Sequence[Lease], seats: Sequence[Seat], visibility: timedelta) -> Renewal:
        rows = self._gateway.call(
            "renew",
            owner=owner,
            jobs=Json([{"id": j.job_id, "token": j.token} for j in jobs]),
            accounts=Json([{"id": s.account_id, "token": s.token} for s in seats]),
            visibility_seconds=visibility.total_seconds(),
        )
        return Renewal(
            jobs=frozenset(JobId(row["id"]) for row in rows if row["kind"] == "job"),
            accounts=frozenset(AccountId(row["id"]) for row in rows if row["kind"] == "account"),
            cancelled=frozenset(JobId(row["id"]) for row in rows if row["cancel_requested"]),
            overdue=frozenset(JobId(row["id"]) for row in rows if row["overdue"]),
        )

    def note_step(self, lease: Lease, step: str) -> None:
        self._gateway.call("note_step", job=lease.job_id, token=lease.token, step=step)

    def release(self, lease: Lease, message: str) -> None:
        self._gateway.call("release_job", job=lease.job_id, token=lease.token, message=message)

    def snooze(
        self, lease: Lease, delay: timedelta, message: str, *, kind: ErrorKind | None = None, rescued: bool = False
    ) -> None:
        self._gateway.call(
            "snooze_job",
            job=lease.job_id,
            token=lease.token,
            delay_seconds=delay.total_seconds(),
            message=message,
            rescued=rescued,
            kind=kind and str(kind),
        )

    def retry(self, lease: Lease, kind: ErrorKind, message: str, delay: timedelta) -> None:
        self._gateway.call(
            "retry_job",
            job=lease.job_id,
            token=lease.token,
            kind=str(kind),
            message=message,
            delay_seconds=delay.total_seconds(),
        )

    def fail(self, lease: Lease, kind: ErrorKind, message: str, *, needs_review: bool = False) -> None:
        self._gateway.call(
            "fail_job",
            job=lease.job_id,
            token=lease.token,
            kind=str(kind),
            message=message,
            needs_review=needs_review,
        )

    def note_evidence(self, lease: Lease, place: str) -> None:
        self._gateway.call("note_evidence", job=lease.job_id, token=lease.token, evidence=place)

    def reclaim(
        self, backoff: timedelta, host_gone: timedelta, legacy: timedelta, limit: int = 100
    ) -> list[tuple[JobId, str]]:
        rows = self._gateway.call(
            "reclaim",
            backoff_seconds=backoff.total_seconds(),
            host_gone_seconds=host_gone.total_seconds(),
            legacy_seconds=legacy.total_seconds(),
            limit=limit,
        )
        return [(JobId(str(row["id"])), row["outcome"]) for row in rows]

    def requeue(self, job_id: JobId, author: str) -> None:
        self._gateway.call("requeue_job", job=job_id, author=author)

    def cancel(self, job_id: JobId, author: str) -> str:
        return str(self._gateway.call("cancel_job", job=job_id, author=author)[0]["cancel_job"])

    def settle(self, job_id: JobId, decision: Settlement, author: str, *, billed: bool = True) -> None:
        self._gateway.call("settle", job=job_id, decision=str(decision), author=author, billed=billed)

    def listen(self, ring: Callable[[str, str], None]) -> Callable[[], None]:
        return self._gateway.listen((JOBS_CHANNEL, EVENTS_CHANNEL), ring)
