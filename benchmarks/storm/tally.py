"""How the orders of a proof ended, and what became of their money: counted from its books."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.crashes.books import Books


@dataclass(slots=True, kw_only=True)
class Tally:
    """`errors` are the orders that ended in 'Erreur', by kind, each with an example of its sentence."""

    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    purchases: Counter[str] = field(default_factory=Counter)
    reused: int = 0
    billed: int = 0

    def count(self, books: Books) -> None:
        self.billed = len(books.bill)
        self.reused = sum(job["status"] == "Complété" and not job["cost_cents"] for job in books.jobs)
        self.statuses.update(job["status"] for job in books.jobs)
        self.purchases.update(purchase["state"] for purchase in books.purchases)
        for job in books.jobs:
            if job["status"] == "Erreur":
                self.errors[job["error_kind"]] += 1
                self.examples.setdefault(job["error_kind"], job["error_message"])
