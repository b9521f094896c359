"""A request that may be sent twice: the key its sender gave it, and what became of it the first time.

Invariant: of all requests with one key and one sender, one orders; the others are told what it ordered. The key holds for
`KEPT`; another request under it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from registre.batch import BatchId
from registre.job import JobId

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Once:
    """One request: its sender, the key, and the hash of everything that was asked."""

    sender: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was ordered under a key. `answer` is what the sender was told, None when nobody lived to tell it."""

    jobs: tuple[JobId, ...]
    batch_id: BatchId | None
    repeated: bool
    answer: dict[str, Any] | None
