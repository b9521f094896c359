"""What is seen at one glance: how much waits and why, who works, how it went lately, what it cost, what failed.

Invariant: everything here is read from the store when it is asked; days are those of America/Toronto.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from litestar import Router, get
from litestar.params import FromQuery

from api.accounts import Account, all_accounts
from api.desk import UsesStore, serves
from api.gates import Gates, gates_of
from api.monitoring import QueueCounts, queue_counts
from api.schemas import Cents, Wire
from registre.access import Role
from registre.budget import CostBy, Period
from registre.gates import Scope
from registre.language import TORONTO
from registre.pulse import Span
from registre.wiring import VERSION, Store


class Today(Wire):
    """What today's documents cost. `ambiguous` may or may not have been billed, `reserved` are under way; `cap_cents` is the
    site's budget of the day, null without one."""

    documents: int
    spent_cents: Cents
    ambiguous: int
    ambiguous_cents: Cents
    reserved_cents: Cents
    cap_cents: Cents | None


class Overview(Wire):
    """The fleet and its queue at one instant. `waiting_because` is why anything waits, null when nothing does; `expected_end`
    when what is ordered now may be done; `idle_limit_seconds` the learnt end of an idle session, `attempt_seconds` that of an
    attempt."""

    at: datetime
    version: str
    queue: QueueCounts
    oldest_waiting_at: datetime | None
    expected_end: datetime | None
    waiting_because: str | None
    gates: Gates
    accounts: tuple[Account, ...]
    today: Today
    last_answer_at: datetime | None
    idle_limit_seconds: float | None
    attempt_seconds: float


class BeatView(Wire):
    """One stretch, `at` its start; the last one is under way."""

    at: datetime
    completed: int
    failed: int
    p50_seconds: float | None
    p95_seconds: float | None


class PulseView(Wire):
    """How orders ended: `completed` with work, not by a document already owned. Durations are theirs, from the start of the last
    attempt to the document in its bucket."""

    span: Span
    step_seconds: int
    completed: int
    failed: int
    p50_seconds: float | None
    p95_seconds: float | None
    beats: tuple[BeatView, ...]


class CauseView(Wire):
    """One kind of error, and the newest order that ended so. `jobs` is counted up to 10 000."""

    error_kind: str
    jobs: int
    is_exact: bool
    source: str
    message: str
    at: datetime


class Causes(Wire):
    """The most frequent first."""

    causes: tuple[CauseView, ...]


@get("/overview", summary="Everything at one glance", **serves(Role.VIEWER))
def overview(store: UsesStore) -> Overview:
    return overview_of(store)


@get("/pulse", summary="How orders ended lately", **serves(Role.VIEWER))
def pulse(store: UsesStore, span: FromQuery[Span] = Span.HOUR) -> PulseView:
    """The last hour by minutes, or the last day by hours."""
    return pulse_of(store, span)


@get("/failures", summary="What failed, by its cause", **serves(Role.VIEWER))
def failures(store: UsesStore) -> Causes:
    return causes_of(store)


def overview_of(store: Store) -> Overview:
    queue = queue_counts(store)
    limit = store.idleness.learnt().limit
    return Overview(
        at=datetime.now(UTC),
        version=VERSION,
        queue=queue,
        oldest_waiting_at=store.views.oldest_waiting() if queue.waiting else None,
        expected_end=store.views.expected_end() if queue.waiting or queue.active else None,
        waiting_because=store.gates.why() if queue.waiting else None,
        gates=gates_of(store),
        accounts=all_accounts(store),
        today=_today(store),
        last_answer_at=store.views.last_answer(),
        idle_limit_seconds=limit.total_seconds() if limit else None,
        attempt_seconds=store.gates.rules().attempt_seconds,
    )


def pulse_of(store: Store, span: Span) -> PulseView:
    found = store.views.pulse(span)
    return PulseView(
        span=span,
        step_seconds=span.step_seconds,
        completed=found.completed,
        failed=found.failed,
        p50_seconds=found.p50_seconds,
        p95_seconds=found.p95_seconds,
        beats=tuple(BeatView(**asdict(beat)) for beat in found.beats),
    )


def causes_of(store: Store) -> Causes:
    return Causes(
        causes=tuple(
            CauseView(
                error_kind=cause.kind,
                jobs=cause.jobs,
                is_exact=cause.is_exact,
                source=cause.source,
                message=cause.message,
                at=cause.at,
            )
            for cause in store.views.causes()
        )
    )


def _today(store: Store) -> Today:
    day = datetime.now(TORONTO).date()
    lines = store.treasury.costs(day, day, CostBy.DAY)
    caps = [b.cap_cents for b in store.treasury.budgets() if b.scope is Scope.SITE and b.period is Period.DAY]
    return Today(
        documents=sum(line.documents for line in lines),
        spent_cents=sum(line.documents_cents for line in lines),
        ambiguous=sum(line.ambiguous for line in lines),
        ambiguous_cents=sum(line.ambiguous_cents for line in lines),
        reserved_cents=sum(line.reserved_cents for line in lines),
        cap_cents=caps[0] if caps else None,
    )


ROUTER = Router("/api", route_handlers=[overview, pulse, failures], tags=["overview"])
