"""A batch: one order of many documents, followed, approved and cancelled as one.

Invariant: a batch whose price is above the threshold buys nothing before a person has approved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from registre.job import Status

BatchId = NewType("BatchId", str)
"""UUID of a `registre.batches` row, as text."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What is said of a batch when it is ordered; `cap_cents` is its own budget, if any."""

    name: str
    client: str = ""
    author: str = ""
    cap_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What orders would cost now. One entry of `owned` for each order, in their order: the path of a document that serves it
    for nothing, or None. An order that repeats an earlier one of the list is bought once: `repeated`."""

    owned: tuple[str | None, ...]
    repeated: tuple[bool, ...]
    price_cents: int
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as people see it. `spent_cents` holds what is bought or may have been, `reserved_cents` what is under way,
    `price_cents` the estimate when it was ordered. `done_at` is the estimate of its end in open hours, or None when nothing
    lets it be told."""

    id: BatchId
    name: str
    client: str
    author: str
    created_at: datetime
    price_cents: int
    cap_cents: int | None
    needs_approval: bool
    approved_at: datetime | None
    approved_by: str | None
    counts: dict[Status, int]
    spent_cents: int
    reserved_cents: int
    done_at: datetime | None

    @property
    def waits_for_approval(self) -> bool:
        return self.needs_approval and self.approved_at is None

    @property
    def total(self) -> int:
        return sum(self.counts.values())
