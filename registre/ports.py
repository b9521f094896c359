"""What the core asks of the world: a registry session, a spool, a bucket, the stores.

Invariant: every port is synchronous, raises only `registre.errors`, and says which thread may call it. Each has one fake
that passes the same contract suite as the real adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from registre.account import AccountId, AccountView, Credentials, Seat
from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.budget import Budget, CostBy, CostLine, Fee, Period
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.forms import FormContract, SeenForm
from registre.gates import Closure, Holiday, Pause, Rules, Scope, ServiceHours
from registre.idleness import IdleEnd, LearntLimit
from registre.job import (
    AttemptView,
    Event,
    JobFilter,
    JobId,
    JobPage,
    JobView,
    Lease,
    Order,
    Renewal,
    Settlement,
    Status,
)
from registre.ledger import Delivery, Intent, LedgerLine, PurchaseId, SecuredFile
from registre.matching import Option
from registre.sentences import Heard, Sentence


class Step(StrEnum):
    """Where an attempt stands; shown to people, stored in no state machine."""

    SIGNING_IN = "signing in"
    FORM = "filling the form"
    SUBMITTING = "submitting"
    CHOOSING = "choosing from a list"
    CONFIRMING = "confirming"
    WAITING_VIEWER = "waiting for the viewer"
    SAVING = "saving the document"
    SECURING = "securing the document"


@dataclass(frozen=True, slots=True)
class FilledForm:
    """The form as read back from the page just before its submission; a field the form does not have is None."""

    number: str
    circonscription: Option | None
    cadastre: Option | None
    designation: Option | None
    acte_type: Option | None


@dataclass(frozen=True, slots=True)
class ViewerReached:
    """The viewer is open, so the document is billed. `notes` are facts for the requester, such as an inactive lot."""

    notes: tuple[str, ...] = ()


class RegistrySession(Protocol):
    """One account's session on the registry's site, in one browser context.

    Calls block and come from one thread at a time; `interrupt` may come from any thread. After any error but DataError the
    caller closes the session and opens another. Errors: the SiteError tree, and Aborted after `interrupt`.
    """

    def sign_in(self) -> None:
        """Sign in and prove it: the index form opens. AccountError when refused; never a second try by itself."""

    def fill(self, request: DocumentRequest) -> FilledForm:
        """Open the source's form afresh, choose and type everything, read it back. Free. DataError if no option is right."""

    def submit(self, request: DocumentRequest) -> ViewerReached:
        """Submit the filled form and follow lists and confirmation to the viewer.

        Only to be called under a recorded intent, once for each `fill`. DataError, SessionExpired and SiteUnavailable
        (maintenance page) mean that a page which is not the viewer answered, hence nothing was bought; any other error
        leaves it unknown.
        """

    def save(self, target: Path) -> None:
        """Save the viewer's document into `target`. Free, repeatable while the viewer is open. DocumentError if none came."""

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        """Best effort: screenshot, HTML and URL of the page, without any typed secret, kept with those of like errors; `folder`
        stays within its bounds. Returns where they are, or None."""

    @property
    def idle_seconds(self) -> float:
        """Since the site last answered this session; 0 before it ever did. From any thread."""

    def idle_end(self) -> IdleEnd | None:
        """How the last idle time ended, told once; None when nothing new is known. After `fill`, `keep_alive`, `sign_out`."""

    def keep_alive(self) -> None:
        """Open the index form and prove it: the site's idle clock starts anew. Free. SessionExpired when it is too late."""

    def sign_out(self) -> bool:
        """Leave by the site's own link; True when the site showed that the session is over. Free and best effort: never
        raises, does nothing after `interrupt`, and returns within seconds. Only `close` may follow."""

    def interrupt(self) -> None:
        """Make the call under way, and any later one, raise Aborted as soon as it can."""

    def close(self) -> None:
        """Leave the site and free the context. Never raises, returns within seconds."""


