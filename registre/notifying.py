"""Telling other programs what happened: events become notices, notices are sent and sent again.

Invariant: the database remembers; whatever sends may die at any point, and what it had not noted is sent again.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from registre import alerts
from registre.errors import RegistreError
from registre.language import Language
from registre.ports import Webhooks
from registre.webhooks import RETRY_AFTER, Notice, NoticeId

log = logging.getLogger(__name__)

HOLD_SECONDS = 60.0
"""Longer than any try takes."""


class NotTaken(RegistreError):
    """The other side cannot be reached, may not be, or did not take the notice; `status` is its answer's, if any."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Poster(Protocol):
    """Sends one notice. Thread-safe."""

    def post(self, notice: Notice, body: bytes, at: datetime) -> int:
        """The status of the answer that took it; NotTaken otherwise."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """Any thread, any host."""

    webhooks: Webhooks
    poster: Poster

    def plan(self) -> list[NoticeId]:
        """Turn what happened into notices; returns those that are due, of whatever age."""
        self.webhooks.plan()
        return self.webhooks.due()

    def send(self, notice_id: NoticeId) -> str:
        """'delivered', 'again' (later), 'given up', or 'gone' when somebody else has it or it is over."""
        notice = self.webhooks.claim(notice_id, HOLD_SECONDS)
        if notice is None:
            return "gone"
        try:
            status = self.poster.post(notice, body_of(notice), datetime.now(UTC))
        except NotTaken as error:
            again = RETRY_AFTER[notice.attempts - 1] if notice.attempts <= len(RETRY_AFTER) else None
            self.webhooks.note(notice_id, error.status, error.message, again)
            return "again" if again is not None else "given up"
        self.webhooks.note(notice_id, status, None, None)
        return "delivered"


def body_of(notice: Notice) -> bytes:
    """What is signed and sent: the same bytes at every try. An alert is also told in words."""
    data = notice.body
    if notice.kind in alerts.EVENTS:
        about, subject, facts = str(data["about"]), str(data["subject"]), data["facts"]
        data = {**data, "sentence": {str(each): alerts.sentence(about, subject, facts, each) for each in Language}}
    told = {"type": notice.kind, "timestamp": notice.created_at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
