"""Webhooks: whom other programs are told through, and what they are told.

Invariant: a notice is sent until it is taken or `RETRY_AFTER` is used up; it may arrive twice, under one id, when a sender dies.
It is signed after the convention of Standard Webhooks; the secret is shown when it is made, and to whoever sends. Once it is
over it is kept for the days of a rule.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from urllib.parse import urlsplit

from registre.errors import InvalidInput
from registre.plain import plain_text

WebhookId = NewType("WebhookId", str)
"""UUID of a `registre.webhooks` row, as text."""

NoticeId = NewType("NoticeId", str)
"""UUID of a `registre.notices` row, as text; the `webhook-id` of every try of it."""

KINDS = ("job.completed", "job.reused", "job.failed")
"""What a webhook is told of unless it asks for something else: every end of an order."""
MOST_KINDS = 20

RETRY_AFTER = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""After each try that was not taken; the spans that the convention proposes."""


class NoticeState(StrEnum):
    """Where a notice stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """Whom to tell of what; without client and batch, of everybody's orders."""

    name: str
    url: str
    kinds: tuple[str, ...] = KINDS
    client: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook as people see it; `waiting` and `given_up` count its notices."""

    id: WebhookId
    name: str
    url: str
    kinds: tuple[str, ...]
    client: str | None
    batch_id: str | None
    author: str
    created_at: datetime
    waiting: int
    given_up: int


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice as people see it: how often it was tried, and how the last try went."""

    id: NoticeId
    kind: str
    state: NoticeState
    attempts: int
    created_at: datetime
    next_at: datetime | None
    status: int | None
    error: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, claimed for one try."""

    id: NoticeId
    url: str
    secret: str = field(repr=False)
    kind: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int


def make_secret() -> str:
    """A new secret, as the convention writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def checked(new: NewWebhook, *, private: bool) -> NewWebhook:
    """`new`, or InvalidInput. Whether the address is a public one is asked at each try, as names change; here only its form."""
    if not new.name.strip():
        raise InvalidInput("name", "say whose webhook it is.")
    plain_text(new.name, "name", 100)
    checked_url(new.url, private=private)
    if not 1 <= len(new.kinds) <= MOST_KINDS or not all(
        re.fullmatch(r"[a-z]+\.[a-z_]{1,40}", kind) for kind in new.kinds
    ):
        raise InvalidInput("kinds", f"1 to {MOST_KINDS} kinds of events are expected, such as {KINDS[0]}.")
    if new.client is not None:
        plain_text(new.client, "client", 100)
    return new


def checked_url(url: str, *, private: bool) -> None:
    """`private` allows http, which is for one's own network."""
    plain_text(url, "url", 500)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    schemes = {"https", "http"} if private else {"https"}
    if not host or parts.scheme not in schemes or port == 0 or " " in url:
        raise InvalidInput("url", f"an address that begins with {' or '.join(sorted(schemes))}:// is expected.")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("url", "an address without a user and a password is expected; notices are signed.")
