"""The ledger's words: a purchase, its states, and the verdict on an intent.

Invariant: no click that can lead to the viewer without an `intended` row; at most one live purchase of one identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

PurchaseId = NewType("PurchaseId", str)
"""UUID of a `registre.purchases` row, as text."""


class PurchaseState(StrEnum):
    """`intended → void | charged → secured → delivered`, or `ambiguous` when nobody can tell whether it was billed."""

    INTENDED = "intended"
    VOID = "void"
    CHARGED = "charged"
    SECURED = "secured"
    DELIVERED = "delivered"
    AMBIGUOUS = "ambiguous"


ARROWS: dict[str, tuple[tuple[PurchaseState, PurchaseState], ...]] = {
    "void_purchase": ((PurchaseState.INTENDED, PurchaseState.VOID),),
    "charge_purchase": ((PurchaseState.INTENDED, PurchaseState.CHARGED),),
    "secure_purchase": (
        (PurchaseState.INTENDED, PurchaseState.SECURED),
        (PurchaseState.CHARGED, PurchaseState.SECURED),
        (PurchaseState.AMBIGUOUS, PurchaseState.SECURED),
    ),
    "deliver": ((PurchaseState.SECURED, PurchaseState.DELIVERED),),
    "mark_ambiguous": (
        (PurchaseState.INTENDED, PurchaseState.AMBIGUOUS),
        (PurchaseState.CHARGED, PurchaseState.AMBIGUOUS),
    ),
    "reclaim": (
        (PurchaseState.INTENDED, PurchaseState.AMBIGUOUS),
        (PurchaseState.CHARGED, PurchaseState.AMBIGUOUS),
        (PurchaseState.SECURED, PurchaseState.AMBIGUOUS),
    ),
    "lose_purchase": ((PurchaseState.SECURED, PurchaseState.AMBIGUOUS),),
    "settle": (
        (PurchaseState.AMBIGUOUS, PurchaseState.VOID),
        (PurchaseState.SECURED, PurchaseState.AMBIGUOUS),
        (PurchaseState.SECURED, PurchaseState.VOID),
    ),
}
"""SQL function → the moves it may make; `intend` writes the first state. A file found in the spool after a crash is secured
whatever was thought of it meanwhile. `reclaim` and `settle` take a secured one only when its host is gone."""


class Verdict(StrEnum):
    """The ledger's answer to an intent; only GRANTED allows the click."""

    GRANTED = "granted"
    IN_PROGRESS = "in_progress"
    """Another order buys the same document, or may have bought it: this one is to be put off."""
    OWNED = "owned"
    """The document was bought meanwhile: the job is already completed with it."""
    OVER_BUDGET = "over_budget"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Intent:
    """The answer to `intend`: the purchase opened, or why none was, in a sentence."""

    verdict: Verdict
    purchase_id: PurchaseId | None
    intended_at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SecuredFile:
    """What is known of the bytes on disk."""

    sha256: str
    size_bytes: int
    pages: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a secured file went."""

    purchase_id: PurchaseId
    sha256: str
    bucket: str
    object_key: str


FAILING_AFTER = 3
"""As many failed deliveries of one document are told to people; it is tried on all the same."""


@dataclass(frozen=True, slots=True)
class FailingDelivery:
    """A document that is safe on its host, and that its bucket did not take `failures` times; `reason` is the last one's."""

    purchase_id: PurchaseId
    job_id: str
    host: str
    source: str
    number: str
    secured_at: datetime
    failures: int
    failed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One purchase as people see it."""

    id: PurchaseId
    job_id: str
    state: PurchaseState
    fee_cents: int
    account: str
    intended_at: datetime
    charged_at: datetime | None
    secured_at: datetime | None
    delivered_at: datetime | None
    sha256: str | None
    size_bytes: int | None
    pages: int | None
    reason: str | None
