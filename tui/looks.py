"""How states look: a glyph, a word and a colour for each.

Invariant: no state is told by its colour alone; a glyph has an ASCII twin. Colours are names of the theme's variables.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.tongue import N_
from tui.wire import Account, SignInTest


@dataclass(frozen=True, slots=True)
class Look:
    """`word` is English, said in the operator's language where it is drawn."""

    glyph: str
    plain: str
    word: str
    colour: str


WORKING = Look("▶", ">", N_("at work"), "primary")
SIGNED_IN = Look("●", "*", N_("signed in"), "success")
SIGNING_IN = Look("◔", "~", N_("signing in"), "primary")
TROUBLED = Look("!", "!", N_("in trouble"), "error")
FREE = Look("○", "o", N_("free"), "text-muted")
PAUSED = Look("‖", "=", N_("paused"), "warning")
SET_ASIDE = Look("✗", "x", N_("set aside"), "error")
INACTIVE = Look("-", "-", N_("inactive"), "text-muted")
SILENT = Look("?", "?", N_("not heard of"), "warning")

STATUSES = {
    "En attente": Look("…", ".", N_("waiting"), "warning"),
    "En traitement": Look("▶", ">", N_("in progress"), "primary"),
    "Complété": Look("✓", "v", N_("completed"), "success"),
    "Erreur": Look("✗", "x", N_("failed"), "error"),
}

PURCHASES = {
    "intended": Look("…", ".", N_("intended"), "warning"),
    "void": Look("-", "-", N_("void"), "text-muted"),
    "charged": Look("$", "$", N_("charged"), "warning"),
    "secured": Look("◆", "#", N_("secured"), "primary"),
    "delivered": Look("✓", "v", N_("delivered"), "success"),
    "ambiguous": Look("?", "?", N_("ambiguous"), "error"),
}

TESTS = {
    "ok": Look("✓", "v", N_("sign-in works"), "success"),
    "refused": Look("✗", "x", N_("sign-in refused"), "error"),
    "unreachable": Look("!", "!", N_("not reached"), "warning"),
}
TO_BE_TESTED = Look("…", ".", N_("to be tested"), "warning")

WELL = Look("●", "*", N_("well"), "success")
LATE = Look("!", "!", N_("late"), "warning")
AWAY = Look("✗", "x", N_("away"), "error")
NOTHING = Look("-", "-", N_("none"), "text-muted")
OPEN = Look("●", "*", N_("open"), "success")
CLOSED = Look("✗", "x", N_("closed"), "error")

GATES = {
    "hours": N_("hours"),
    "breaker": N_("breaker"),
    "frozen": N_("frozen source"),
    "pause": N_("pause"),
    "approval": N_("approval"),
    "budget": N_("budget"),
    "pace": N_("pace"),
    "account": N_("account"),
}

STEPS = {
    "signing in": N_("signing in"),
    "filling the form": N_("filling the form"),
    "submitting": N_("submitting"),
    "choosing from a list": N_("choosing from a list"),
    "confirming": N_("confirming"),
    "waiting for the viewer": N_("waiting for the viewer"),
    "saving the document": N_("saving the document"),
    "securing the document": N_("securing the document"),
}
"""A step that is none of these is shown as the worker wrote it."""

KINDS = {
    "not_found": N_("Not found"),
    "ambiguous_option": N_("Several options fit"),
    "ambiguous_plan": N_("Several plans fit"),
    "only_similar": N_("Only similar documents"),
    "paper_only": N_("On paper only"),
    "lot_inactive": N_("Inactive lot"),
    "unknown_sentence": N_("Sentence of the site that nobody has classed"),
    "invalid_order": N_("The order must be mended"),
    "bad_document": N_("Another document came"),
    "login_refused": N_("Sign-in refused"),
    "account_locked": N_("Account locked"),
    "identity_question": N_("The site asks a question"),
    "session_expired": N_("Session expired"),
    "site_unavailable": N_("The site is away"),
    "layout_changed": N_("The site has changed"),
    "browser_failed": N_("The browser failed"),
    "store_unavailable": N_("The bucket is away"),
    "database_unavailable": N_("The database is away"),
    "ambiguous_purchase": N_("May be billed: a person decides"),
    "secured_elsewhere": N_("Saved on a host that is away"),
    "abandoned": N_("Given up"),
    "attempts_exhausted": N_("Every attempt failed"),
    "overdue": N_("Took too long"),
    "deadline_passed": N_("Deadline passed"),
    "cancelled": N_("Cancelled"),
}
"""What went wrong; a kind that is none of these is shown as the server names it."""

ENDINGS = {
    "secured": N_("document saved"),
    "completed": N_("completed"),
    "reused": N_("already owned"),
    "failed": N_("failed"),
    "retried": N_("to be tried again"),
    "snoozed": N_("put off"),
    "released": N_("given back"),
    "reclaimed": N_("owner lost"),
    "cancelled": N_("cancelled"),
}
"""How an attempt ended."""


def of_status(status: str) -> Look:
    return STATUSES.get(status, Look("?", "?", status, "text-muted"))


def of_purchase(state: str) -> Look:
    return PURCHASES.get(state, Look("?", "?", state, "text-muted"))


def of_account(account: Account) -> Look:
    """What matters most of it: what a person closed, then its work, then its session."""
    match account.state, account.work:
        case "set aside", _:
            return SET_ASIDE
        case "paused", work if work != "busy":
            return PAUSED
        case "inactive", _:
            return INACTIVE
        case _, "busy":
            return WORKING
        case "free", _:
            return FREE
        case _, "error":
            return TROUBLED
        case _, "offline":
            is_between = account.test is not None and account.test.outcome is None
            return SIGNING_IN if is_between else SILENT  # let go for a test, and not yet claimed anew
        case _, _:
            return SIGNING_IN if account.step == "signing in" else SIGNED_IN


def of_test(test: SignInTest) -> Look:
    if test.outcome is None:
        return TO_BE_TESTED if test.began_at is None else SIGNING_IN
    return TESTS.get(test.outcome, Look("?", "?", test.outcome, "text-muted"))


def of_event(kind: str) -> str:
    """The colour of an event, whose kind is its word."""
    return "error" if kind in _ALARMING else "success" if kind in _PLEASING else "primary"


_ALARMING = {
    "job.failed",
    "purchase.ambiguous",
    "purchase.undelivered",
    "account.set_aside",
    "form.drifted",
    "site.away",
}
_PLEASING = {"job.completed", "job.reused", "purchase.delivered", "site.back", "account.restored"}
