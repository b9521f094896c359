"""A job's life: its status, its lease, and the arrows between them.

Invariant: the state machine stands once, as data, in `ARROWS`; each SQL function guards its own arrow, and the chart
of `docs/architecture.md` is drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from registre.account import AccountId
from registre.document import DocumentRequest

JobId = NewType("JobId", str)
"""UUID of an `extraction_queue` row, as text."""

LeaseToken = NewType("LeaseToken", int)
"""Rises by one at each lease of a job; a write with an older token changes nothing."""


class Status(StrEnum):
    """`extraction_queue.status`: the four words of the contract. Everything finer is other columns."""

    WAITING = "En attente"
    RUNNING = "En traitement"
    DONE = "Complété"
    FAILED = "Erreur"


ARROWS: dict[str, tuple[tuple[Status, Status], ...]] = {
    "lease_next": ((Status.WAITING, Status.RUNNING),),
    "release_job": ((Status.RUNNING, Status.WAITING), (Status.RUNNING, Status.FAILED)),
    "snooze_job": ((Status.RUNNING, Status.WAITING), (Status.RUNNING, Status.FAILED)),
    "retry_job": ((Status.RUNNING, Status.WAITING), (Status.RUNNING, Status.FAILED)),
    "fail_job": ((Status.RUNNING, Status.FAILED),),
    "mark_ambiguous": ((Status.RUNNING, Status.FAILED), (Status.RUNNING, Status.WAITING)),
    "lose_purchase": (
        (Status.RUNNING, Status.FAILED),
        (Status.RUNNING, Status.WAITING),
        (Status.FAILED, Status.WAITING),
    ),
    "reclaim": ((Status.RUNNING, Status.WAITING), (Status.RUNNING, Status.FAILED)),
    "deliver": ((Status.RUNNING, Status.DONE), (Status.WAITING, Status.DONE), (Status.FAILED, Status.DONE)),
    "reuse": ((Status.WAITING, Status.DONE), (Status.RUNNING, Status.DONE)),
    "requeue_job": ((Status.FAILED, Status.WAITING),),
    "settle": ((Status.FAILED, Status.WAITING),),
    "cancel_job": ((Status.WAITING, Status.FAILED),),
    "expire_job": ((Status.WAITING, Status.FAILED),),
}
"""SQL function → the moves it may make. `reuse` serves an order with a document already owned. `mark_ambiguous` and
`lose_purchase` lead to 'En attente' as often a day as the rules let a document be bought again. `deliver` leaves 'Erreur' only
for a document that was bought and found again, and 'En attente' only for one that another program had put back meanwhile."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a person or program submits: one document, and how it is to be served."""

    request: DocumentRequest
    client: str = ""
    priority: int = 0
    max_attempts: int = 3
    fresh: bool = False
    """Buy even if the document is already owned."""
    not_before: datetime | None = None
    deadline: datetime | None = None
    """An order not started by then ends in 'Erreur'."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job until `until`, and the fence of every write about it."""

    job_id: JobId
    token: LeaseToken
    owner: str
    account_id: AccountId
    until: datetime
    attempt: int
    max_attempts: int
    request: DocumentRequest


@dataclass(frozen=True, slots=True)
class Renewal:
    """What one renewal of a host kept. `cancelled` are jobs a person asked to stop, `overdue` those whose attempt has run past
    its own deadline: renewed for a last time, so that they can be stopped in order."""

    jobs: frozenset[JobId]
    accounts: frozenset[AccountId]
    cancelled: frozenset[JobId]
    overdue: frozenset[JobId] = frozenset()


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One lease of a job, from start to end."""

    number: int
    owner: str
    account: str
    started_at: datetime
    ended_at: datetime | None
    ending: str | None
    error_kind: str | None
    message: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class JobView:
    """One row of the queue as people see it. `wait_reason` says why it was put off the last time, `needs_review` that the site
    ended it with a sentence nobody has classed."""

    id: JobId
    status: Status
    request: DocumentRequest
    client: str
    batch_id: str | None
    priority: int
    worker_id: str | None
    attempts: int
    max_attempts: int
    rescues: int
    supabase_path: str | None
    error_kind: str | None
    error_message: str | None
    notes: tuple[str, ...]
    cost_cents: int
    step: str | None
    next_attempt_at: datetime | None
    wait_reason: str | None
    deadline: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    needs_review: bool = False


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a listing shows; what is None does not narrow it."""

    status: Status | None = None
    source: str | None = None
    client: str | None = None
    batch_id: str | None = None
    error_kind: str | None = None
    number: str | None = None
    """Normalised."""
    circonscription: str | None = None
    """As it was ordered."""
    oldest_first: bool = False
    """Which end the list begins at; it holds the same."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker as people see it; `status` is its own word while it is alive, else 'offline'."""

    worker_id: str
    status: str
    account: str | None
    job_id: JobId | None
    last_heartbeat: datetime | None
    started_at: datetime | None
    step: str | None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a worker last said of its machine: the memory of all its processes, its browsers' sessions, the room of its spool's
    disk; None until it has."""

    memory_bytes: int | None = None
    sessions: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class HostView:
    """One host as people see it. `seen_at` is its last renewal; `undelivered` are the documents in its spool, of which the ledger
    knows that they are safe there and not yet in their bucket. `state` is 'alive' while it renews, 'silent' when it stopped to
    without a word, 'stopped' after a drain; `accounts` are those it holds."""

    host: str
    version: str
    seen_at: datetime
    undelivered: int
    oldest_undelivered_at: datetime | None
    boot: str
    started_at: datetime
    state: str
    accounts: int
    does_upkeep: bool
    facts: HostFacts


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of a listing, newest first; `next_cursor` is None on the last."""

    jobs: tuple[JobView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JobListing:
    """A page, and how many its whole listing holds; `total` is a least number when it is not exact."""

    page: JobPage
    total: int
    total_is_exact: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a worker logged about an order; no secret is in it."""

    job_id: JobId
    at: datetime
    host: str
    level: str
    text: str


class Settlement(StrEnum):
    """What a person decides about a purchase nobody could tell the end of."""

    REBUY = "rebuy"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact, written in the transaction that made it true. `cursor` orders facts as they became visible."""

    cursor: str
    at: datetime
    kind: str
    job_id: JobId | None
    data: dict[str, Any]
