"""Commands by their words: after `:` and in the palette, the same table for both.

Invariant: a word that is none is one sentence; a command does what its key does, boxes included.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from registre.access import Role
from registre.document import Source
from registre.language import Language
from tui.screens.fleet import change_pause
from tui.tongue import N_

if TYPE_CHECKING:
    from tui.app import Dashboard

SCOPES = ("site", "account", "client", "source")


@dataclass(frozen=True, slots=True)
class Verb:
    """`usage` is how it is written; `words` are its names; `run` gets what follows. One that needs nothing is in the palette."""

    usage: str
    words: tuple[str, ...]
    does: str
    run: Callable[[Dashboard, Sequence[str]], None]
    is_alone: bool = True


def run_words(app: Dashboard, text: str) -> None:
    """What was typed after `:`."""
    try:
        name, *rest = shlex.split(text)
    except ValueError:
        app.complain(app.tongue.say("A quotation mark is not closed."))
        return
    verb = next((verb for verb in VERBS if name.casefold() in verb.words), None)
    if verb is None:
        app.complain(app.tongue.say("'%(word)s' is no command; ? lists them.", word=name[:30]))
        return
    verb.run(app, rest)


def _show(mode: str, app: Dashboard, rest: Sequence[str]) -> None:
    if mode == "queue" and rest:
        app.show_queue(shlex.join(rest))
    else:
        app.action_show_view(mode)


def _job(app: Dashboard, rest: Sequence[str]) -> None:
    try:
        app.show_job(str(uuid.UUID(rest[0])))
    except (IndexError, ValueError):
        app.complain(app.tongue.say("Give the order's whole id: `:job ID`."))


def _gate(app: Dashboard, rest: Sequence[str], *, is_paused: bool) -> None:
    scope, name = (rest[0] if rest else "site"), " ".join(rest[1:])
    needs_name = scope in ("account", "source")
    if scope not in SCOPES or (needs_name and not name) or (scope == "site" and name):
        app.complain(
            app.tongue.say(
                "Say what: site, account CODE, client NAME or source %(sources)s.", sources=" | ".join(Source)
            )
        )
        return
    view = app.view
    if view is not None and view.permits(Role.OPERATOR):
        change_pause(view, scope, name, is_paused=is_paused)


def _theme(app: Dashboard, rest: Sequence[str]) -> None:
    if not rest:
        app.action_next_theme()
    elif rest[0] in app.available_themes:
        app.theme = rest[0]
    else:
        app.complain(app.tongue.say("'%(word)s' is no theme; ctrl+p shows them.", word=rest[0][:30]))


def _language(app: Dashboard, rest: Sequence[str]) -> None:
    other = Language.ENGLISH if app.tongue.language is Language.FRENCH else Language.FRENCH
    app.speak(Language(rest[0]) if rest and rest[0] in set(Language) else other)


def _press(key: str, app: Dashboard, rest: Sequence[str]) -> None:
    del rest
    app.simulate_key(key)


VERBS: tuple[Verb, ...] = (
    Verb(":fleet", ("fleet", "flotte"), N_("the fleet at one glance"), partial(_show, "fleet")),
    Verb(":queue [FILTER]", ("queue", "file"), N_("the orders; as status=failed source=acte"), partial(_show, "queue")),
    Verb(":failures", ("failures", "echecs", "échecs"), N_("what failed, by its cause"), partial(_show, "failures")),
    Verb(":batches", ("batches", "lots"), N_("the batches"), partial(_show, "batches")),
    Verb(":accounts", ("accounts", "comptes"), N_("the registry accounts"), partial(_show, "accounts")),
    Verb(":events", ("events", "evenements", "événements"), N_("what happens"), partial(_show, "events")),
    Verb(":costs", ("costs", "couts", "coûts"), N_("what was spent and what may be"), partial(_show, "costs")),
    Verb(":job ID", ("job", "commande"), N_("one order from its beginning"), _job, is_alone=False),
    Verb(
        ":pause [SCOPE NAME]",
        ("pause",),
        N_("start nothing more: site, account, client or source"),
        partial(_gate, is_paused=False),
    ),
    Verb(
        ":resume [SCOPE NAME]",
        ("resume", "reprendre"),
        N_("let it start again"),
        partial(_gate, is_paused=True),
    ),
    Verb(":retry", ("retry", "relancer"), N_("retry what is marked"), partial(_press, "R")),
    Verb(":cancel", ("cancel", "annuler"), N_("cancel what is marked"), partial(_press, "C")),
    Verb(":theme [NAME]", ("theme", "thème"), N_("other colours"), _theme),
    Verb(":lang [fr|en]", ("lang", "langue"), N_("the other language"), _language),
    Verb(":help", ("help", "aide"), N_("what the keys do"), lambda app, _: app.action_help()),
    Verb(":q", ("q", "quit", "quitter"), N_("leave; the fleet goes on"), lambda app, _: app.exit()),
)


class Commands(Provider):
    """The palette's commands, in the operator's language."""

    async def discover(self) -> Hits:
        app = cast("Dashboard", self.app)
        for verb in VERBS:
            if verb.is_alone:
                yield DiscoveryHit(app.tongue.say(verb.does), partial(verb.run, app, ()), help=verb.usage)

    async def search(self, query: str) -> Hits:
        app, matcher = cast("Dashboard", self.app), self.matcher(query)
        for verb in VERBS:
            told = app.tongue.say(verb.does)
            score = max(matcher.match(told), *(matcher.match(word) for word in verb.words))
            if verb.is_alone and score > 0:
                yield Hit(score, matcher.highlight(told), partial(verb.run, app, ()), help=verb.usage)
