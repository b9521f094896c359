"""From the spool to the bucket to the closed row; and, after a crash, from whatever the disk still holds.

Invariant: every step may be repeated; the local copy goes last.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from registre.errors import DocumentError, NotFound, Refused
from registre.inspection import inspect_pdf
from registre.ledger import Delivery, PurchaseId
from registre.ports import Bucket, Ledger
from registre.spool import Spool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Delivers what this host's spool holds. Any thread, any process of the host."""

    spool: Spool
    bucket: Bucket
    ledger: Ledger

    def deliver(self, purchase_id: PurchaseId) -> str:
        """'completed', 'repeated', 'kept', 'gone' (already delivered) or 'held' (a person must look).

        StoreUnavailable or DatabaseUnavailable: nothing lost, call again.
        """
        entry = self.spool.entry(purchase_id)
        if entry is None:
            return "gone"
        try:
            self.ledger.secure(purchase_id, entry.file)
        except (NotFound, Refused) as error:
            where = self.spool.hold(purchase_id)
            log.error("purchase %s cannot be delivered (%s); its file is kept in %s", purchase_id, error, where)
            return "held"
        self.bucket.put(entry.bucket, entry.object_key, entry.path, entry.file.sha256)
        outcome = self.ledger.deliver(Delivery(purchase_id, entry.file.sha256, entry.bucket, entry.object_key))
        self.spool.delivered(purchase_id)
        return outcome

    def pending(self) -> list[PurchaseId]:
        """What waits for delivery, oldest first."""
        return [entry.purchase_id for entry in self.spool.entries()]

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
