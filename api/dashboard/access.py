"""Who may ask, and who is told: keys, and webhooks with what each was told. For admins.

Invariant: a key's text and a webhook's secret are shown once, by the answer to the form that made them, and by no address.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from api.access import needs
from api.dashboard.forms import UsesForm, acts, field, onward, shows
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore, caller_of
from api.webhooks import known_batch, webhook_id_of
from registre.access import Role, make_key
from registre.errors import Refused
from registre.operations import key_name, key_prefix, role_name
from registre.webhooks import KINDS, NewWebhook, checked, make_secret
from registre.wiring import Store

NOTICES_SHOWN = 50


@get("/access", **shows(Role.ADMIN))
def access(request: AnyRequest, store: UsesStore) -> Response[str]:
    return _page(request, store, live=True)


@post("/access/keys", opt=needs(Role.ADMIN), status_code=200, sync_to_thread=True)
def add_key(request: AnyRequest, form: UsesForm, store: UsesStore) -> Response[str]:
    name, role, key = key_name(field(form, "name")), role_name(field(form, "role")), make_key()
    store.keys.add(key, name, role, caller_of(request).name)
    return _page(request, store, made=key.text)


@post("/access/keys/{prefix:str}/revoke", **acts(Role.ADMIN))
def revoke_key(request: AnyRequest, prefix: FromPath[str], store: UsesStore) -> Redirect:
    known, caller = key_prefix(prefix, "this page"), caller_of(request)
    if known == caller.sender:
        raise Refused("This is the key you are signed in with; another admin's key revokes it.")
    store.keys.revoke(known, caller.name)
    return onward("/access", "changed")


@post("/access/webhooks", opt=needs(Role.ADMIN), status_code=200, sync_to_thread=True)
def add_webhook(request: AnyRequest, form: UsesForm, store: UsesStore) -> Response[str]:
    batch = field(form, "batch_id")
    new = NewWebhook(
        field(form, "name"),
        field(form, "url"),
        tuple(dict.fromkeys(field(form, "kinds").replace(",", " ").split())) or KINDS,
        field(form, "client") or None,
        known_batch(store, batch) if batch else None,
    )
    checked(new, private=request.app.state.private_webhooks)
    secret = make_secret()
    store.webhooks.add(new, secret, caller_of(request).name)
    return _page(request, store, made=secret)


@get("/access/webhooks/{webhook_id:str}", **shows(Role.ADMIN))
def webhook(request: AnyRequest, webhook_id: FromPath[str], store: UsesStore) -> Response[str]:
    """What it was told, and how that went."""
    known = store.webhooks.get(webhook_id_of(webhook_id))
    notices = store.webhooks.notices(known.id, NOTICES_SHOWN)
    return page(request, "webhook.html", live=True, webhook=known, notices=notices)


@post("/access/webhooks/{webhook_id:str}/test", **acts(Role.ADMIN))
def try_webhook(webhook_id: FromPath[str], store: UsesStore) -> Redirect:
    known = webhook_id_of(webhook_id)
    store.webhooks.test(known)
    return onward(f"/access/webhooks/{known}", "tried")


@post("/access/webhooks/{webhook_id:str}/remove", **acts(Role.ADMIN))
def remove_webhook(request: AnyRequest, webhook_id: FromPath[str], store: UsesStore) -> Redirect:
    store.webhooks.remove(webhook_id_of(webhook_id), caller_of(request).name)
    return onward("/access", "changed")


def _page(request: AnyRequest, store: Store, **more: Any) -> Response[str]:
    """`made` is what is shown once."""
    return page(
        request,
        "access.html",
        **{"made": None, **more},
        keys=[asdict(key) for key in store.keys.all()],
        own=caller_of(request).sender,
        roles=list(Role),
        webhooks=store.webhooks.all(),
        kinds=KINDS,
    )


HANDLED = [access, add_key, revoke_key, add_webhook, webhook, try_webhook, remove_webhook]
