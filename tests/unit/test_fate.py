"""Every error has a fate in every phase, and no error but three can undo an intent."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from registre import errors
from registre.errors import (
    AccountError,
    BrowserFailed,
    DatabaseUnavailable,
    DataError,
    DocumentError,
    ErrorKind,
    InvalidInput,
    LayoutChanged,
    LeaseLost,
    RegistreError,
    SessionExpired,
    SiteUnavailable,
    StoreUnavailable,
)
from registre.fate import Fate, Job, Phase, Session, decide

PROVES_NOT_BOUGHT = (DataError, SessionExpired, SiteUnavailable)
NOTHING_CAN_BE_WRITTEN = (LeaseLost, DatabaseUnavailable)


def every_error() -> Iterator[Exception]:
    for kind in vars(errors).values():
        if not inspect.isclass(kind) or not issubclass(kind, RegistreError):
            continue
        if kind is InvalidInput:
            yield InvalidInput("document_number", "a number is required.")
        elif kind in (DataError, AccountError):
            yield kind(ErrorKind.NOT_FOUND, "said")
        else:
            yield kind("said")
    yield ValueError("a bug")
    yield TimeoutError("late")


EVERY = list(every_error())


def name(value: object) -> str:
    return value.name if isinstance(value, Phase) else type(value).__name__


@pytest.mark.parametrize("phase", Phase, ids=name)
@pytest.mark.parametrize("error", EVERY, ids=name)
def test_every_error_has_a_fate_that_keeps_the_money_rules(error: Exception, phase: Phase) -> None:
    fate = decide(error, phase)
    if isinstance(error, NOTHING_CAN_BE_WRITTEN):
        assert fate.job is Job.DROP
    elif phase is Phase.CHARGED:
        assert fate.job is Job.AMBIGUOUS
    elif phase is Phase.INTENDED:
        assert (fate.job is Job.AMBIGUOUS) is not isinstance(error, PROVES_NOT_BOUGHT)
        assert fate.void is isinstance(error, PROVES_NOT_BOUGHT)
    else:
        assert fate.job is not Job.AMBIGUOUS
    assert fate.void is False or phase is Phase.INTENDED, "only an intent can be void"
    assert fate.kind is not None or fate.job in (Job.DROP, Job.RELEASE)
    assert not fate.rescued or fate.job is Job.SNOOZE
    assert (fate.delay.total_seconds() > 0) is (fate.job is Job.SNOOZE)


@pytest.mark.parametrize("phase", [Phase.INTENDED, Phase.CHARGED], ids=name)
@pytest.mark.parametrize("error", [BrowserFailed("x"), LayoutChanged("x"), DocumentError("x"), ValueError()], ids=name)
def test_an_ambiguous_purchase_says_so_and_reopens_the_session(error: Exception, phase: Phase) -> None:
    assert decide(error, phase) == Fate(Job.AMBIGUOUS, Session.REOPEN, ErrorKind.AMBIGUOUS_PURCHASE)


EXPECTED = [
    (DataError(ErrorKind.PAPER_ONLY, "x", needs_review=True), Job.FAIL, Session.KEEP, ErrorKind.PAPER_ONLY),
    (InvalidInput("cadastre", "x"), Job.FAIL, Session.KEEP, ErrorKind.INVALID_ORDER),
    (AccountError(ErrorKind.LOGIN_REFUSED, "x"), Job.RELEASE, Session.SET_ASIDE, ErrorKind.LOGIN_REFUSED),
    (SessionExpired("x"), Job.RETRY, Session.REOPEN, ErrorKind.SESSION_EXPIRED),
    (SiteUnavailable("x"), Job.SNOOZE, Session.REOPEN, ErrorKind.SITE_UNAVAILABLE),
    (LayoutChanged("x"), Job.SNOOZE, Session.REOPEN, ErrorKind.LAYOUT_CHANGED),
    (BrowserFailed("x"), Job.SNOOZE, Session.REOPEN, ErrorKind.BROWSER_FAILED),
    (StoreUnavailable("x"), Job.SNOOZE, Session.KEEP, ErrorKind.STORE_UNAVAILABLE),
    (errors.Aborted("x"), Job.RELEASE, Session.REOPEN, None),
    (ValueError(), Job.RETRY, Session.REOPEN, ErrorKind.BROWSER_FAILED),
]


@pytest.mark.parametrize(("error", "job", "session", "kind"), EXPECTED, ids=[name(e[0]) for e in EXPECTED])
def test_who_must_act_decides_before_anything_is_bought(
    error: Exception, job: Job, session: Session, kind: ErrorKind | None
) -> None:
    fate = decide(error, Phase.FREE)
    assert (fate.job, fate.session, fate.kind) == (job, session, kind)


def test_only_a_broken_browser_counts_as_a_rescue() -> None:
    assert [name(error) for error in EVERY if decide(error, Phase.FREE).rescued] == ["BrowserFailed"]


def test_a_doubtful_answer_of_the_site_is_kept_for_a_person_to_read() -> None:
    doubtful = DataError(ErrorKind.UNKNOWN_SENTENCE, "Phrase nouvelle", needs_review=True)
    assert decide(doubtful, Phase.INTENDED).needs_review
    assert not decide(DataError(ErrorKind.NOT_FOUND, "Aucun"), Phase.INTENDED).needs_review
