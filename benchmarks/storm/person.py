"""What only a person can do while a storm blows: settle, look at a changed form, give a refused account its password again.

Invariant: a person knows the registry's invoice and the weather, and nothing that the program did not write down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

from benchmarks.crashes.books import Books, Read
from benchmarks.storm.weather import LAYOUT
from registre.document import Source
from registre.errors import Refused
from registre.gates import Scope
from registre.job import JobId, Settlement
from registre.wiring import Store

_IN_DOUBT = "select 1 from registre.purchases where state = 'ambiguous' and settled_at is null limit 1"
_SET_ASIDE = "select username from worker_accounts where set_aside_reason is not null and lease_owner is null"


class Person:
    """`did` counts what had to be done. `chance` decides between buying again and giving up."""

    def __init__(
        self, store: Store, read: Read, books: Callable[[], Books], accounts: Mapping[str, str], chance: Random
    ) -> None:
        self._store = store
        self._read = read
        self._books = books
        self._accounts = accounts
        self._chance = chance
        self._calm_since = datetime.now(UTC)
        self.did: Counter[str] = Counter()

    def note_calm(self) -> None:
        """A form that was not itself is as it was again."""
        self._calm_since = datetime.now(UTC)

    def mend(self, weather: Mapping[str, Any]) -> bool:
        """Whatever needs a person now, while the site has these faults. True while something is still in doubt."""
        in_doubt = bool(self._read(_IN_DOUBT))
        if in_doubt:
            self.settle_all()
        if not LAYOUT & weather.keys():
            self._look_at_forms()
        if "refuse_login" not in weather:
            for row in self._read(_SET_ASIDE):
                self._store.accounts.add(row["username"], self._accounts[row["username"]])
                self.did["account mended"] += 1
        return in_doubt

    def _look_at_forms(self) -> None:
        for row in self._read("select source from registre.frozen"):
            # As it was: nothing to accept. Seen anew since the weather passed: it is the right one, and another was first.
            drifted = {form.source: form.last_seen for form in self._store.forms.known() if form.accepted_at is None}
            if drifted.get(row["source"], self._calm_since) > self._calm_since:
                with suppress(Refused):
                    self._store.forms.accept(Source(row["source"]), "a person")
            self._store.gates.resume(Scope.SOURCE, row["source"], "a person")
            self.did["form looked at"] += 1

    def settle_all(self) -> None:
        """One after the other, each by the books as the one before left them."""
        while True:
            books = self._books()
            purchase = next(filter(_is_in_doubt, books.purchases), None)
            if purchase is None:
                return
            self.did[f"settled: {self._settle(books, purchase)}"] += 1

    def _settle(self, books: Books, purchase: dict[str, Any]) -> str:
        decision = self._chance.choice((Settlement.REBUY, Settlement.ABANDON))
        identity = purchase["identity_key"]
        known = sum(
            p["state"] == "delivered"
            or (p["state"] == "ambiguous" and p["settled_at"] is not None)  # not billed, and it would be void
            for p in books.purchases
            if p["identity_key"] == identity
        )
        billed = purchase["charged_at"] is not None or books.billed(identity) > known
        self._store.queue.settle(JobId(purchase["job_id"]), decision, "a person", billed=billed)
        return f"{decision.value}, {'billed' if billed else 'not billed'}"


def _is_in_doubt(purchase: dict[str, Any]) -> bool:
    return purchase["state"] == "ambiguous" and purchase["settled_at"] is None
