"""What a worker asks of the stores: orders, accounts, money, its own standing, and where documents go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from registre.account import AccountId, AccountView, Credentials, Seat, SignInOutcome, StoredSecret, Wish
from registre.document import Source
from registre.errors import ErrorKind
from registre.forms import FormContract, SeenForm
from registre.idleness import IdleEnd, LearntLimit
from registre.job import HostFacts, JobId, Lease, LogLine, Order, Renewal, Settlement
from registre.ledger import Delivery, Intent, LedgerLine, PurchaseId, SecuredFile
from registre.sentences import Heard, Sentence


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

    def probe(self) -> None:
        """Write a small object, read it and remove it. StoreUnavailable when that is not possible."""


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

    def requeue(self, job_id: JobId, author: str) -> None:
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

    def add(self, username: str, password: str, author: str | None = None) -> tuple[AccountId, bool]:
        """Add, or give a known account a new password; returns its id and whether it is new. One at work is tested with it."""

    def all(self) -> list[AccountView]: ...

    def claim(self, owner: str, limit: int, visibility: timedelta) -> list[tuple[Seat, Credentials]]:
        """Lease up to `limit` free accounts: those whose sign-in is to be tested, then the least recently used. Refused when a
        later boot has the owner's name."""

    def release(self, seat: Seat) -> None: ...

    def set_aside(self, seat: Seat, reason: str, duration: timedelta | None) -> None:
        """Take it out of service on every host; without a duration until a person mends it. Ends its test as refused."""

    def put_aside(self, username: str, reason: str, author: str) -> None:
        """The same by a person, until it is restored; its host lets it go, and finishes what is being bought. NotFound; Refused
        when it is set aside already."""

    def restore(self, username: str, author: str) -> bool:
        """Back into service, its password as it was; False when it was not set aside. NotFound."""

    def ask_test(self, username: str, author: str) -> None:
        """Have it signed in anew between two orders, and the outcome kept in `AccountView.test`. Repeats are fine. NotFound;
        Refused for one that is set aside or inactive: a refused password is not tried again."""

    def wishes(self, owner: str) -> list[Wish]:
        """What people ask of the accounts this owner holds."""

    def note_sign_in(self, seat: Seat, outcome: SignInOutcome, message: str, seconds: float) -> bool:
        """How a sign-in under this lease ended; True when that answers a test."""


class SecretBook(Protocol):
    """What is stored of secrets, for those who seal it."""

    def all(self) -> list[StoredSecret]:
        """Of accounts and webhooks, removed ones too."""

    def replace(self, secret: StoredSecret, sealed: str) -> bool:
        """Put the sealed text in its place; no plain one is left. False when it is no longer what was read."""


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

    def note_undelivered(self, purchase: PurchaseId, reason: str) -> None:
        """A delivery of it failed; from the third time on people are told. Nothing when it is not secured any more."""

    def deliver(self, delivery: Delivery) -> str:
        """The ack: closes the job. 'completed', 'repeated', or 'kept' when the job had ended otherwise."""

    def lines(self, job_id: JobId | None = None) -> list[LedgerLine]: ...

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        """The purchases whose documents are stored under these paths (`bucket/key`); what is none of ours is left out."""


class LogBook(Protocol):
    """What workers logged about orders, for people."""

    def keep(self, lines: Sequence[LogLine]) -> None:
        """Of an order its newest 200 lines stay, for 30 days, of 500 characters at most; one about no order is dropped."""

    def of(self, job_id: JobId) -> list[LogLine]:
        """Oldest first."""


class Fleet(Protocol):
    """What hosts and workers say of themselves."""

    def register_host(
        self, host: str, boot: str, version: str, home: str | None = None, visibility: timedelta = timedelta(minutes=1)
    ) -> None:
        """Present this boot; leases of the earlier boots of this home end now. Only under the host's spool lock.

        `home` is the spool's own id: a home under a new name takes its documents along. ConfigurationError while the worker of
        another home renews under this name, or one of a copy of this home under another; seen every `visibility`.
        """

    def leave(self, owner: str) -> None:
        """This boot has drained: its name is free."""

    def note_facts(self, owner: str, facts: HostFacts) -> None:
        """What this boot sees of its machine; the last counts."""

    def take_upkeep(self, owner: str, duration: timedelta) -> bool:
        """Whether this owner is the one who does for so long what is done once for all hosts; to be asked again before that."""

    def forget_history(self) -> int:
        """Let go of the stories (events, attempts, log) of orders that ended longer ago than the rule `history_days`; a bounded
        number, and how many."""

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
