"""The ledger over the gateway (sql/06, and deliver of sql/07)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registre.database.gateway import Gateway, Json
from registre.job import JobId, Lease
from registre.ledger import Delivery, Intent, LedgerLine, PurchaseId, PurchaseState, SecuredFile, Verdict


class Purchases:
    """Implements `registre.ports.Ledger`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def intend(self, lease: Lease, host: str) -> Intent:
        row = self._gateway.call("intend", job=lease.job_id, token=lease.token, host=host)[0]
        purchase = PurchaseId(str(row["purchase_id"])) if row["purchase_id"] else None
        return Intent(Verdict(row["verdict"]), purchase, row["intended_at"], row["reason"])

    def void(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        self._gateway.call("void_purchase", purchase=purchase, token=lease.token, reason=reason)

    def charge(self, purchase: PurchaseId, lease: Lease, notes: Sequence[str]) -> None:
        self._gateway.call("charge_purchase", purchase=purchase, token=lease.token, notes=Json(list(notes)))

    def secure(self, purchase: PurchaseId, file: SecuredFile) -> None:
        self._gateway.call(
            "secure_purchase", purchase=purchase, sha256=file.sha256, size_bytes=file.size_bytes, pages=file.pages
        )

    def mark_ambiguous(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        self._gateway.call("mark_ambiguous", purchase=purchase, token=lease.token, reason=reason)

    def lose(self, purchase: PurchaseId, reason: str) -> None:
        self._gateway.call("lose_purchase", purchase=purchase, reason=reason)

    def note_undelivered(self, purchase: PurchaseId, reason: str) -> None:
        self._gateway.call("note_undelivered", purchase=purchase, reason=reason)

    def deliver(self, delivery: Delivery) -> str:
        row = self._gateway.call(
            "deliver",
            purchase=delivery.purchase_id,
            sha256=delivery.sha256,
            bucket=delivery.bucket,
            object_key=delivery.object_key,
        )[0]
        return str(row["deliver"])

    def lines(self, job_id: JobId | None = None) -> list[LedgerLine]:
        return [_line(row) for row in self._gateway.call("purchases_as_seen", job=job_id)]

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        return {row["path"]: _line(row) for row in self._gateway.call("purchases_at", paths=list(paths))}


def _line(row: Mapping[str, Any]) -> LedgerLine:
    return LedgerLine(
        id=PurchaseId(str(row["id"])),
        job_id=str(row["job_id"]),
        state=PurchaseState(row["state"]),
        fee_cents=row["fee_cents"],
        account=row["account"],
        intended_at=row["intended_at"],
        charged_at=row["charged_at"],
        secured_at=row["secured_at"],
        delivered_at=row["delivered_at"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        pages=row["pages"],
        reason=row["reason"],
    )