class Registry(Protocol):
    """Opens sessions; owns the browsers behind them. Thread-safe."""

    @property
    def assumed_idle_limit(self) -> timedelta:
        """How long a session may idle as far as the site's profile knows; `Idleness` knows what was learnt."""

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> RegistrySession:
        """A new session, not yet signed in. BrowserFailed if no browser can be had."""

    def close(self) -> None:
        """Close every session and browser; kill what does not close. Idempotent."""


class Bucket(Protocol):
    """Where delivered documents live. Thread-safe."""

    def put(self, bucket: str, key: str, content: Path, sha256: str) -> None:
        """Store the file under bucket/key; the same content again is fine, other content under that key is refused.

        StoreUnavailable when it cannot be done now.
        """

    def fetch(self, bucket: str, key: str) -> bytes:
        """The object's bytes; NotFound when there is none."""

    def location(self, bucket: str, key: str) -> str:
        """Where a person finds it: a path or an address."""


class JobQueue(Protocol):
    """The queue. Every write about a leased job is fenced by its token and raises LeaseLost when that is no longer the job's."""

    def submit(self, orders: Sequence[Order]) -> list[JobId]:
        """Put validated orders in, all or none, in this order. One whose document is owned and current is completed at once."""

    def lease_next(self, owner: str, seats: Sequence[Seat], visibility: timedelta) -> list[Lease]:
        """At most one job for each seat that every gate lets through; counts the attempt.

        Jobs whose document is owned are completed on the way; jobs whose document another order is buying are put off.
        """

    def renew(self, owner: str, jobs: Sequence[Lease], seats: Sequence[Seat], visibility: timedelta) -> Renewal:
        """One call for the whole host; what is missing in the answer is lost."""

    def note_step(self, lease: Lease, step: str) -> None: ...

    def release(self, lease: Lease, message: str) -> None:
        """Back to waiting, no attempt consumed."""

    def snooze(
        self, lease: Lease, delay: timedelta, message: str, *, kind: ErrorKind | None = None, rescued: bool = False
    ) -> None:
        """Back to waiting, not before `delay`, no attempt consumed. `rescued` counts towards the bound on rescues.

        SITE_UNAVAILABLE counts towards the breaker, LAYOUT_CHANGED freezes the job's source, both for every host.
        """

    def retry(self, lease: Lease, kind: ErrorKind, message: str, delay: timedelta) -> None:
        """Failed, may succeed later: waits `delay`, or ends in 'Erreur' when the attempts are used up."""

    def fail(self, lease: Lease, kind: ErrorKind, message: str, *, needs_review: bool = False) -> None:
        """Failed for good."""

    def note_evidence(self, lease: Lease, place: str) -> None:
        """Where the evidence of this attempt is, on its host; also after the attempt has ended."""

    def reclaim(
        self, backoff: timedelta, host_gone: timedelta, legacy: timedelta, limit: int = 100
    ) -> list[tuple[JobId, str]]:
        """Judge jobs whose lease ran out, and end waiting ones whose deadline has passed; returns what became of each."""

    def requeue(self, job_id: JobId) -> None:
        """A failed job waits again, with fresh attempts. Refused while its document may be bought."""

    def cancel(self, job_id: JobId, author: str) -> str:
        """'cancelled', or 'requested' for a running job. Refused once its document is being bought."""

    def settle(self, job_id: JobId, decision: Settlement, author: str, *, billed: bool = True) -> None:
        """Decide an ambiguous purchase: buy again with fresh attempts, or give up. `billed` false: the invoice shows no such
        document, so its fee is given back to the budgets. Also for a document on a host that will not return."""

    def listen(self, ring: Callable[[str, str], None]) -> Callable[[], None]:
        """Ring (channel, payload) when there may be something to lease or to read; returns what ends it."""


class AccountBook(Protocol):
    """The registry accounts, one live session each, everywhere."""

    def add(self, username: str, password: str) -> tuple[AccountId, bool]:
        """Add, or give a known account a new password; returns its id and whether it is new."""

    def all(self) -> list[AccountView]: ...

    def claim(self, owner: str, limit: int, visibility: timedelta) -> list[tuple[Seat, Credentials]]:
        """Lease up to `limit` free accounts, least recently used first."""

    def release(self, seat: Seat) -> None: ...

    def set_aside(self, seat: Seat, reason: str, duration: timedelta | None) -> None:
        """Take it out of service on every host; without a duration until a person mends it."""


