"""Gates: why a job waits, and what people may close and open.

Invariant: the database decides, once; `why` tells the same reason that `lease_next` acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum


class Gate(StrEnum):
    """Every gate, in the order in which they are asked."""

    HOURS = "hours"
    BREAKER = "breaker"
    FROZEN = "frozen"
    PAUSE = "pause"
    APPROVAL = "approval"
    BUDGET = "budget"
    PACE = "pace"
    ACCOUNT = "account"


class Scope(StrEnum):
    """What a closed gate holds back: everything, or what belongs to one account, client, source or batch."""

    SITE = "site"
    ACCOUNT = "account"
    CLIENT = "client"
    SOURCE = "source"
    BATCH = "batch"


PAUSE_SCOPES = (Scope.SITE, Scope.ACCOUNT, Scope.CLIENT, Scope.SOURCE)


@dataclass(frozen=True, slots=True)
class Closure:
    """One closed gate. `name` is '' for the whole site; `until` is None when a person must act."""

    gate: Gate
    scope: Scope
    name: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Pause:
    """What a person closed, and why."""

    scope: Scope
    name: str
    author: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """One opening of the registry's service; `weekday` is 1 for Monday; local time of America/Toronto; closing at 00:00 is
    midnight, the end of that day."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which the service is closed."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every host of one database; changed by an operator, not by a host's environment.

    Seconds between two orders of one account; seconds before closing when nothing is started any more; how long an attempt may
    take; for how many hours an index or a plan counts as current; price in cents above which a batch waits for approval (None:
    never); how many ambiguous purchases a day are bought again without asking; failures in a row that open the breaker; for how
    many days a notice is kept after it has ended; for how many days the story of an order is kept after its end (None: for ever).
    From when on an alert is worth it: how long orders wait without a worker, failures in a quarter of an hour, percent of a
    budget, how long a document stays on its host, and how many do.
    """

    pace_seconds: float
    last_start_seconds: int
    attempt_seconds: int
    fresh_index_hours: int
    fresh_plan_hours: int
    approval_above_cents: int | None
    rebuys_per_day: int
    breaker_failures: int
    notice_days: int
    alert_backlog_minutes: int
    alert_failures: int
    alert_budget_percent: int
    alert_spool_minutes: int
    alert_spool_documents: int
    history_days: int | None
