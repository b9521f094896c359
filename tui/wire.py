"""What the API answers, as far as the dashboard shows it.

Invariant: a name the API adds is ignored; one it lacks is an API of another version, told when it is read. The names are the
API's own, so that a test can hold both against each other.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from msgspec import Struct

from registre.access import Role
from registre.language import TORONTO, Language


class Wire(Struct):
    """What is read."""


class Index(Wire):
    name: str
    version: str


class Caller(Wire):
    """Who the key belongs to."""

    name: str
    role: Role


class Queue(Wire):
    waiting: int
    active: int
    completed: int
    failed: int


class Closed(Wire):
    gate: str
    scope: str
    name: str
    reason: str
    until: datetime | None


class Pause(Wire):
    scope: str
    name: str
    author: str
    reason: str
    at: datetime


class Gates(Wire):
    closed: tuple[Closed, ...] = ()
    pauses: tuple[Pause, ...] = ()


class SignInTest(Wire):
    """The last test of an account's sign-in; `outcome` is null until it ended."""

    asked_by: str
    began_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    message: str | None
    seconds: float | None


class Account(Wire):
    """One account and the worker that holds it."""

    username: str
    state: str
    reason: str | None
    until: datetime | None
    lease_owner: str | None
    last_used: datetime | None
    failure_count: int
    worker_id: str | None
    work: str | None
    since: datetime | None
    current_job_id: str | None
    step: str | None
    documents_today: int
    cost_today_cents: int
    test: SignInTest | None

    @property
    def host(self) -> str:
        return (self.lease_owner or "").partition("/")[0]


class Accounts(Wire):
    accounts: tuple[Account, ...]


class Today(Wire):
    documents: int
    spent_cents: int
    ambiguous: int
    ambiguous_cents: int
    reserved_cents: int
    cap_cents: int | None


class Overview(Wire):
    at: datetime
    version: str
    queue: Queue
    oldest_waiting_at: datetime | None
    expected_end: datetime | None
    waiting_because: str | None
    gates: Gates
    accounts: tuple[Account, ...]
    today: Today
    last_answer_at: datetime | None
    idle_limit_seconds: float | None
    attempt_seconds: float


class Host(Wire):
    """One worker. `seen_at` is when its lease keeper last renewed; `undelivered` are documents in its spool."""

    host: str
    version: str
    seen_at: datetime
    undelivered: int
    oldest_undelivered_at: datetime | None


class Hosts(Wire):
    hosts: tuple[Host, ...]


class Failing(Wire):
    """One document that is safe on its host and that its bucket does not take; `reason` is why, the last time."""

    job_id: str
    host: str
    source: str
    number: str
    failures: int
    reason: str


class Undelivered(Wire):
    failing: tuple[Failing, ...]


class Told(Wire):
    """In both languages."""

    fr: str
    en: str

    def said(self, spoken: Language) -> str:
        return self.fr if spoken is Language.FRENCH else self.en


class Alert(Wire):
    """What should be known without looking, and what to do about it."""

    sentence: Told
    to_do: Told


class Alerts(Wire):
    """Those that last, the newest first."""

    alerts: tuple[Alert, ...]


class Opening(Wire):
    """Local time of America/Toronto; `weekday` 1 is Monday; closing at 00:00 is midnight."""

    weekday: int
    opens: time
    closes: time


class Holiday(Wire):
    day: date
    name: str


class Hours(Wire):
    hours: tuple[Opening, ...]
    holidays: tuple[Holiday, ...]

    def open_until(self, now: datetime) -> datetime | None:
        """When the opening of now ends; None outside of one, and when there are no hours."""
        local = now.astimezone(TORONTO)
        if any(holiday.day == local.date() for holiday in self.holidays):
            return None
        midnight = time(0)
        for span in self.hours:
            ends_next_day = span.closes == midnight
            if (
                span.weekday == local.isoweekday()
                and span.opens <= local.time()
                and (ends_next_day or local.time() < span.closes)
            ):
                day = local.date() + timedelta(days=1) if ends_next_day else local.date()
                return datetime.combine(day, span.closes, TORONTO)
        return None


class Beat(Wire):
    at: datetime
    completed: int
    failed: int


class Pulse(Wire):
    step_seconds: int
    completed: int
    failed: int
    p50_seconds: float | None
    p95_seconds: float | None
    beats: tuple[Beat, ...]


class Extraction(Wire):
    extraction_id: str
    document_source: str
    status: str
    document_number: str
    supabase_path: str | None
    error_message: str | None
    created_at: datetime
    processing_started_at: datetime | None
    worker_id: str | None
    attempts: int
    max_attempts: int
    circonscription_fonciere: str
    cadastre: str
    designation_secondaire: str
    acte_type: str
    client: str
    batch_id: str | None
    priority: int
    error_kind: str | None
    notes: tuple[str, ...]
    cost_cents: int
    step: str | None
    next_attempt_at: datetime | None
    wait_reason: str | None
    deadline: datetime | None
    finished_at: datetime | None

    @property
    def short_id(self) -> str:
        return self.extraction_id[:8]

    @property
    def place(self) -> str:
        parts = (self.acte_type, self.circonscription_fonciere, self.cadastre, self.designation_secondaire)
        return ", ".join(part for part in parts if part)


class ExtractionPage(Wire):
    total: int
    total_is_exact: bool
    jobs: tuple[Extraction, ...]
    next_cursor: str | None


class Done(Wire):
    message: str


class NotDone(Wire):
    extraction_id: str
    reason: str


class BulkDone(Wire):
    matched: int
    done: tuple[str, ...]
    refused: tuple[NotDone, ...]


class Cause(Wire):
    error_kind: str
    jobs: int
    is_exact: bool
    source: str
    message: str
    at: datetime


class Causes(Wire):
    causes: tuple[Cause, ...]


class Fact(Wire):
    """One event; `id` is its cursor."""

    id: str
    at: datetime
    kind: str
    extraction_id: str | None
    data: dict[str, object]


def words_of(fact: Fact) -> str:
    """What an event tells beside its kind, in one line."""
    return " ".join(f"{name}={value}" for name, value in fact.data.items() if value not in (None, "", []))


class History(Wire):
    events: tuple[Fact, ...]


class Attempt(Wire):
    number: int
    owner: str
    account: str
    started_at: datetime
    ended_at: datetime | None
    ending: str | None
    error_kind: str | None
    message: str | None
    evidence: str | None


class Attempts(Wire):
    attempts: tuple[Attempt, ...]


class LogLine(Wire):
    at: datetime
    host: str
    level: str
    text: str


class Log(Wire):
    lines: tuple[LogLine, ...]


class Purchase(Wire):
    id: str
    state: str
    fee_cents: int
    account: str
    intended_at: datetime
    charged_at: datetime | None
    secured_at: datetime | None
    delivered_at: datetime | None
    sha256: str | None
    pages: int | None
    reason: str | None


class Ledger(Wire):
    lines: tuple[Purchase, ...]


class Why(Wire):
    reason: str


class Batch(Wire):
    batch_id: str
    name: str
    client: str
    author: str
    created_at: datetime
    price_cents: int
    cap_cents: int | None
    waits_for_approval: bool
    total: int
    waiting: int
    active: int
    completed: int
    failed: int
    spent_cents: int
    reserved_cents: int
    expected_end: datetime | None


class Batches(Wire):
    batches: tuple[Batch, ...]


class BatchCancelled(Wire):
    cancelled: int


class Resumed(Wire):
    was_closed: bool
