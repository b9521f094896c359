"""The port `Webhooks` in memory."""

from __future__ import annotations

from datetime import timedelta

from registre.alerts import EVENTS
from registre.errors import NotFound
from registre.store.webhooks import UNREADABLE_AGAIN
from registre.vault import Unreadable, Vault, is_sealed
from registre.webhooks import NewWebhook, Notice, NoticeId, NoticeState, NoticeView, WebhookId, WebhookView
from tests.memory.state import NoticeRow, State, WebhookRow

NOBODY = object()
"""Whose an alert is: no client's and no batch's."""


class MemoryWebhooks:
    """Implements `registre.ports.Webhooks`. Thread-safe."""

    def __init__(self, state: State, vault: Vault | None = None) -> None:
        self._state = state
        self._vault = vault or Vault()

    def add(self, new: NewWebhook, secret: str, author: str) -> WebhookId:
        state = self._state
        with state.transaction() as now:
            if not state.webhooks:
                state.planned = len(state.events)
            kept = self._vault.seal(secret) if self._vault.can_seal else secret
            row = WebhookRow(WebhookId(state.new_id()), new, kept, author, now)
            state.webhooks[row.id] = row
            state.tell("webhook.added", None, now, webhook=row.id, name=new.name, author=author)
            return row.id

    def all(self) -> list[WebhookView]:
        with self._state.transaction():
            return [self._view(row) for row in self._state.webhooks.values()]

    def get(self, webhook_id: WebhookId) -> WebhookView:
        with self._state.transaction():
            return self._view(self._row(webhook_id))

    def remove(self, webhook_id: WebhookId, author: str) -> None:
        with self._state.transaction() as now:
            del self._state.webhooks[self._row(webhook_id).id]
            for notice in self._state.notices.values():
                if notice.webhook_id == webhook_id and notice.state is NoticeState.WAITING:
                    notice.state, notice.error, notice.next_at = NoticeState.GIVEN_UP, "the webhook was removed", None
                    notice.ended_at = now
            self._state.tell("webhook.removed", None, now, webhook=webhook_id, author=author)

    def test(self, webhook_id: WebhookId) -> NoticeId:
        with self._state.transaction() as now:
            row = self._row(webhook_id)
            notice = NoticeRow(NoticeId(self._state.new_id()), row.id, "webhook.test", {"webhook": row.id}, now, now)
            self._state.notices[notice.id] = notice
            return notice.id

    def notices(self, webhook_id: WebhookId, limit: int = 100) -> list[NoticeView]:
        with self._state.transaction():
            found = [row for row in self._state.notices.values() if row.webhook_id == webhook_id]
        return [row.view() for row in found[::-1][:limit]]

    def plan(self) -> int:
        state = self._state
        with state.transaction() as now:
            kept_from = now - timedelta(days=state.rules.notice_days)
            for row in list(state.notices.values()):
                if row.ended_at is not None and row.ended_at < kept_from:
                    del state.notices[row.id]
            if not state.webhooks:
                return 0
            before = len(state.notices)
            for event in state.events[state.planned :]:
                job = state.jobs.get(event.job_id) if event.job_id is not None else None
                for hook in state.webhooks.values():
                    new = hook.new
                    client, batch_id = (job.client, job.batch_id) if job is not None else (NOBODY, NOBODY)
                    if event.kind not in new.kinds or (job is None and event.kind not in EVENTS):
                        continue
                    if new.client in (None, client) and new.batch_id in (None, batch_id):
                        body = event.data
                        if job is not None:
                            body = {"extraction_id": job.id, "client": job.client, "status": event.data.get("status")}
                        row = NoticeRow(NoticeId(state.new_id()), hook.id, event.kind, body, now, now)
                        state.notices[row.id] = row
            state.planned = len(state.events)
            return len(state.notices) - before

    def due(self, limit: int = 100) -> list[NoticeId]:
        with self._state.transaction() as now:
            return [row.id for row in self._state.notices.values() if row.is_due(now)][:limit]

    def claim(self, notice_id: NoticeId, hold_seconds: float) -> Notice | None:
        with self._state.transaction() as now:
            row = self._state.notices[notice_id]
            if not row.is_due(now):
                return None
            row.attempts, row.next_at = row.attempts + 1, now + timedelta(seconds=hold_seconds)
            hook = self._state.webhooks[row.webhook_id]
            secret = hook.secret
            try:
                secret = self._vault.open(secret) if is_sealed(secret) else secret
            except Unreadable as error:
                row.error, row.next_at = f"Its secret cannot be read: {error}.", now + UNREADABLE_AGAIN
                return None
            return Notice(row.id, hook.new.url, secret, row.kind, row.body, row.created_at, row.attempts)

    def note(self, notice_id: NoticeId, status: int | None, error: str | None, again: timedelta | None) -> None:
        with self._state.transaction() as now:
            row = self._state.notices[notice_id]
            if row.state is not NoticeState.WAITING:
                return
            row.status, row.error = status, error
            row.next_at = None if again is None else now + again
            if error is None or again is None:
                row.state = NoticeState.DELIVERED if error is None else NoticeState.GIVEN_UP
                row.ended_at = now

    def _row(self, webhook_id: WebhookId) -> WebhookRow:
        row = self._state.webhooks.get(webhook_id)
        if row is None:
            raise NotFound("No webhook has this id.")
        return row

    def _view(self, row: WebhookRow) -> WebhookView:
        states = [notice.state for notice in self._state.notices.values() if notice.webhook_id == row.id]
        new = row.new
        return WebhookView(
            row.id, new.name, new.url, new.kinds, new.client, new.batch_id, row.author, row.created_at,
            states.count(NoticeState.WAITING), states.count(NoticeState.GIVEN_UP),
        )  # fmt: skip
