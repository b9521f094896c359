"""Many orders at once, whatever they came as: which can be ordered, and for whom.

Invariant: no document is ordered twice by one batch; what cannot be ordered is said with its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from registre.batch import NewBatch
from registre.errors import InvalidInput
from registre.job import Order
from registre.orders.reading import read_orders_file
from registre.orders.verdicts import Accepted, Defaults, Rejected, Verdict, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """Every row, as an order or with the sentence that says what to mend."""

    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]

    @property
    def orders(self) -> list[Order]:
        return [verdict.order for verdict in self.accepted]


def judge_file(data: bytes, sheet: str | None, defaults: Defaults, now: datetime) -> Judged:
    """The rows of a CSV or Excel file; InvalidInput when it is none."""
    return _parted(judge(read_orders_file(data, sheet), defaults, now))


def judge_orders(items: Iterable[Order | InvalidInput]) -> Judged:
    """Orders that came as such, or what is wrong with them; their rows are counted from 1."""
    first: dict[str, int] = {}
    verdicts: list[Verdict] = []
    for row, item in enumerate(items, start=1):
        if isinstance(item, InvalidInput):
            verdicts.append(Rejected(row, item.field, item.message))
            continue
        before = first.setdefault(item.request.identity_key, row)
        if before == row:
            verdicts.append(Accepted(row, item))
        else:
            sentence = f"document_number: repeats row {before}; the same document is not ordered twice."
            verdicts.append(Rejected(row, "document_number", sentence))
    return _parted(verdicts)


def for_one_client(batch: NewBatch, orders: Sequence[Order]) -> NewBatch:
    """The batch is its orders' client's when they all have one and none was named for it."""
    clients = {order.client for order in orders}
    return replace(batch, client=clients.pop()) if not batch.client and len(clients) == 1 else batch


def _parted(verdicts: Iterable[Verdict]) -> Judged:
    every = tuple(verdicts)
    return Judged(
        tuple(verdict for verdict in every if isinstance(verdict, Accepted)),
        tuple(verdict for verdict in every if isinstance(verdict, Rejected)),
    )