class Ledger(Protocol):
    """The money. See `registre.ledger` for the states."""

    def intend(self, lease: Lease, host: str) -> Intent:
        """Open a purchase, its fee reserved in every budget that applies; only Verdict.GRANTED allows the click. LeaseLost."""

    def void(self, purchase: PurchaseId, lease: Lease, reason: str) -> None: ...

    def charge(self, purchase: PurchaseId, lease: Lease, notes: Sequence[str]) -> None: ...

    def secure(self, purchase: PurchaseId, file: SecuredFile) -> None:
        """The file is fsynced in this host's spool. Also ends what a crash had left ambiguous. Repeats are fine."""

    def mark_ambiguous(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        """Nobody can tell whether it was billed, or what was billed is not here; the job stops for a person."""

    def lose(self, purchase: PurchaseId, reason: str) -> None:
        """A secured file cannot be delivered after all; the job stops for a person. Repeats are fine."""

    def deliver(self, delivery: Delivery) -> str:
        """The ack: closes the job. 'completed', 'repeated', or 'kept' when the job had ended otherwise."""

    def lines(self, job_id: JobId | None = None) -> list[LedgerLine]: ...

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        """The purchases whose documents are stored under these paths (`bucket/key`); what is none of ours is left out."""


class Fleet(Protocol):
    """What hosts and workers say of themselves."""

    def register_host(self, host: str, boot: str, version: str) -> None:
        """Present this boot; leases of the host's earlier boots end now. Only under the host's spool lock."""

    def report_worker(self, worker: str, status: str, account_id: AccountId | None, job_id: JobId | None) -> None: ...


class Idleness(Protocol):
    """What all hosts together know of the site's idle limit. `assumed` is what holds before anything is learnt."""

    def limit(self, assumed: timedelta) -> timedelta:
        """The limit to act on."""

    def note(self, end: IdleEnd, assumed: timedelta) -> timedelta:
        """Learn from one idle time's end; returns the limit to act on. A changed limit is told as an event."""

    def learnt(self) -> LearntLimit: ...

    def work_due(self, username: str, within: timedelta) -> bool:
        """Whether an order waits that this account may start so soon; a gate that is closed for longer holds its orders back."""


class Views(Protocol):
    """What people look at."""

    def job(self, job_id: JobId) -> JobView:
        """NotFound when the id names nothing."""

    def jobs(self, status: Status | None = None, limit: int = 100) -> list[JobView]:
        """Newest first."""

    def page(self, wanted: JobFilter, cursor: str | None = None, limit: int = 100) -> JobPage:
        """One page, newest first; `cursor` is the last page's `next_cursor`. Refused when it is none of ours."""

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


class FormBook(Protocol):
    """The site's forms as sessions found them, and which of them a person, or the first sight, accepted."""

    def observe(self, source: Source, contract: FormContract) -> str:
        """'' when this form is accepted, as the first one of a source is by itself. Any other is kept as drifted, its source
        frozen for every host, and what has changed is returned."""

    def known(self) -> list[SeenForm]:
        """Of each source the accepted form that counts now, and the one that drifted last, if any; in the order of sources."""

    def accept(self, source: Source, author: str) -> bool:
        """The form that drifted is the right one from now on, and its source goes on: True if it was frozen. Refused when
        nothing drifted. Forms accepted before stay accepted: the servers of a site do not change at one instant."""


class SentenceBook(Protocol):
    """What the site says when it ends or holds an attempt."""

    def note(self, heard: Heard, job_id: JobId | None) -> None:
        """Count it; sentences that differ by their numbers only are one. Old ones make room for new ones."""

    def all(self, *, review: bool = False, frequent: bool = False, limit: int = 100) -> list[Sentence]:
        """The last heard first, or the most frequent. `review`: only those whose class nobody knows."""


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

    def cancel(self, batch_id: BatchId, author: str) -> int:
        """Cancel every job that may still be; returns how many, those asked to stop included."""
