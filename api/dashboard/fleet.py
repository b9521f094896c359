"""Accounts, and what keeps orders from starting: gates, pauses, rules, hours; the site's forms and sentences.

Invariant: a password goes in and never comes out; every change has its author.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from api.accounts import all_accounts
from api.dashboard.forms import UsesForm, acts, field, onward, shows
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore, caller_of
from api.gates import gates_of
from registre.access import Role
from registre.document import Source
from registre.errors import InvalidInput, NotFound, Refused
from registre.forms import FormStanding, standing_of
from registre.gates import PAUSE_SCOPES, Scope
from registre.operations import RULES, pause_reason, pause_target, rule_name, source_name, usable_password, user_code
from registre.wiring import Store

LISTED = 200


@get("/accounts", **shows())
def accounts(request: AnyRequest, store: UsesStore) -> Response[str]:
    limit = store.idleness.learnt().limit
    return page(
        request,
        "accounts.html",
        live=True,
        accounts=all_accounts(store),
        idle_limit=limit.total_seconds() if limit else None,
        gates=gates_of(store),
        why=store.gates.why(),
    )


@post("/accounts/add", **acts(Role.ADMIN))
def add(request: AnyRequest, form: UsesForm, store: UsesStore) -> Redirect:
    code = user_code(field(form, "username"))
    password = form.get("password")
    known = usable_password(password if isinstance(password, str) else "", "type one")
    store.accounts.add(code, known, caller_of(request).name)
    return onward("/accounts", "added")


@post("/accounts/{username:str}/pause", **acts(Role.OPERATOR))
def pause_account(request: AnyRequest, username: FromPath[str], form: UsesForm, store: UsesStore) -> Redirect:
    known = _known(store, username)
    store.gates.pause(Scope.ACCOUNT, known, caller_of(request).name, pause_reason(field(form, "reason")))
    return onward("/accounts", "paused")


@post("/accounts/{username:str}/resume", **acts(Role.OPERATOR))
def resume_account(request: AnyRequest, username: FromPath[str], store: UsesStore) -> Redirect:
    store.gates.resume(Scope.ACCOUNT, _known(store, username), caller_of(request).name)
    return onward("/accounts", "resumed")


@post("/accounts/{username:str}/restore", **acts(Role.OPERATOR))
def restore(request: AnyRequest, username: FromPath[str], store: UsesStore) -> Redirect:
    if not store.accounts.restore(_known(store, username), caller_of(request).name):
        raise Refused("This account is not set aside.")
    return onward("/accounts", "restored")


@post("/accounts/{username:str}/set-aside", **acts(Role.OPERATOR))
def put_aside(request: AnyRequest, username: FromPath[str], form: UsesForm, store: UsesStore) -> Redirect:
    known = _known(store, username)
    store.accounts.put_aside(known, pause_reason(field(form, "reason")), caller_of(request).name)
    return onward("/accounts", "aside")


@post("/accounts/{username:str}/test", **acts(Role.OPERATOR))
def ask_test(request: AnyRequest, username: FromPath[str], store: UsesStore) -> Redirect:
    store.accounts.ask_test(_known(store, username), caller_of(request).name)
    return onward("/accounts", "tested")


@get("/gates", **shows())
def gates(request: AnyRequest, store: UsesStore) -> Response[str]:
    values = store.gates.rules()
    return page(
        request,
        "gates.html",
        live=True,
        gates=gates_of(store),
        why=store.gates.why(),
        rules=[(name, getattr(values, name), meaning) for name, meaning in RULES.items()],
        hours=store.gates.hours(),
        holidays=store.gates.holidays(),
        scopes=PAUSE_SCOPES,
        forms=_met(store),
        sentences=store.sentences.all()[:LISTED],
    )


@post("/gates/pause", **acts(Role.OPERATOR))
def pause(request: AnyRequest, form: UsesForm, store: UsesStore) -> Redirect:
    name = field(form, "name")
    scope = pause_target(field(form, "scope"), name)
    store.gates.pause(scope, name, caller_of(request).name, pause_reason(field(form, "reason")))
    return onward("/gates", "paused")


@post("/gates/resume", **acts(Role.OPERATOR))
def resume(request: AnyRequest, form: UsesForm, store: UsesStore) -> Redirect:
    name = field(form, "name")
    store.gates.resume(pause_target(field(form, "scope"), name), name, caller_of(request).name)
    return onward("/gates", "resumed")


@post("/gates/rule", **acts(Role.ADMIN))
def rule(request: AnyRequest, form: UsesForm, store: UsesStore) -> Redirect:
    text = field(form, "value").replace(",", ".")
    try:
        value = float(text) if text else None
    except ValueError:
        raise InvalidInput("value", "a number is expected, or nothing for never.") from None
    store.gates.set_rule(rule_name(field(form, "rule")), value, caller_of(request).name)
    return onward("/gates", "changed")


@post("/gates/forms/{source:str}/accept", **acts(Role.OPERATOR))
def accept(request: AnyRequest, source: FromPath[str], store: UsesStore) -> Redirect:
    store.forms.accept(source_name(source), caller_of(request).name)
    return onward("/gates", "accepted")


def _met(store: Store) -> list[FormStanding]:
    """Of the sources whose form was met."""
    known, closed = store.forms.known(), store.gates.closures()
    return [standing_of(source, known, closed) for source in Source if any(form.source is source for form in known)]


def _known(store: Store, username: str) -> str:
    if username not in {view.username for view in store.accounts.all()}:
        raise NotFound("No account has this name.")
    return username


HANDLED = [
    accounts,
    add,
    pause_account,
    resume_account,
    restore,
    put_aside,
    ask_test,
    gates,
    pause,
    resume,
    rule,
    accept,
]
