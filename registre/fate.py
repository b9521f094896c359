"""What becomes of a job, its purchase and its session after an error: one pure function.

Invariant: once an intent is recorded, only an error that proves a page other than the viewer answered may void it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DatabaseUnavailable,
    DataError,
    DocumentError,
    ErrorKind,
    InvalidInput,
    LayoutChanged,
    LeaseLost,
    Overdue,
    SessionExpired,
    SiteUnavailable,
    StoreUnavailable,
)


class Phase(Enum):
    """How far an attempt is with money."""

    FREE = auto()
    INTENDED = auto()
    CHARGED = auto()


class Job(Enum):
    """What is written about the job."""

    FAIL = auto()
    RETRY = auto()
    SNOOZE = auto()
    RELEASE = auto()
    AMBIGUOUS = auto()
    DROP = auto()
    DONE = auto()
    """Nothing: the ledger has completed it with a document already owned."""


class Session(Enum):
    """What the browser does next."""

    KEEP = auto()
    REOPEN = auto()
    SET_ASIDE = auto()


@dataclass(frozen=True, slots=True)
class Fate:
    """The decision. `void` tells to void the open purchase first; `rescued` counts towards the bound on rescues."""

    job: Job
    session: Session
    kind: ErrorKind | None = None
    delay: timedelta = timedelta(0)
    void: bool = False
    needs_review: bool = False
    rescued: bool = False


SITE_AWAY = timedelta(seconds=60)
LAYOUT_CHANGED = timedelta(minutes=5)
BROWSER_BACK = timedelta(seconds=5)
STORE_BACK = timedelta(seconds=30)
SAME_DOCUMENT = timedelta(seconds=30)
"""How long an order waits for another one of the same document; its delivery ends the wait at once."""
NO_BUDGET = timedelta(seconds=60)
"""After that the gate holds the order back before it is leased."""

_PROVES_NOT_BOUGHT = (DataError, SessionExpired, SiteUnavailable)


def decide(error: Exception, phase: Phase) -> Fate:
    """The fate of an attempt that ended with `error` in `phase`. Total: an unknown error has a fate too."""
    if isinstance(error, LeaseLost | DatabaseUnavailable):
        # Nothing can be written; the lease expires by itself and reclaim reads the ledger.
        return Fate(Job.DROP, Session.REOPEN)
    if phase is Phase.CHARGED or (phase is Phase.INTENDED and not isinstance(error, _PROVES_NOT_BOUGHT)):
        return Fate(Job.AMBIGUOUS, Session.REOPEN, ErrorKind.AMBIGUOUS_PURCHASE)
    void = phase is Phase.INTENDED
    match error:
        case DataError():
            return Fate(Job.FAIL, Session.KEEP, error.kind, void=void, needs_review=error.needs_review)
        case InvalidInput():
            return Fate(Job.FAIL, Session.KEEP, ErrorKind.INVALID_ORDER)
        case AccountError():
            return Fate(Job.RELEASE, Session.SET_ASIDE, error.kind)
        case SessionExpired():
            return Fate(Job.RETRY, Session.REOPEN, error.kind, void=void)
        case SiteUnavailable():
            return Fate(Job.SNOOZE, Session.REOPEN, error.kind, delay=SITE_AWAY, void=void)
        case LayoutChanged():
            return Fate(Job.SNOOZE, Session.REOPEN, error.kind, delay=LAYOUT_CHANGED)
        case BrowserFailed():
            return Fate(Job.SNOOZE, Session.REOPEN, error.kind, delay=BROWSER_BACK, rescued=True)
        case StoreUnavailable():
            # The spool's disk refuses: nothing may be bought that could not be kept.
            return Fate(Job.SNOOZE, Session.KEEP, error.kind, delay=STORE_BACK)
        case Aborted():
            return Fate(Job.RELEASE, Session.REOPEN)
        case Overdue():
            return Fate(Job.RETRY, Session.REOPEN, ErrorKind.OVERDUE)
        case DocumentError():
            return Fate(Job.RETRY, Session.REOPEN, error.kind)
        case _:
            return Fate(Job.RETRY, Session.REOPEN, ErrorKind.BROWSER_FAILED)
