"""What states, kinds and steps are called on the pages, each with its glyph and its class of colour.

Invariant: a state is never told by its colour alone. The sentences stand here in English, marked for the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from registre.job import Status


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is translated where it is shown."""
    return sentence


@dataclass(frozen=True, slots=True)
class Word:
    """`tone` is a class of the style sheet: good, busy, idle, bad, off or held."""

    glyph: str
    text: str
    tone: str


STATUS = {
    Status.WAITING: Word("○", _("Waiting"), "idle"),
    Status.RUNNING: Word("◐", _("In progress"), "busy"),
    Status.DONE: Word("●", _("Completed"), "good"),
    Status.FAILED: Word("✕", _("Error"), "bad"),
}

SLUGS = {
    "queued": Status.WAITING,
    "processing": Status.RUNNING,
    "completed": Status.DONE,
    "failed": Status.FAILED,
}
"""As addresses name them."""

STANDING = {
    "idle": Word("○", _("ready"), "good"),
    "busy": Word("◐", _("at work"), "busy"),
    "error": Word("!", _("in trouble"), "bad"),
    "offline": Word("✕", _("dead"), "off"),
    "free": Word("·", _("not in use"), "off"),
    "signed in": Word("○", _("in use"), "good"),
    "set aside": Word("✕", _("set aside"), "bad"),
    "paused": Word("‖", _("paused"), "held"),
    "inactive": Word("·", _("inactive"), "off"),
}
"""Of an account: what holds it back, else what its worker does."""

SIGN_IN = {
    "ok": Word("●", _("the sign-in works"), "good"),
    "refused": Word("✕", _("the sign-in is refused"), "bad"),
    "unreachable": Word("!", _("the sign-in could not be tried"), "held"),
}
"""How a test ended."""

PURCHASE = {
    "intended": Word("◔", _("about to be bought"), "busy"),
    "void": Word("·", _("not bought"), "off"),
    "charged": Word("◑", _("billed"), "busy"),
    "secured": Word("◕", _("saved on its host"), "busy"),
    "delivered": Word("●", _("delivered"), "good"),
    "ambiguous": Word("?", _("may be billed"), "bad"),
}

NOTICE = {
    "waiting": Word("○", _("to be told"), "idle"),
    "delivered": Word("●", _("told"), "good"),
    "given up": Word("✕", _("given up"), "bad"),
}

SOURCES = {"acte": _("Acte"), "index": _("Index"), "plan_cadastraux": _("Cadastral plan")}

STEPS = {
    "signing in": _("signing in"),
    "filling the form": _("filling the form"),
    "submitting": _("submitting"),
    "choosing from a list": _("choosing from a list"),
    "confirming": _("confirming"),
    "waiting for the viewer": _("waiting for the viewer"),
    "saving the document": _("saving the document"),
    "securing the document": _("securing the document"),
}

KINDS = {
    "not_found": _("Not found"),
    "ambiguous_option": _("Several options fit"),
    "ambiguous_plan": _("Several plans fit"),
    "only_similar": _("Only similar documents"),
    "paper_only": _("On paper only"),
    "lot_inactive": _("Inactive lot"),
    "unknown_sentence": _("Sentence of the site that nobody has classed"),
    "invalid_order": _("The order must be mended"),
    "bad_document": _("Another document came"),
    "login_refused": _("Sign-in refused"),
    "account_locked": _("Account locked"),
    "identity_question": _("The site asks a question"),
    "session_expired": _("Session expired"),
    "site_unavailable": _("The site is away"),
    "layout_changed": _("The site has changed"),
    "browser_failed": _("The browser failed"),
    "store_unavailable": _("The bucket is away"),
    "database_unavailable": _("The database is away"),
    "ambiguous_purchase": _("May be billed: a person decides"),
    "secured_elsewhere": _("Saved on a host that is away"),
    "abandoned": _("Given up"),
    "attempts_exhausted": _("Every attempt failed"),
    "overdue": _("Took too long"),
    "deadline_passed": _("Deadline passed"),
    "cancelled": _("Cancelled"),
}

EVENTS = {
    "job.submitted": _("ordered"),
    "job.leased": _("taken by an account"),
    "job.step": _("step"),
    "job.released": _("given back"),
    "job.snoozed": _("put off"),
    "job.put_off": _("put off"),
    "job.retried": _("to be tried again"),
    "job.reclaimed": _("taken back from a silent owner"),
    "job.requeued": _("retried by a person"),
    "job.settled": _("decided by a person"),
    "job.cancel_requested": _("asked to stop"),
    "job.completed": _("completed"),
    "job.failed": _("ended in error"),
    "job.reused": _("served by a document already owned"),
    "purchase.intended": _("purchase begun"),
    "purchase.void": _("nothing was bought"),
    "purchase.charged": _("billed"),
    "purchase.secured": _("saved on its host"),
    "purchase.delivered": _("document in its bucket"),
    "purchase.ambiguous": _("may be billed"),
    "purchase.undelivered": _("its bucket does not take it"),
    "account.added": _("account added"),
    "account.set_aside": _("account set aside"),
    "account.restored": _("account put back"),
    "account.test_asked": _("test of a sign-in asked for"),
    "account.tested": _("sign-in tested"),
    "gate.paused": _("paused"),
    "gate.resumed": _("resumed"),
    "rule.changed": _("rule changed"),
    "hours.changed": _("hours changed"),
    "fee.changed": _("fee changed"),
    "budget.changed": _("budget changed"),
    "batch.submitted": _("batch ordered"),
    "batch.approved": _("batch approved"),
    "batch.cancelled": _("batch cancelled"),
    "form.accepted": _("form accepted"),
    "form.drifted": _("form has changed"),
    "key.added": _("key added"),
    "key.revoked": _("key revoked"),
    "webhook.added": _("webhook added"),
    "webhook.removed": _("webhook removed"),
    "site.away": _("the site is away"),
    "site.back": _("the site is back"),
    "source.frozen": _("source frozen"),
    "host.started": _("host started"),
}

SCOPES = {
    "site": _("everything"),
    "account": _("account"),
    "client": _("client"),
    "source": _("source"),
    "batch": _("batch"),
}

ENDINGS = {
    "secured": _("document saved"),
    "completed": _("completed"),
    "reused": _("already owned"),
    "failed": _("failed"),
    "retried": _("to be tried again"),
    "snoozed": _("put off"),
    "released": _("given back"),
    "reclaimed": _("owner lost"),
    "cancelled": _("cancelled"),
}

TOLD = {
    "retried": _("The order waits again."),
    "cancelled": _("The order is cancelled."),
    "stopping": _("The order is asked to stop."),
    "rebuy": _("The document is ordered anew."),
    "abandon": _("The document is given up."),
    "approved": _("The batch is approved."),
    "batch-cancelled": _("What had not ended of the batch is cancelled."),
    "ordered": _("The batch is ordered."),
    "added": _("The account is added."),
    "paused": _("Nothing new is started there any more."),
    "resumed": _("Orders are started again."),
    "restored": _("The account is back in service."),
    "aside": _("The account is set aside; its host lets it go within seconds."),
    "tested": _("The account signs in anew between two orders; how that went is shown here."),
    "accepted": _("The form is accepted, and its source goes on."),
    "changed": _("Changed."),
    "tried": _("A notice is on its way; the worker sends it within seconds."),
}
"""What was done, by the word that the next page's address carries."""
