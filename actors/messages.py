"""Every message between actors: who sends it to whom, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pykka

from registre.account import Credentials, Seat
from registre.document import DocumentRequest
from registre.errors import RegistreError
from registre.extraction import Outcome
from registre.job import JobId, Lease
from registre.ports import RegistrySession, Step

Ref = pykka.ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Tick:
    """Ticker → any: the period named when it was asked for has passed."""


@dataclass(frozen=True, slots=True)
class Wake:
    """Listener → Dispatcher: there may be something to lease. Supervisor → itself: an account may have come free."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Browser → Dispatcher: without a job; one that is not signed in takes one too, after those that are."""

    seat: Seat
    browser: Ref
    signed_in: bool = True


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Browser → Dispatcher: its session ended while idle. Not Idle said again: it may just have been given a job, and be
    given a second one."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class NotIdle:
    """Browser → Dispatcher: no longer there to take a job, though it may have said Idle."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class CannotRenew:
    """LeaseKeeper → Dispatcher: leases cannot be renewed; take no more."""


@dataclass(frozen=True, slots=True)
class RenewsAgain:
    """LeaseKeeper → Dispatcher: a renewal went through; take work again."""


@dataclass(frozen=True, slots=True)
class Work:
    """Dispatcher → Browser: this job is leased for you."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class HoldSeat:
    """Supervisor → LeaseKeeper: renew this account's lease; tell `browser` when it is lost."""

    seat: Seat
    browser: Ref


@dataclass(frozen=True, slots=True)
class DropSeat:
    """Supervisor → LeaseKeeper: stop renewing."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class HoldJob:
    """Browser → LeaseKeeper: renew this job's lease; tell `browser` when it is lost or cancelled."""

    lease: Lease
    browser: Ref


@dataclass(frozen=True, slots=True)
class DropJob:
    """Browser → LeaseKeeper: the attempt is over."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class StopJob:
    """LeaseKeeper → Browser: the lease is lost, a person cancelled, or the attempt is overdue; stop unless the document is being
    bought."""

    lease: Lease
    reason: str
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class SeatLost:
    """LeaseKeeper → Browser: the account is somebody else's, or was switched off; close."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Asked:
    """Listener → Supervisor: a person asks something of an account."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Supervisor → Browser: close between two jobs; the account's sign-in is to be tested, by whoever claims it next."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Fleet → Supervisor → all, and Supervisor → the browser of an account that a person set aside: finish what is bought,
    release the rest, close."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A browser's own thread → Browser: the session is signed in, or why not."""

    session: RegistrySession | None
    error: RegistreError | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A browser's own thread → Browser: the attempt is over and its end is written."""

    lease: Lease
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reached:
    """A browser's own thread → Browser: the attempt stands here now."""

    step: Step


@dataclass(frozen=True, slots=True)
class Reopen:
    """Ticker → Browser: the pause after a failed opening is over."""


@dataclass(frozen=True, slots=True)
class LookAfter:
    """Ticker → Browser: see what the idle session needs."""


@dataclass(frozen=True, slots=True)
class LookedAfter:
    """A browser's own thread → Browser: the idle session has what it needs, or `is_over` and closed."""

    is_over: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Browser → Supervisor: the session is closed and the actor stops; `set_aside` says why the account is out."""

    seat: Seat
    set_aside: str | None = None


@dataclass(frozen=True, slots=True)
class Died:
    """A dying browser → Supervisor: an unexpected error killed the actor; Left follows."""

    seat: Seat
    browser: Ref
    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """The thread of a browser that died → Supervisor: what it had begun is finished and its session closed."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Respawn:
    """Ticker → Supervisor: the pause after a browser's death is over."""

    seat: Seat
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Anybody → Browser, with `ask`: answered at once, whatever the page does."""


@dataclass(frozen=True, slots=True)
class BrowserStatus:
    """The answer to AskStatus. `state` is 'opening', 'idle', 'busy', 'signed out' or 'closing'; `idle_since` is when the last job
    ended, or the first session opened, also while signed out; `jobs_done` counts those this session has carried to an end."""

    seat: Seat
    state: str
    job_id: JobId | None
    step: str | None
    idle_since: datetime | None
    jobs_done: int
    request: DocumentRequest | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Ticker → Supervisor: see how the browsers stand, for the flight recorder."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Supervisor → Recorder: how every browser stands. One that did not answer at once is 'silent'."""

    browsers: tuple[BrowserStatus, ...]
