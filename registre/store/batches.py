"""Batches over the gateway (sql/12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.database.gateway import Gateway, Json
from registre.errors import NotFound
from registre.job import Order, Status
from registre.store.rows import order_fields


class BatchBook:
    """Implements `registre.ports.Batches`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def quote(self, orders: Sequence[Order]) -> Quote:
        rows = self._gateway.call("quote", orders=Json([order_fields(o) for o in orders]))
        price = sum(row["fee_cents"] for row in rows)
        threshold = self._gateway.call("list_rules")[0]["approval_above_cents"]
        return Quote(
            owned=tuple(row["owned"] for row in rows),
            repeated=tuple(row["repeated"] for row in rows),
            price_cents=price,
            needs_approval=threshold is not None and price > threshold,
        )

    def submit(self, batch: NewBatch, orders: Sequence[Order]) -> BatchView:
        row = self._gateway.call(
            "submit_batch",
            name=batch.name,
            client=batch.client,
            author=batch.author,
            cap_cents=batch.cap_cents,
            orders=Json([order_fields(o) for o in orders]),
        )[0]
        return self.get(BatchId(str(row["submit_batch"])))

    def get(self, batch_id: BatchId) -> BatchView:
        rows = self._gateway.call("batches_as_seen", id=batch_id)
        if not rows:
            raise NotFound(f"No batch has the id {batch_id}.")
        return _batch(rows[0])

    def all(self, limit: int = 50) -> list[BatchView]:
        return [_batch(row) for row in self._gateway.call("batches_as_seen", limit=limit)]

    def approve(self, batch_id: BatchId, author: str) -> None:
        self._gateway.call("approve_batch", batch=batch_id, author=author)

    def cancel(self, batch_id: BatchId, author: str, *, expected: int | None = None) -> int:
        row = self._gateway.call("cancel_batch", batch=batch_id, author=author, expected=expected)[0]
        return int(row["cancel_batch"])


def _batch(row: Mapping[str, Any]) -> BatchView:
    return BatchView(
        id=BatchId(str(row["id"])),
        name=row["name"],
        client=row["client"],
        author=row["author"],
        created_at=row["created_at"],
        price_cents=row["price_cents"],
        cap_cents=row["cap_cents"],
        needs_approval=row["needs_approval"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        counts={status: row["counts"].get(str(status), 0) for status in Status},
        spent_cents=int(row["spent_cents"]),
        reserved_cents=int(row["reserved_cents"]),
        done_at=row["done_at"],
    )
