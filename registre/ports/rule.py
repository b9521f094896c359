"""What operators ask and change: what is seen, what holds orders back, what may be spent, many orders at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from registre.alerts import AlertView
from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.budget import Budget, CostBy, CostLine, Fee, Period
from registre.gates import Closure, Holiday, Pause, Rules, Scope, ServiceHours
from registre.job import (
    AttemptView,
    Event,
    HostView,
    JobFilter,
    JobId,
    JobListing,
    JobPage,
    JobView,
    Order,
    Status,
    WorkerView,
)
from registre.ledger import FailingDelivery
from registre.pulse import Cause, Measured, Pulse, Span


class Views(Protocol):
    """What people look at."""

    def job(self, job_id: JobId) -> JobView:
        """NotFound when the id names nothing."""

    def jobs(self, status: Status | None = None, limit: int = 100) -> list[JobView]:
        """Newest first."""

    def page(self, wanted: JobFilter, cursor: str | None = None, limit: int = 100) -> JobPage:
        """One page, newest first; `cursor` is the last page's `next_cursor`. Refused when it is none of ours."""

    def listing(self, wanted: JobFilter, cursor: str | None, limit: int, *, count_to: int) -> JobListing:
        """`page`, and how many the whole listing holds: exact for one status or everything, else counted up to `count_to`."""

    def ids(self, wanted: JobFilter, limit: int) -> list[JobId]:
        """Of a whole listing, at one instant; newest first, no more than `limit`."""

    def count(self, wanted: JobFilter, limit: int) -> int:
        """How many jobs a listing holds, counted no further than `limit`."""

    def counts(self) -> dict[Status, int]: ...

    def attempts(self, job_id: JobId) -> list[AttemptView]: ...

    def story(self, job_id: JobId) -> list[Event]:
        """Every fact about one job, oldest first."""

    def events_after(self, cursor: str, limit: int = 500) -> list[Event]:
        """Facts that became visible after `cursor`, in that order; none is skipped. Refused when it is no cursor."""

    def events_end(self) -> str:
        """The cursor of the last fact; '' when there is none."""

    def last_events(self, limit: int) -> list[Event]:
        """The last facts, oldest first."""

    def deeds(self, before: str | None = None, limit: int = 100) -> list[Event]:
        """What people did, newest first; `before` is the cursor of the last one known."""

    def failing_deliveries(self) -> list[FailingDelivery]:
        """Documents that are safe on their host and that their bucket did not take several times, the longest first, 100 at
        most. None is given up; a person may mend what the reason says."""

    def workers(self) -> list[WorkerView]:
        """Every worker that was ever reported; one that is dead is 'offline', whatever it said last."""

    def hosts(self) -> list[HostView]:
        """Every host that ever started a worker, by name."""

    def expected_end(self) -> datetime | None:
        """When what is ordered now may be done, in open hours; None when nothing lets it be told."""

    def last_answer(self) -> datetime | None:
        """When the site last answered an order, as far as recent attempts tell."""

    def pulse(self, span: Span) -> Pulse:
        """How orders ended lately."""

    def causes(self) -> list[Cause]:
        """Of each kind of error how many orders ended so, the most frequent first."""

    def measured(self) -> Measured:
        """How long late attempts waited and worked, step by step, and how long the oldest orders do now."""

    def oldest_waiting(self) -> datetime | None:
        """When the order that has waited longest was given; None when none waits."""


class Alerts(Protocol):
    """What a person should know without looking."""

    def judge(self) -> int:
        """Open what is to be told and is not yet, close what is over, each with an event; how many did. Anybody may, as often as
        it likes; one at a time does it."""

    def all(self, *, open_only: bool = True, limit: int = 100) -> list[AlertView]:
        """The last opened first."""


class Gates(Protocol):
    """What may keep a job from starting, and the rules behind it. Every change is told as an event, with its author."""

    def closures(self) -> list[Closure]:
        """Every closed gate, in the order in which they are asked. Empty: nothing is closed."""

    def why(self, job_id: JobId | None = None) -> str:
        """In one line, why this job waits (or how it ended), or why anything waits. NotFound."""

    def pause(self, scope: Scope, name: str, author: str, reason: str) -> None:
        """Close; a repeat changes author and reason."""

    def resume(self, scope: Scope, name: str, author: str) -> bool:
        """Open again: a pause, and for a source also its freeze, for the site also its breaker. False if nothing was closed."""

    def pauses(self) -> list[Pause]: ...

    def site_away(self, reason: str) -> None:
        """The site failed without a job, for example while signing in; counts towards the breaker."""

    def site_answered(self) -> None:
        """The site works again: the breaker closes."""

    def rules(self) -> Rules: ...

    def set_rule(self, name: str, value: float | None, author: str) -> None:
        """Change one field of `Rules`. Refused when it cannot have the value."""

    def hours(self) -> list[ServiceHours]:
        """Empty: always open."""

    def set_hours(self, hours: Sequence[ServiceHours], author: str) -> None: ...

    def holidays(self) -> list[Holiday]: ...

    def set_holiday(self, day: date, name: str | None, author: str) -> None:
        """Add a holiday, or remove it (None)."""


class Treasury(Protocol):
    """Fees, budgets, and what was spent."""

    def fees(self) -> list[Fee]: ...

    def set_fee(self, source: str, valid_from: date, cents: int, author: str) -> None:
        """From that day on; what was already intended keeps its fee."""

    def budgets(self) -> list[Budget]: ...

    def set_budget(self, scope: Scope, name: str, period: Period, cap_cents: int | None, author: str) -> None:
        """None removes the cap; NotFound when there is none. Use already reserved counts."""

    def costs(self, first: date, last: date, by: CostBy) -> list[CostLine]:
        """What was spent from `first` to `last`, both included, days of America/Toronto."""


class Batches(Protocol):
    """Orders of many documents."""

    def quote(self, orders: Sequence[Order]) -> Quote:
        """What these would cost now; writes nothing."""

    def submit(self, batch: NewBatch, orders: Sequence[Order]) -> BatchView:
        """Put the batch and its orders in, all or none; it waits for approval when its price is above the threshold."""

    def get(self, batch_id: BatchId) -> BatchView:
        """NotFound when the id names nothing."""

    def all(self, limit: int = 50) -> list[BatchView]:
        """Newest first."""

    def approve(self, batch_id: BatchId, author: str) -> None:
        """Refused when it waits for no approval."""

    def cancel(self, batch_id: BatchId, author: str, *, expected: int | None = None) -> int:
        """Cancel every job that may still be; returns how many, those asked to stop included. Miscounted, and nothing done, when
        others than `expected` have not ended."""
