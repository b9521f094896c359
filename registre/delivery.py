"""From the spool to the bucket to the closed row; and, after a crash, from whatever the disk still holds.

Invariant: every step may be repeated; the local copy goes last.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field

from registre.errors import DocumentError, NotFound, Refused, RegistreError, StoreUnavailable
from registre.inspection import inspect_pdf
from registre.ledger import Delivery, PurchaseId
from registre.ports import Bucket, Ledger
from registre.spool import Spool, SpoolEntry
from registre.tracing import NoTraces, Traces

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Delivers what this host's spool holds. Any thread, any process of the host."""

    spool: Spool
    bucket: Bucket
    ledger: Ledger
    traces: Traces = field(default_factory=NoTraces)

    def deliver(self, purchase_id: PurchaseId) -> str:
        """'completed', 'repeated', 'kept', 'gone' (already delivered) or 'held' (a person must look).

        StoreUnavailable or DatabaseUnavailable: nothing lost, call again.
        """
        with self.traces.delivery(purchase_id):
            return self._deliver(purchase_id)

    def _deliver(self, purchase_id: PurchaseId) -> str:
        try:
            entry = self.spool.entry(purchase_id)
        except DocumentError as error:
            return self._lose(purchase_id, error)
        if entry is None:
            return "gone"
        try:
            self.ledger.secure(purchase_id, entry.file)
        except (NotFound, Refused) as error:
            return self._hold(purchase_id, error)
        try:
            key = self._put(entry)
        except Refused as error:
            return self._lose(purchase_id, error)
        except StoreUnavailable:
            if self.spool.entry(purchase_id) is None:
                return "gone"  # by another process, under our hands
            raise
        outcome = self.ledger.deliver(Delivery(purchase_id, entry.file.sha256, entry.bucket, key))
        self.spool.delivered(purchase_id)
        return outcome

    def _put(self, entry: SpoolEntry) -> str:
        """Store the file; returns the key. A name taken by another document gets the purchase's own id, also on a repeat."""
        try:
            self.bucket.put(entry.bucket, entry.object_key, entry.path, entry.file.sha256)
        except Refused:
            key = f"{entry.object_key.removesuffix('.pdf')}-{entry.purchase_id[:8]}.pdf"
            self.bucket.put(entry.bucket, key, entry.path, entry.file.sha256)
            return key
        return entry.object_key

    def _lose(self, purchase_id: PurchaseId, error: RegistreError) -> str:
        """No repeat can help, so the job must not wait for this file any longer."""
        try:
            self.ledger.lose(purchase_id, error.message.rstrip("."))
        except (NotFound, Refused) as refused:
            log.warning("purchase %s: %s", purchase_id, refused)
        return self._hold(purchase_id, error)

    def _hold(self, purchase_id: PurchaseId, error: RegistreError) -> str:
        where = self.spool.hold(purchase_id)
        log.error("purchase %s cannot be delivered (%s); its file is kept in %s", purchase_id, error, where)
        return "held"

    def note_failure(self, purchase_id: PurchaseId, error: Exception) -> None:
        """Leave a word of a delivery that failed where people look; a database that is away hears of the next one."""
        told = error.message if isinstance(error, RegistreError) else "An unexpected error stopped the delivery."
        try:
            self.ledger.note_undelivered(purchase_id, told.rstrip("."))
        except RegistreError as away:
            log.debug("purchase %s: its failure is not noted: %s", purchase_id, away)

    def report(self) -> None:
        """Tell the ledger what the spool holds, whatever it was told before. DatabaseUnavailable."""
        for purchase_id in self.spool.waiting():
            with suppress(DocumentError, NotFound, Refused):  # for `deliver` to judge
                if (entry := self.spool.entry(purchase_id)) is not None:
                    self.ledger.secure(purchase_id, entry.file)

    def pending(self) -> list[PurchaseId]:
        """What waits for delivery, oldest first."""
        return self.spool.waiting()

    def recover(self) -> list[PurchaseId]:
        """At start, by the spool's owner: make safe every document a crash left saved but not yet renamed.

        Returns what was recovered. What is not a whole document stays in the ledger's hands: it is billed or not, and has
        no file; reclaim makes it ambiguous.
        """
        recovered = []
        for found in self.spool.interrupted():
            try:
                file = inspect_pdf(found.path, found.request)
            except FileNotFoundError:
                self.spool.forget(found.purchase_id)
                continue
            except DocumentError as error:
                log.warning("%s A person may look at %s", error, self.spool.hold(found.purchase_id))
                continue
            self.spool.keep(found.purchase_id, file)
            recovered.append(found.purchase_id)
        return recovered
