"""The one fake of every database port: what `registre.wiring.Store` holds, over plain rows in memory.

Invariant: it does what `registre.ports` says, no less and no more; the state machines of tests/property drive both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from registre.vault import Vault
from tests.memory.accounts import MemoryAccounts, MemoryFleet
from tests.memory.alerts import MemoryAlerts
from tests.memory.batches import MemoryBatches
from tests.memory.bucket import MemoryBucket
from tests.memory.gates import MemoryGates
from tests.memory.idleness import MemoryIdleness
from tests.memory.job_log import MemoryJobLog
from tests.memory.keys import MemoryKeys, MemoryRequests
from tests.memory.ledger import MemoryLedger
from tests.memory.queue import MemoryQueue
from tests.memory.secrets import MemorySecrets
from tests.memory.site import MemoryForms, MemorySentences
from tests.memory.state import State
from tests.memory.treasury import MemoryTreasury
from tests.memory.views import MemoryViews
from tests.memory.webhooks import MemoryWebhooks


class MemoryStore:
    """All ports over one state. `clock` is read once in each call; `new_id` names what is created, in that order."""

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        new_id: Callable[[], str] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.state = State(clock or (lambda: datetime.now(UTC)), new_id)
        self.queue = MemoryQueue(self.state)
        self.accounts = MemoryAccounts(self.state, vault)
        self.secrets = MemorySecrets(self.state)
        self.ledger = MemoryLedger(self.state)
        self.fleet = MemoryFleet(self.state)
        self.views = MemoryViews(self.state)
        self.alerts = MemoryAlerts(self.state)
        self.bucket = MemoryBucket()
        self.gates = MemoryGates(self.state)
        self.treasury = MemoryTreasury(self.state)
        self.batches = MemoryBatches(self.state)
        self.keys = MemoryKeys(self.state)
        self.repeatable = MemoryRequests(self.state)
        self.webhooks = MemoryWebhooks(self.state, vault)
        self.forms = MemoryForms(self.state)
        self.sentences = MemorySentences(self.state)
        self.idleness = MemoryIdleness(self.state)
        self.log = MemoryJobLog(self.state)
