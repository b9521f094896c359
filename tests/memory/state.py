"""What the database in memory holds: its rows, one lock, one clock.

Invariant: a port's method runs whole under the lock and at one instant; it checks before it writes, so a refusal leaves
nothing behind; bells ring after it, when what it wrote can be read.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID, uuid4

from registre.access import KeyView
from registre.account import AccountId, SignInTest
from registre.alerts import AlertView
from registre.batch import BatchId, NewBatch
from registre.budget import Period
from registre.document import Source
from registre.errors import NotFound, Refused
from registre.forms import SeenForm
from registre.gates import Pause, Rules, Scope, ServiceHours
from registre.job import Event, HostFacts, JobId, LogLine, Order, Status
from registre.ledger import PurchaseId, PurchaseState
from registre.repeats import Outcome
from registre.sentences import Sentence
from registre.webhooks import NewWebhook, NoticeId, NoticeState, NoticeView, WebhookId

Id = TypeVar("Id", bound=str)
Row = TypeVar("Row")

JOBS_CHANNEL = "registre_jobs"
EVENTS_CHANNEL = "registre_events"

RULES = Rules(
    pace_seconds=0.0,
    last_start_seconds=300,
    attempt_seconds=600,
    fresh_index_hours=24,
    fresh_plan_hours=720,
    approval_above_cents=None,
    rebuys_per_day=0,
    breaker_failures=3,
    notice_days=30,
    alert_backlog_minutes=10,
    alert_failures=10,
    alert_budget_percent=80,
    alert_spool_minutes=30,
    alert_spool_documents=50,
    history_days=None,
)
"""The rules of a new database in memory: the quietest ones, so that a test says what it needs."""

OPEN = (PurchaseState.INTENDED, PurchaseState.CHARGED, PurchaseState.SECURED)
"""A purchase whose end is still to come: its job may not end by other means."""

UseKey = tuple[Scope, str, Period, date | None]
"""Whose use, and the first day of its period (None: a total)."""


@dataclass(slots=True)
class JobRow:
    """One row of the queue."""

    id: JobId
    order: Order
    client: str
    batch_id: BatchId | None
    identity: str
    created_at: datetime
    position: float = 0
    status: Status = Status.WAITING
    attempts: int = 0
    rescues: int = 0
    next_attempt_at: datetime | None = None
    wait_reason: str | None = None
    owner: str | None = None
    token: int = 0
    until: datetime | None = None
    attempt_until: datetime | None = None
    account_id: AccountId | None = None
    worker: str | None = None
    step: str | None = None
    cancel_requested_at: datetime | None = None
    purchase_id: PurchaseId | None = None
    path: str | None = None
    cost_cents: int = 0
    reused: bool = False
    error_kind: str | None = None
    error_message: str | None = None
    needs_review: bool = False
    notes: list[str] = field(default_factory=list)
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def source(self) -> str:
        return str(self.order.request.source)


@dataclass(slots=True)
class AttemptRow:
    """One lease of a job."""

    job_id: JobId
    token: int
    number: int
    owner: str
    account_id: AccountId
    started_at: datetime
    ended_at: datetime | None = None
    ending: str | None = None
    error_kind: str | None = None
    message: str | None = None
    evidence: str | None = None


@dataclass(slots=True)
class PurchaseRow:
    """One line of the ledger. `uses` are the budgets its fee is reserved in."""

    id: PurchaseId
    job_id: JobId
    token: int
    account_id: AccountId
    host: str
    identity: str
    source: str
    fee_cents: int
    intended_at: datetime
    uses: tuple[UseKey, ...]
    state: PurchaseState = PurchaseState.INTENDED
    charged_at: datetime | None = None
    secured_at: datetime | None = None
    delivered_at: datetime | None = None
    settled_at: datetime | None = None
    settlement: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    pages: int | None = None
    path: str | None = None
    reason: str | None = None
    failures: int = 0
    failed_at: datetime | None = None


@dataclass(slots=True)
class AccountRow:
    """One registry account. `ready_at` is when its pace allows the next order."""

    id: AccountId
    username: str
    password: str = field(repr=False)
    sealed: str | None = field(default=None, repr=False)
    is_active: bool = True
    owner: str | None = None
    token: int = 0
    until: datetime | None = None
    last_used: datetime | None = None
    ready_at: datetime | None = None
    failure_count: int = 0
    set_aside_reason: str | None = None
    set_aside_until: datetime | None = None
    test: SignInTest | None = None
    test_token: int | None = None
    """The lease under which the test is made."""

    @property
    def awaits_test(self) -> bool:
        return self.test is not None and self.test.ended_at is None

    def is_set_aside(self, now: datetime) -> bool:
        return self.set_aside_reason is not None and (self.set_aside_until is None or self.set_aside_until > now)

    def is_leased(self, now: datetime) -> bool:
        return self.until is not None and self.until > now


@dataclass(slots=True)
class BatchRow:
    """One batch; its jobs name it."""

    id: BatchId
    new: NewBatch
    created_at: datetime
    price_cents: int
    waits_for_approval: bool
    approved_at: datetime | None = None
    approved_by: str | None = None


@dataclass(slots=True)
class KeyRow:
    """One key of the HTTP API."""

    view: KeyView
    digest: str


@dataclass(slots=True)
class RequestRow:
    """One request that may come again; `told` is the outcome the first time, and a repetition from then on."""

    request_hash: str
    at: datetime
    outcome: Outcome

    def told(self) -> Outcome:
        told, self.outcome = self.outcome, replace(self.outcome, repeated=True)
        return told


@dataclass(slots=True)
class WebhookRow:
    """One webhook; a removed one is no row."""

    id: WebhookId
    new: NewWebhook
    secret: str
    author: str
    created_at: datetime


@dataclass(slots=True)
class NoticeRow:
    """What one webhook is told of one event."""

    id: NoticeId
    webhook_id: WebhookId
    kind: str
    body: dict[str, Any]
    created_at: datetime
    next_at: datetime | None
    state: NoticeState = NoticeState.WAITING
    attempts: int = 0
    status: int | None = None
    error: str | None = None
    ended_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.state is NoticeState.WAITING and self.next_at is not None and self.next_at <= now

    def view(self) -> NoticeView:
        return NoticeView(
            self.id,
            self.kind,
            self.state,
            self.attempts,
            self.created_at,
            self.next_at,
            self.status,
            self.error,
            self.ended_at,
        )


@dataclass(slots=True)
class HostRow:
    """The boot a host runs, whose home it is, and until when it is heard of."""

    boot: str
    version: str
    started_at: datetime
    seen_at: datetime
    home: str | None
    until: datetime
    stopped: bool = False
    facts: HostFacts = field(default_factory=HostFacts)

    def is_alive(self, now: datetime) -> bool:
        return self.until > now and not self.stopped


@dataclass(slots=True)
class Breaker:
    """Half-open: `open_until` is set and past, and one job at a time tries the site until `probe_until`."""

    failures: int = 0
    last_failure_at: datetime | None = None
    trips: int = 0
    open_until: datetime | None = None
    probe_until: datetime | None = None
    reason: str = ""

    def is_open(self, now: datetime) -> bool:
        return self.open_until is not None and self.open_until > now

    def is_half_open(self, now: datetime) -> bool:
        return self.open_until is not None and self.open_until <= now


class State:
    """All rows. `new_id` names what is created, in the order of its creation."""

    def __init__(self, clock: Callable[[], datetime], new_id: Callable[[], str] | None = None) -> None:
        self.clock = clock
        self.new_id = new_id or (lambda: str(uuid4()))
        self.jobs: dict[JobId, JobRow] = {}
        self.attempts: dict[tuple[JobId, int], AttemptRow] = {}
        self.purchases: dict[PurchaseId, PurchaseRow] = {}
        self.accounts: dict[AccountId, AccountRow] = {}
        self.batches: dict[BatchId, BatchRow] = {}
        self.hosts: dict[str, HostRow] = {}
        self.alerts: list[AlertView] = []
        self.upkeep: tuple[str, datetime] | None = None
        self.workers: dict[str, tuple[str, AccountId | None, JobId | None, datetime]] = {}
        self.events: list[Event] = []
        self._told = 0
        self.log: list[LogLine] = []
        self.clients: dict[str, float] = {}
        self.served: float = 1
        self.rules: Rules = RULES
        self.hours: list[ServiceHours] = []
        self.holidays: dict[date, str] = {}
        self.pauses: dict[tuple[Scope, str], Pause] = {}
        self.frozen: dict[str, str] = {}
        self.forms: dict[tuple[Source, str], SeenForm] = {}
        self.sentences: dict[tuple[str, str], Sentence] = {}
        self.breaker = Breaker()
        self.fees: dict[tuple[str, date], int] = {}
        self.caps: dict[tuple[Scope, str, Period], int] = {}
        self.used: Counter[UseKey] = Counter()
        self.keys: dict[str, KeyRow] = {}
        self.requests: dict[tuple[str, str], RequestRow] = {}
        self.web_sessions: dict[str, tuple[str, datetime]] = {}
        self.webhooks: dict[WebhookId, WebhookRow] = {}
        self.notices: dict[NoticeId, NoticeRow] = {}
        self.planned = 0
        self.bells: list[Callable[[str, str], None]] = []
        self.random = random.Random()
        self._lock = Lock()
        self._rung: list[tuple[str, str]] = []

    @contextmanager
    def transaction(self) -> Iterator[datetime]:
        """The instant at which everything inside happens, alone."""
        with self._lock:
            self._rung = []
            yield self.clock()
            rung, bells = list(dict.fromkeys(self._rung)), list(self.bells)
        for channel, payload in rung:
            for ring in bells:
                ring(channel, payload)

    def ring(self, channel: str, payload: str = "") -> None:
        self._rung.append((channel, payload))

    def tell(self, kind: str, job_id: JobId | None, now: datetime, **data: Any) -> None:
        """One fact. Of `status, attempts, error_kind, path, cost_cents`, a job's fact names only what its row now holds."""
        self._told += 1
        self.events.append(Event(f"0-{self._told}", now, kind, job_id, data))
        self.ring(EVENTS_CHANNEL, job_id or "")

    def job(self, job_id: JobId) -> JobRow:
        return _known(self.jobs, job_id, "job")

    def purchase(self, purchase_id: PurchaseId) -> PurchaseRow:
        return _known(self.purchases, purchase_id, "purchase")

    def batch(self, batch_id: BatchId) -> BatchRow:
        return _known(self.batches, batch_id, "batch")

    def username(self, account_id: AccountId) -> str:
        """What people, pauses and budgets call an account."""
        return self.accounts[account_id].username


def _known(rows: Mapping[Id, Row], key: Id, noun: str) -> Row:
    try:
        UUID(key)
    except ValueError:
        raise Refused(f'invalid input syntax for type uuid: "{key}"') from None
    if key not in rows:
        raise NotFound(f"No {noun} has the id {key}.")
    return rows[key]
