"""What those who come from outside need: keys, requests sent twice, other programs that are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from registre.access import KeyView, KnownKey, NewKey, Role
from registre.batch import NewBatch
from registre.job import Order
from registre.repeats import Once, Outcome
from registre.webhooks import NewWebhook, Notice, NoticeId, NoticeView, WebhookId, WebhookView


class KeyRing(Protocol):
    """The keys of the HTTP API."""

    def add(self, key: NewKey, name: str, role: Role, author: str, *, only_first: bool = False) -> bool:
        """Keep a key. With `only_first` False is answered, and nothing kept, when there was ever a key before."""

    def all(self) -> list[KeyView]:
        """Oldest first, revoked ones included."""

    def find(self, prefix: str) -> KnownKey | None: ...

    def note_use(self, prefix: str) -> None:
        """It was used now; exact to the minute."""

    def revoke(self, prefix: str, author: str) -> None:
        """From now on it opens nothing, nor do the sessions it began. NotFound; Refused when it is revoked already."""

    def open_session(self, session: str, prefix: str) -> None:
        """A person has signed in with this key; `session` is `registre.access.session_digest` of what their browser holds."""

    def find_session(self, session: str) -> KnownKey | None:
        """The key behind a session that lasts; None for any other."""

    def close_session(self, session: str) -> None: ...


class Repeatable(Protocol):
    """Orders that are safe to send twice. OtherRequest when the key was given to another request."""

    def recall(self, once: Once) -> Outcome | None:
        """What became of it; None when it is new."""

    def submit(self, once: Once, orders: Sequence[Order]) -> Outcome:
        """As `JobQueue.submit`, in one transaction with the key."""

    def submit_batch(self, once: Once, batch: NewBatch, orders: Sequence[Order]) -> Outcome:
        """As `Batches.submit`, in one transaction with the key."""

    def keep_answer(self, once: Once, answer: dict[str, Any]) -> None:
        """What its sender is told now and at every repetition; the first counts."""


class Webhooks(Protocol):
    """Whom other programs are told through, and what they are still to be told."""

    def add(self, new: NewWebhook, secret: str, author: str) -> WebhookId:
        """It is told of what happens from now on."""

    def all(self) -> list[WebhookView]: ...

    def get(self, webhook_id: WebhookId) -> WebhookView:
        """NotFound when the id names nothing, or one that was removed."""

    def remove(self, webhook_id: WebhookId, author: str) -> None:
        """It is told nothing more. NotFound."""

    def test(self, webhook_id: WebhookId) -> NoticeId:
        """A notice that says no more than that it is one, due now. NotFound."""

    def notices(self, webhook_id: WebhookId, limit: int = 100) -> list[NoticeView]:
        """Newest first."""

    def plan(self) -> int:
        """Turn events into notices, each event once; returns how many were made. One caller at a time does it.

        Notices that ended longer ago than the rule `notice_days` are forgotten on the way.
        """

    def due(self, limit: int = 100) -> list[NoticeId]:
        """Those to be sent now."""

    def claim(self, notice_id: NoticeId, hold_seconds: float) -> Notice | None:
        """For one try, which counts; nobody else has it for so long. None when it is not due any more."""

    def note(self, notice_id: NoticeId, status: int | None, error: str | None, again: timedelta | None) -> None:
        """How the try went: delivered without an `error`, given up with one and without `again`."""
