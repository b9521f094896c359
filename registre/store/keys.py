"""Keys, and requests that may come twice, over the gateway (sql/15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registre.access import SESSION, KeyView, KnownKey, NewKey, Role
from registre.batch import BatchId, NewBatch
from registre.database.gateway import Gateway, Json
from registre.job import JobId, Order
from registre.repeats import KEPT, Once, Outcome
from registre.store.rows import order_fields


class Keys:
    """Implements `registre.ports.KeyRing`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def add(self, key: NewKey, name: str, role: Role, author: str, *, only_first: bool = False) -> bool:
        row = self._gateway.call(
            "add_key",
            prefix=key.prefix,
            digest=key.digest,
            name=name,
            role=str(role),
            author=author,
            only_first=only_first,
        )[0]
        return bool(row["add_key"])

    def all(self) -> list[KeyView]:
        return [KeyView(**{**row, "role": Role(row["role"])}) for row in self._gateway.call("list_keys")]

    def find(self, prefix: str) -> KnownKey | None:
        return _known(self._gateway.call("find_key", prefix=prefix))

    def note_use(self, prefix: str) -> None:
        self._gateway.call("note_key", prefix=prefix)

    def revoke(self, prefix: str, author: str) -> None:
        self._gateway.call("revoke_key", prefix=prefix, author=author)

    def open_session(self, session: str, prefix: str) -> None:
        self._gateway.call("open_web_session", digest=session, prefix=prefix, seconds=SESSION.total_seconds())

    def find_session(self, session: str) -> KnownKey | None:
        return _known(self._gateway.call("find_web_session", digest=session))

    def close_session(self, session: str) -> None:
        self._gateway.call("close_web_session", digest=session)


class Requests:
    """Implements `registre.ports.Repeatable`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def recall(self, once: Once) -> Outcome | None:
        rows = self._gateway.call("recall_request", **_fields(once))
        return _outcome(rows[0]) if rows else None

    def submit(self, once: Once, orders: Sequence[Order]) -> Outcome:
        return _outcome(
            self._gateway.call("submit_jobs_once", **_fields(once), orders=Json([order_fields(o) for o in orders]))[0]
        )

    def submit_batch(self, once: Once, batch: NewBatch, orders: Sequence[Order]) -> Outcome:
        return _outcome(
            self._gateway.call(
                "submit_batch_once",
                **_fields(once),
                name=batch.name,
                client=batch.client,
                author=batch.author,
                cap_cents=batch.cap_cents,
                orders=Json([order_fields(o) for o in orders]),
            )[0]
        )

    def keep_answer(self, once: Once, answer: dict[str, Any]) -> None:
        self._gateway.call("keep_answer", sender=once.sender, key=once.key, answer=Json(answer))


def _known(rows: Sequence[Mapping[str, Any]]) -> KnownKey | None:
    return KnownKey(**{**rows[0], "role": Role(rows[0]["role"])}) if rows else None


def _fields(once: Once) -> dict[str, Any]:
    return {
        "sender": once.sender,
        "key": once.key,
        "hash": once.request_hash,
        "kept_seconds": KEPT.total_seconds(),
    }


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(
        jobs=tuple(JobId(str(job)) for job in row["jobs"]),
        batch_id=BatchId(str(row["batch_id"])) if row["batch_id"] else None,
        repeated=row["repeated"],
        answer=row["answer"],
    )
