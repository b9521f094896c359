"""The person who decides what only a person can: by the registry's invoice, and by lifting the budget.

Invariant: tells the truth about what was billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from benchmarks.crashes.books import Books
from benchmarks.crashes.plan import CAPPED
from registre.budget import Period
from registre.gates import Scope
from registre.job import JobId, Settlement
from registre.wiring import Store


class Person:
    """`rebuys` says of each ambiguous purchase, in order, whether it is bought again or given up."""

    def __init__(self, store: Store, rebuys: Sequence[bool]) -> None:
        self._store = store
        self._rebuys = cycle(rebuys)
        self._cap_lifted = False

    def decide(self, books: Books) -> bool:
        """Settle what is ambiguous, lift the cap once an order waits for it. False when there is nothing to decide."""
        open_ones = [purchase for purchase in books.purchases if _is_open(purchase)]
        for purchase in open_ones:
            identity = purchase["identity_key"]
            known = sum(_was_billed(other) for other in books.purchases if other["identity_key"] == identity)
            decision = Settlement.REBUY if next(self._rebuys) else Settlement.ABANDON
            billed = books.billed(identity) > known
            self._store.queue.settle(JobId(purchase["job_id"]), decision, "a person", billed=billed)
        if not self._cap_lifted and any(job["status"] == "En attente" for job in books.jobs):
            self._store.treasury.set_budget(Scope.CLIENT, CAPPED, Period.DAY, None, "a person")
            self._cap_lifted = True
            return True
        return bool(open_ones)


def _is_open(purchase: dict[str, Any]) -> bool:
    return purchase["state"] == "ambiguous" and purchase["settled_at"] is None


def _was_billed(purchase: dict[str, Any]) -> bool:
    """Beyond doubt: we have the document, or a person found it on the invoice."""
    return purchase["state"] == "delivered" or (purchase["state"] == "ambiguous" and purchase["settled_at"] is not None)
