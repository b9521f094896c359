"""One attempt at one job: the order in which things are written, and what each interruption leaves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import registre.extraction
from registre import fate
from registre.document import DocumentRequest
from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DatabaseUnavailable,
    DataError,
    DocumentError,
    ErrorKind,
    LayoutChanged,
    LeaseLost,
    Refused,
    RegistreError,
    SessionExpired,
    SiteUnavailable,
    StoreUnavailable,
)
from registre.extraction import Ended, Secured
from registre.job import JobId
from registre.ledger import PurchaseId, Verdict
from registre.ports import Step
from registre.sentences import Heard
from tests.attempt import (
    DOCUMENT,
    Attempt,
)
from tests.fakes import document_of


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path)


def test_everything_is_written_in_its_order(attempt: Attempt) -> None:
    assert attempt.run() == Secured(PurchaseId("purchase-1"))
    assert attempt.script.calls == ["fill", "intend", "begin", "submit", "charge", "save", "keep", "secure"]
    assert attempt.ledger.notes == ["Lot inactif"]
    assert attempt.queue.ended == [], "the deliverer closes the job"
    assert attempt.spool.waiting() == ["purchase-1"]
    assert attempt.steps == [Step.FORM, Step.SUBMITTING, Step.SAVING, Step.SECURING]


def test_an_order_nobody_can_serve_ends_at_once_and_says_which_field(attempt: Attempt) -> None:
    attempt.request = DocumentRequest("testament", "5")  # type: ignore[arg-type]
    outcome = attempt.run()
    assert isinstance(outcome, Ended)
    assert outcome.message.startswith("document_source: 'testament' is unknown")
    assert attempt.queue.ended == [("fail", ErrorKind.INVALID_ORDER)]
    assert attempt.script.calls == ["fail"]


# -- the site's answers


def test_a_form_without_a_right_option_ends_before_any_intent(attempt: Attempt) -> None:
    attempt.script.at("fill", DataError(ErrorKind.AMBIGUOUS_OPTION, "Chicoutimi: four answers."))
    assert attempt.ends().session is fate.Session.KEEP
    assert attempt.queue.ended == [("fail", ErrorKind.AMBIGUOUS_OPTION)]
    assert attempt.script.count("intend") == 0


def test_an_answer_that_is_not_the_viewer_voids_the_intent_and_then_fails(attempt: Attempt) -> None:
    attempt.script.at("submit", DataError(ErrorKind.NOT_FOUND, "Aucune inscription."))
    assert attempt.ends().session is fate.Session.KEEP
    assert attempt.script.calls == ["fill", "intend", "begin", "submit", "void", "fail"]
    assert attempt.spool.interrupted() == []


def test_a_site_in_maintenance_voids_the_intent_and_puts_off(attempt: Attempt) -> None:
    attempt.script.at("submit", SiteUnavailable("Le site est en maintenance."))
    assert attempt.ends().delay > timedelta(0)
    assert attempt.script.calls == ["fill", "intend", "begin", "submit", "evidence", "void", "snooze"]


@pytest.mark.parametrize(
    "error",
    [BrowserFailed("gone"), LayoutChanged("no landmark"), TimeoutError(), Aborted("late"), StoreUnavailable("x")],
)
def test_any_other_trouble_while_submitting_is_ambiguous(attempt: Attempt, error: Exception) -> None:
    attempt.script.at("submit", error)
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.script.count("ambiguous") == 1
    assert attempt.script.count("void") == 0
    assert attempt.script.count("submit") == 1
    assert attempt.queue.ended == []


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (BrowserFailed("gone"), ("snooze", ErrorKind.BROWSER_FAILED)),
        (LayoutChanged("no landmark"), ("snooze", ErrorKind.LAYOUT_CHANGED)),
        (SiteUnavailable("503"), ("snooze", ErrorKind.SITE_UNAVAILABLE)),
        (AccountError(ErrorKind.ACCOUNT_LOCKED, "locked"), ("release", "locked")),
        (ValueError("a bug"), ("retry", ErrorKind.BROWSER_FAILED)),
        (DocumentError("x"), ("retry", ErrorKind.BAD_DOCUMENT)),
    ],
)
def test_trouble_before_the_intent_is_never_ambiguous(
    attempt: Attempt, error: Exception, end: tuple[str, object]
) -> None:
    attempt.script.at("fill", error)
    attempt.ends()
    assert attempt.queue.ended == [end]
    assert attempt.script.count("intend") == 0


# -- a session that expires


def test_a_session_that_expired_before_the_click_signs_in_again_in_the_same_attempt(attempt: Attempt) -> None:
    attempt.script.at("fill", SessionExpired("expired"))
    assert isinstance(attempt.run(), Secured)
    assert attempt.script.calls[:4] == ["fill", "sign_in", "fill", "intend"]
    assert attempt.ledger.opened == 1


def test_a_session_that_expired_at_the_click_voids_and_intends_anew(attempt: Attempt) -> None:
    attempt.script.at("submit", SessionExpired("expired"))
    assert attempt.run() == Secured(PurchaseId("purchase-2"))
    assert attempt.script.calls[:10] == [
        "fill", "intend", "begin", "submit", "void", "sign_in", "fill", "intend", "begin", "submit",
    ]  # fmt: skip
    assert attempt.spool.waiting() == ["purchase-2"]
    assert attempt.spool.interrupted() == []


@pytest.mark.parametrize("where", ["fill", "submit"])
def test_a_session_that_expires_twice_ends_the_attempt(attempt: Attempt, where: str) -> None:
    attempt.script.at(where, SessionExpired("expired"), SessionExpired("expired"))
    assert attempt.ends().session is fate.Session.REOPEN
    assert attempt.queue.ended == [("retry", ErrorKind.SESSION_EXPIRED)]
    assert attempt.script.count("sign_in") == 1
    assert attempt.script.count("void") == attempt.script.count("intend")


def test_an_account_refused_while_signing_in_again_is_given_back(attempt: Attempt) -> None:
    attempt.script.at("fill", SessionExpired("expired"))
    attempt.script.at("sign_in", AccountError(ErrorKind.LOGIN_REFUSED, "refused"))
    assert attempt.ends().session is fate.Session.SET_ASIDE
    assert attempt.queue.ended == [("release", "refused")]


@pytest.mark.parametrize("charge_written", [True, False])
def test_a_session_that_expires_while_saving_voids_nothing_and_buys_nothing_more(
    attempt: Attempt, *, charge_written: bool
) -> None:
    if not charge_written:
        attempt.script.at("charge", DatabaseUnavailable("away"))
    attempt.script.at("save", SessionExpired("expired"))
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.script.count("void") == 0
    assert attempt.script.count("submit") == 1
    assert attempt.script.count("ambiguous") == 1


# -- the document


@pytest.mark.parametrize("bad", [DOCUMENT[:-200], b"<html>", document_of("2784196"), b""])
def test_a_bad_file_is_saved_again_from_the_open_viewer(attempt: Attempt, bad: bytes) -> None:
    attempt.session.saves = [bad, bad, DOCUMENT]
    assert isinstance(attempt.run(), Secured)
    assert attempt.script.calls[4:] == ["charge", "save", "save", "save", "keep", "secure"]
    assert attempt.script.count("submit") == 1


def test_a_save_that_brings_nothing_is_repeated(attempt: Attempt) -> None:
    attempt.script.at("save", DocumentError("no download"), FileNotFoundError())
    assert isinstance(attempt.run(), Secured)
    assert attempt.script.count("save") == 3


def test_a_viewer_that_never_gives_a_file_is_told_in_a_sentence(attempt: Attempt) -> None:
    attempt.script.at("save", *[FileNotFoundError(2, "No such file or directory")] * 3)
    attempt.ends()
    assert attempt.ledger.reasons == ["No document was saved"]


def test_a_file_bad_three_times_is_held_and_ambiguous(attempt: Attempt, tmp_path: Path) -> None:
    attempt.session.saves = [DOCUMENT[:-200]]
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.script.count("save") == 3
    assert attempt.script.before("hold", "ambiguous")
    held = tmp_path / "spool" / "held" / "purchase-1" / "document.pdf"
    assert held.read_bytes() == DOCUMENT[:-200]
    assert attempt.ledger.reasons == ["The PDF saved is cut short"]
    assert attempt.queue.ended == []


def test_a_disk_that_refuses_to_keep_leaves_the_document_for_recovery(attempt: Attempt) -> None:
    attempt.script.at("keep", *[StoreUnavailable("The spool's disk refuses to keep the document.")] * 3)
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.script.count("submit") == 1
    [found] = attempt.spool.interrupted()
    assert found.path.read_bytes() == DOCUMENT


# -- a database, a disk or a lease that goes away


@pytest.mark.parametrize("where", ["save", "keep"])
def test_a_billed_document_waits_in_its_viewer_while_the_disk_is_full(
    attempt: Attempt, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registre.extraction, "ROOM_LOOK_SECONDS", 0.001)

    def fill_up() -> None:
        attempt.spool.full_for = 20
        raise StoreUnavailable("The disk is full; the document could not be saved.")

    attempt.script.at(where, fill_up, fill_up, fill_up, fill_up)
    assert isinstance(attempt.run(), Secured)
    assert (attempt.script.count("submit"), attempt.script.count(where)) == (1, 5)


def test_a_disk_that_stays_full_leaves_it_to_a_person_in_a_sentence(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registre.extraction, "ROOM_SECONDS", 0.05)
    monkeypatch.setattr(registre.extraction, "ROOM_LOOK_SECONDS", 0.001)

    def fill_up() -> None:
        attempt.spool.full_for = 1_000_000
        raise StoreUnavailable("The disk is full; the document could not be saved.")

    attempt.script.at("save", fill_up)
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.ledger.reasons == ["The disk is full; the document could not be saved"]


@pytest.mark.parametrize("error", [LeaseLost("lost"), DatabaseUnavailable("away"), Refused("refused")])
def test_a_charge_that_cannot_be_written_does_not_stop_the_saving(attempt: Attempt, error: RegistreError) -> None:
    attempt.script.at("charge", error)
    assert isinstance(attempt.run(), Secured)
    assert attempt.script.calls[4:] == ["charge", "save", "keep", "secure"]


@pytest.mark.parametrize("error", [LeaseLost("lost"), DatabaseUnavailable("away"), Refused("refused")])
def test_a_secured_file_is_secured_though_the_ledger_cannot_hear_it(attempt: Attempt, error: RegistreError) -> None:
    attempt.script.at("secure", error)
    assert attempt.run() == Secured(PurchaseId("purchase-1"))
    assert attempt.spool.waiting() == ["purchase-1"]


@pytest.mark.parametrize("error", [LeaseLost("lost"), DatabaseUnavailable("away")])
def test_without_the_ledgers_word_nothing_is_clicked_and_nothing_written(
    attempt: Attempt, error: RegistreError
) -> None:
    attempt.script.at("intend", error)
    assert attempt.ends().job is fate.Job.DROP
    assert attempt.script.calls == ["fill", "intend"]


def test_an_intent_the_ledger_refuses_is_no_click(attempt: Attempt) -> None:
    attempt.script.at("intend", Refused("The document of this job may already be bought."))
    attempt.ends()
    assert attempt.script.count("submit") == 0


def test_a_full_disk_is_found_before_the_click(attempt: Attempt) -> None:
    attempt.script.at("begin", StoreUnavailable("The spool's disk refuses to write."))
    decided = attempt.ends()
    assert (decided.job, decided.session) == (fate.Job.SNOOZE, fate.Session.KEEP)
    assert [call for call in attempt.script.calls if call != "evidence"] == [
        "fill",
        "intend",
        "begin",
        "void",
        "snooze",
    ]


def test_a_document_somebody_else_is_buying_is_waited_for(attempt: Attempt) -> None:
    attempt.ledger.verdict = Verdict.IN_PROGRESS
    assert attempt.ends().session is fate.Session.KEEP
    assert attempt.script.calls == ["fill", "intend", "snooze"]


def test_a_cancelled_job_ends_as_cancelled(attempt: Attempt) -> None:
    attempt.ledger.verdict = Verdict.CANCELLED
    attempt.ends()
    assert attempt.queue.ended == [("fail", ErrorKind.CANCELLED)]
    assert attempt.script.count("submit") == 0


@pytest.mark.parametrize("end", ["fail", "void"])
@pytest.mark.parametrize(
    "error", [LeaseLost("lost"), DatabaseUnavailable("away"), Refused("no"), RuntimeError("a bug")]
)
def test_an_end_that_cannot_be_written_is_dropped_and_never_raised(
    attempt: Attempt, end: str, error: Exception
) -> None:
    attempt.script.at("submit", DataError(ErrorKind.NOT_FOUND, "Aucune inscription."))
    attempt.script.at(end, error)
    assert attempt.ends().job is fate.Job.DROP


def test_a_void_that_cannot_be_written_ends_the_attempt_without_a_second_click(attempt: Attempt) -> None:
    attempt.script.at("submit", SessionExpired("expired"))
    attempt.script.at("void", DatabaseUnavailable("away"))
    assert attempt.ends().job is fate.Job.DROP
    assert attempt.script.count("submit") == 1


def test_evidence_that_cannot_be_had_changes_nothing(attempt: Attempt) -> None:
    attempt.script.at("submit", BrowserFailed("gone"))
    attempt.script.at("evidence", RuntimeError("the browser is gone too"))
    assert attempt.ends().kind is ErrorKind.AMBIGUOUS_PURCHASE
    assert attempt.script.count("ambiguous") == 1


# -- being stopped


@pytest.mark.parametrize("where", ["fill", "intend_before"])
def test_a_stop_before_the_intent_gives_the_job_back(attempt: Attempt, where: str) -> None:
    extraction = attempt.make()

    def stop() -> None:
        assert extraction.stop()

    if where == "fill":
        attempt.script.at("fill", stop)
    else:
        assert extraction.stop()
        attempt.session.interrupted = False  # the page work ended just before it was told
    assert attempt.ends().job is fate.Job.RELEASE
    assert attempt.script.count("intend") == 0


@pytest.mark.parametrize("where", ["intend", "begin", "submit", "charge", "save", "keep", "secure"])
def test_a_stop_after_the_intent_is_refused_and_the_document_is_secured(attempt: Attempt, where: str) -> None:
    extraction = attempt.make()
    answers: list[bool] = []
    attempt.script.at(where, lambda: answers.append(extraction.stop()))
    assert isinstance(attempt.run(), Secured)
    assert answers == [False]
    assert not attempt.session.interrupted


def test_a_stop_between_two_intents_is_honoured(attempt: Attempt) -> None:
    extraction = attempt.make()

    def stop() -> None:
        assert extraction.stop()

    attempt.script.at("submit", SessionExpired("expired"))
    attempt.script.at("sign_in", stop)
    assert attempt.ends().job is fate.Job.RELEASE
    assert attempt.script.count("submit") == 1
    assert attempt.script.count("void") == 1


# -- what the site said


def test_the_words_that_ended_an_attempt_are_kept_after_its_end_is_written(attempt: Attempt) -> None:
    refusal = DataError(
        ErrorKind.UNKNOWN_SENTENCE, "La demande est refusée.", needs_review=True, said="La demande est refusée."
    )
    attempt.script.at("submit", refusal)
    assert attempt.ends().job is fate.Job.FAIL
    assert attempt.sentences.heard == [
        (Heard("La demande est refusée.", "index", ErrorKind.UNKNOWN_SENTENCE, True), JobId("job"))
    ]
    assert attempt.script.before("fail", "note")


def test_what_is_said_of_the_whole_site_is_of_no_source(attempt: Attempt) -> None:
    attempt.script.at("fill", SiteUnavailable("The site is closed: Fermé.", said="Fermé."))
    attempt.ends()
    assert attempt.sentences.heard == [(Heard("Fermé.", "", ErrorKind.SITE_UNAVAILABLE, False), JobId("job"))]


def test_a_refusal_of_our_own_is_no_sentence_of_the_site(attempt: Attempt) -> None:
    attempt.script.at("fill", DataError(ErrorKind.AMBIGUOUS_OPTION, "The cadastre 'x' does not name one choice."))
    attempt.ends()
    assert attempt.sentences.heard == []


@pytest.mark.parametrize("trouble", [DatabaseUnavailable("away"), RuntimeError("a bug of ours")])
def test_words_that_cannot_be_kept_change_nothing_of_the_end(attempt: Attempt, trouble: Exception) -> None:
    attempt.script.at("note", trouble)
    attempt.script.at("submit", DataError(ErrorKind.NOT_FOUND, "Inexistant.", said="Inexistant."))
    assert attempt.ends().kind is ErrorKind.NOT_FOUND
    assert attempt.queue.ended == [("fail", ErrorKind.NOT_FOUND)]
