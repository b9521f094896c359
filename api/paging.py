"""Cursors as callers see them: opaque, so that nobody makes one.

Invariant: what is no cursor of ours is an InvalidInput, before the store is asked.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from registre.errors import InvalidInput

MOST = 500

_OF_A_LISTING = re.compile(r"([0-9T:.+-]{10,40})_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_EVENTS = re.compile(r"[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}")


def shown(cursor: str | None) -> str | None:
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=") if cursor else None


def read(text: str | None) -> str | None:
    """The store's cursor of a listing."""
    if text is None:
        return None
    try:
        cursor = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode("ascii")
        found = _OF_A_LISTING.fullmatch(cursor)
        if found is None or datetime.fromisoformat(found[1]).tzinfo is None:
            raise ValueError
    except (binascii.Error, ValueError):
        raise InvalidInput("cursor", "it is none of ours; take the next_cursor of a page as it is.") from None
    return cursor


def read_event_cursor(text: str, field: str) -> str:
    """The cursor of an event, shown as it is; '' is the beginning."""
    if text and not _OF_EVENTS.fullmatch(text):
        raise InvalidInput(field, "it is no event's id; take the last one that was told, or nothing for the beginning.")
    return text
