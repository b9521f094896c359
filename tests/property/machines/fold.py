"""A job as its facts tell it.

Invariant: of each fact's data, the keys of a row's end replace what an earlier fact said; null counts as a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registre.job import Event, JobView

TOLD = ("status", "attempts", "error_kind", "path", "cost_cents")


def fold(events: Iterable[Event]) -> dict[str, Any]:
    """What the facts, oldest first, say of the row."""
    row: dict[str, Any] = {}
    for event in events:
        row.update({key: event.data[key] for key in TOLD if key in event.data})
    return row


def row_of(job: JobView) -> dict[str, Any]:
    """The same of the row itself."""
    return {
        "status": str(job.status),
        "attempts": job.attempts,
        "error_kind": job.error_kind,
        "path": job.supabase_path,
        "cost_cents": job.cost_cents,
    }
