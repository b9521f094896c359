"""Webhooks and their notices over the gateway (sql/17)."""

from __future__ import annotations

from datetime import timedelta

from registre.database.gateway import Gateway
from registre.errors import NotFound
from registre.vault import Unreadable, Vault, is_sealed
from registre.webhooks import NewWebhook, Notice, NoticeId, NoticeState, NoticeView, WebhookId, WebhookView

UNREADABLE_AGAIN = timedelta(minutes=5)


class WebhookBook:
    """Implements `registre.ports.Webhooks`. Thread-safe."""

    def __init__(self, gateway: Gateway, vault: Vault | None = None) -> None:
        self._gateway = gateway
        self._vault = vault or Vault()

    def add(self, new: NewWebhook, secret: str, author: str) -> WebhookId:
        row = self._gateway.call(
            "add_webhook",
            name=new.name,
            url=new.url,
            secret=self._vault.seal(secret) if self._vault.can_seal else secret,
            kinds=list(new.kinds),
            client=new.client,
            batch=new.batch_id,
            author=author,
        )[0]
        return WebhookId(str(row["add_webhook"]))

    def all(self) -> list[WebhookView]:
        return [_view(row) for row in self._gateway.call("list_webhooks")]

    def get(self, webhook_id: WebhookId) -> WebhookView:
        rows = self._gateway.call("list_webhooks", id=webhook_id)
        if not rows:
            raise NotFound("No webhook has this id.")
        return _view(rows[0])

    def remove(self, webhook_id: WebhookId, author: str) -> None:
        self._gateway.call("remove_webhook", id=webhook_id, author=author)

    def test(self, webhook_id: WebhookId) -> NoticeId:
        return NoticeId(str(self._gateway.call("test_webhook", id=webhook_id)[0]["test_webhook"]))

    def notices(self, webhook_id: WebhookId, limit: int = 100) -> list[NoticeView]:
        return [
            NoticeView(**{**row, "id": NoticeId(str(row["id"])), "state": NoticeState(row["state"])})
            for row in self._gateway.call("list_notices", webhook=webhook_id, limit=limit)
        ]

    def plan(self) -> int:
        return int(self._gateway.call("plan_notices")[0]["plan_notices"])

    def due(self, limit: int = 100) -> list[NoticeId]:
        return [NoticeId(str(row["id"])) for row in self._gateway.call("due_notices", limit=limit)]

    def claim(self, notice_id: NoticeId, hold_seconds: float) -> Notice | None:
        rows = self._gateway.call("claim_notice", id=notice_id, hold_seconds=hold_seconds)
        if not rows:
            return None
        secret = rows[0]["secret"]
        try:
            secret = self._vault.open(secret) if is_sealed(secret) else secret
        except Unreadable as error:
            # Another host may have the key, and sends it then.
            self.note(notice_id, None, f"Its secret cannot be read: {error}.", UNREADABLE_AGAIN)
            return None
        return Notice(**{**rows[0], "id": NoticeId(str(rows[0]["id"])), "secret": secret})

    def note(self, notice_id: NoticeId, status: int | None, error: str | None, again: timedelta | None) -> None:
        self._gateway.call(
            "note_notice",
            id=notice_id,
            status=status,
            error=error,
            again_seconds=again.total_seconds() if again is not None else None,
        )


def _view(row: dict[str, object]) -> WebhookView:
    batch = row["batch_id"]
    return WebhookView(
        **{  # type: ignore[arg-type]  # the columns of list_webhooks are its fields
            **row,
            "id": WebhookId(str(row["id"])),
            "kinds": tuple(row["kinds"]),  # type: ignore[arg-type]
            "batch_id": str(batch) if batch else None,
        }
    )
