"""Everything that can go wrong, classed by who must act.

Invariant: a message is one sentence for a person; it never holds a password, a key or a traceback. Foreign exceptions
become one of these once, at the adapter's edge; `registre.fate` alone decides what becomes of the job.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """Why a job ended in 'Erreur', or why an attempt did not finish; stored in `extraction_queue.error_kind`."""

    # data: the requester must act
    NOT_FOUND = "not_found"
    AMBIGUOUS_OPTION = "ambiguous_option"
    AMBIGUOUS_PLAN = "ambiguous_plan"
    ONLY_SIMILAR = "only_similar"
    PAPER_ONLY = "paper_only"
    LOT_INACTIVE = "lot_inactive"
    UNKNOWN_SENTENCE = "unknown_sentence"
    INVALID_ORDER = "invalid_order"
    # document: the file that came is not the document asked for
    BAD_DOCUMENT = "bad_document"
    # account: the operator must act
    LOGIN_REFUSED = "login_refused"
    ACCOUNT_LOCKED = "account_locked"
    IDENTITY_QUESTION = "identity_question"
    # nobody must act: it passes, or it is repaired
    SESSION_EXPIRED = "session_expired"
    SITE_UNAVAILABLE = "site_unavailable"
    LAYOUT_CHANGED = "layout_changed"
    BROWSER_FAILED = "browser_failed"
    STORE_UNAVAILABLE = "store_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    # money: a person must decide
    AMBIGUOUS_PURCHASE = "ambiguous_purchase"
    SECURED_ELSEWHERE = "secured_elsewhere"
    ABANDONED = "abandoned"
    # ends given by the queue itself
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    OVERDUE = "overdue"
    DEADLINE_PASSED = "deadline_passed"
    CANCELLED = "cancelled"


class RegistreError(Exception):
    """Root of the tree. `str(error)` is the sentence a person reads."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(RegistreError):
    """An order, option or file given by a person is refused; `field` names what to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class ConfigurationError(RegistreError):
    """A setting or the machine must be mended before the program can run (exit code 78)."""


class Refused(RegistreError):
    """A rule of the house forbids what was asked, for example cancelling a job whose document is being bought."""


class OtherRequest(Refused):
    """The key of a repeatable request was given before, to another request."""


class Miscounted(Refused):
    """A bulk action names a number of jobs, and its choice now holds another; nothing was done."""


class NotFound(RegistreError):
    """The id names nothing."""


class LeaseLost(RegistreError):
    """The token is no longer the job's: somebody else owns it. Drop everything and write nothing."""


class Unavailable(RegistreError):
    """A service we need is away; trying later is right (exit code 75)."""

    kind: ErrorKind


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    kind = ErrorKind.DATABASE_UNAVAILABLE


class StoreUnavailable(Unavailable):
    """A bucket or the spool's disk refuses or does not answer; the file is kept and sent again."""

    kind = ErrorKind.STORE_UNAVAILABLE


class BrokerUnavailable(Unavailable):
    """The broker of the tasks does not answer; what it would have told is found without it, some seconds later."""


class SiteError(RegistreError):
    """Root of what the registry's site, or the browser in front of it, can do to an attempt.

    `said` is what the site itself said of it, verbatim; '' when it said nothing.
    """

    kind: ErrorKind

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class DataError(SiteError):
    """The site answered, and the order as written cannot be served; said to the requester, in the site's own words."""

    def __init__(self, kind: ErrorKind, message: str, *, needs_review: bool = False, said: str = "") -> None:
        super().__init__(message, said=said)
        self.kind = kind
        self.needs_review = needs_review


class DocumentError(SiteError):
    """The file saved is not a PDF, is cut, or is another document than the one asked for."""

    kind = ErrorKind.BAD_DOCUMENT


class AccountError(SiteError):
    """The account cannot be used: refused, locked, or asked a question only its owner can answer."""

    def __init__(self, kind: ErrorKind, message: str, *, said: str = "") -> None:
        super().__init__(message, said=said)
        self.kind = kind


class SessionExpired(SiteError):
    """The site sent us back to its login page."""

    kind = ErrorKind.SESSION_EXPIRED


class SiteUnavailable(SiteError):
    """The site is away, failing (5xx), closed or in maintenance: nobody's fault and nobody's attempt."""

    kind = ErrorKind.SITE_UNAVAILABLE


class LayoutChanged(SiteError):
    """A page answered without the landmark that proves what it is; the profile must be verified for `source`."""

    kind = ErrorKind.LAYOUT_CHANGED

    def __init__(self, message: str, *, source: str | None = None, landmark: str | None = None) -> None:
        super().__init__(message)
        self.source = source
        self.landmark = landmark


class BrowserFailed(SiteError):
    """Chromium or its driver crashed, hung or ran over a budget; the session must be opened again."""

    kind = ErrorKind.BROWSER_FAILED


class Aborted(RegistreError):
    """A drain or a cancel interrupted page work before anything was bought."""


class Overdue(RegistreError):
    """The attempt ran past its own deadline, and was stopped before anything was bought."""
