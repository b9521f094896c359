"""Webhooks over HTTP: whom other programs are told through, tried out and followed.

Invariant: a secret is answered once, to whoever made the webhook.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, batch_id_of, caller_of, serves, uuid_of
from api.schemas import Asked, Wire
from registre.access import Role
from registre.errors import InvalidInput, NotFound
from registre.webhooks import KINDS, NewWebhook, NoticeState, WebhookId, WebhookView, checked, make_secret
from registre.wiring import Store


class Webhook(Wire):
    """`waiting` and `given_up` count what it is still to be told, and what it never took."""

    webhook_id: str
    name: str
    url: str
    kinds: tuple[str, ...]
    client: str | None
    batch_id: str | None
    author: str
    created_at: datetime
    waiting: int
    given_up: int


class WebhookMade(Wire):
    """`secret` is shown this once; receivers verify with it after the convention of Standard Webhooks."""

    webhook: Webhook
    secret: str


class WebhookList(Wire):
    webhooks: tuple[Webhook, ...]


class WebhookAsked(Asked):
    """Told of the orders of `client` or of `batch_id`; of everybody's without either."""

    name: Annotated[str, Meta(max_length=100, examples=["the firm's own system"])]
    url: Annotated[str, Meta(max_length=500, examples=["https://example.com/registre"])]
    kinds: Annotated[list[str], Meta(min_length=1, max_length=20)] | None = None
    client: Annotated[str, Meta(max_length=100)] | None = None
    batch_id: str | None = None


class Notice(Wire):
    """How often it was tried, and how the last try went."""

    id: str
    kind: str
    state: NoticeState
    attempts: int
    created_at: datetime
    next_at: datetime | None
    status: int | None
    error: str | None
    ended_at: datetime | None


class Notices(Wire):
    """Newest first."""

    notices: tuple[Notice, ...]


class Tested(Wire):
    """Sent within seconds; the notices of the webhook tell how it went."""

    notice_id: str


class Removed(Wire):
    webhook_id: str


@get("/", summary="List webhooks", **serves(Role.ADMIN))
def list_webhooks(store: UsesStore) -> WebhookList:
    return WebhookList(webhooks=tuple(_webhook(view) for view in store.webhooks.all()))


@post("/", summary="Tell another program", **serves(Role.ADMIN, 413))
def add_webhook(data: JSONBody[WebhookAsked], request: AnyRequest, store: UsesStore) -> WebhookMade:
    """Told of what happens from now on: retried for three days, signed, at least once. Its address must be a public one, by
    https, unless a setting says otherwise."""
    kinds = tuple(dict.fromkeys(data.kinds)) if data.kinds is not None else KINDS
    batch = known_batch(store, data.batch_id) if data.batch_id is not None else None
    new = NewWebhook(data.name, data.url, kinds, data.client, batch)
    checked(new, private=request.app.state.private_webhooks)
    secret = make_secret()
    webhook_id = store.webhooks.add(new, secret, caller_of(request).name)
    return WebhookMade(webhook=_webhook(store.webhooks.get(webhook_id)), secret=secret)


@get("/{webhook_id:str}", summary="Read a webhook", **serves(Role.ADMIN, 404))
def read_webhook(webhook_id: FromPath[str], store: UsesStore) -> Webhook:
    return _webhook(store.webhooks.get(webhook_id_of(webhook_id)))


@delete("/{webhook_id:str}", status_code=200, summary="Tell it nothing more", **serves(Role.ADMIN, 404))
def remove_webhook(webhook_id: FromPath[str], request: AnyRequest, store: UsesStore) -> Removed:
    known = webhook_id_of(webhook_id)
    store.webhooks.remove(known, caller_of(request).name)
    return Removed(webhook_id=known)


@post("/{webhook_id:str}/test", status_code=202, summary="Tell it that it is told", **serves(Role.ADMIN, 404))
def test_webhook(webhook_id: FromPath[str], store: UsesStore) -> Tested:
    return Tested(notice_id=store.webhooks.test(webhook_id_of(webhook_id)))


@get("/{webhook_id:str}/notices", summary="What it was told, and how that went", **serves(Role.ADMIN, 404))
def list_notices(
    webhook_id: FromPath[str], store: UsesStore, limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100
) -> Notices:
    known = store.webhooks.get(webhook_id_of(webhook_id)).id
    return Notices(notices=tuple(Notice(**asdict(notice)) for notice in store.webhooks.notices(known, limit)))


def webhook_id_of(text: str) -> WebhookId:
    return WebhookId(uuid_of(text, "webhook"))


def known_batch(store: Store, text: str) -> str:
    """InvalidInput for a batch that is not there."""
    try:
        return store.batches.get(batch_id_of(text)).id
    except NotFound as error:
        raise InvalidInput("batch_id", error.message) from None


def _webhook(view: WebhookView) -> Webhook:
    fields = asdict(view)
    return Webhook(webhook_id=fields.pop("id"), **fields)


ROUTER = Router(
    "/api/webhooks",
    route_handlers=[list_webhooks, add_webhook, read_webhook, remove_webhook, test_webhook, list_notices],
    request_max_body_size=20_000,
    tags=["webhooks"],
)
