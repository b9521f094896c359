"""Days and hours as people write them in an order file, in the registry's own time.

Invariant: only year-month-day is read. 03/04/2026 is a day in March to one reader and in April to another.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from registre.errors import InvalidInput

LOCAL = ZoneInfo("America/Toronto")

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(Z|[+-][0-9]{2}:?[0-9]{2})?)?", re.ASCII
)
_YEARS = range(2000, 2101)


def read_moment(field: str, text: str, *, end_of_day: bool) -> datetime:
    """An instant in UTC. A day alone means its first second, or its last one. An hour that the clocks show twice is the first."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise InvalidInput(
            field, f"'{text[:40]}' is not a date such as 2026-10-31 or 2026-10-31 14:30 (year, month, day)."
        )
    day, hour, offset = found.groups()
    if hour is None:
        hour = "23:59:59" if end_of_day else "00:00:00"
    try:
        moment = datetime.fromisoformat(
            f"{day} {hour.zfill(5) if hour.count(':') == 1 else hour.zfill(8)}{offset or ''}"
        )
    except ValueError:
        raise InvalidInput(field, f"'{text[:40]}' is no day or no hour that exists.") from None
    if moment.year not in _YEARS:
        raise InvalidInput(field, f"'{text[:40]}' is not within the years {_YEARS[0]} to {_YEARS[-1]}.")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    instant = moment.replace(tzinfo=LOCAL).astimezone(UTC)
    if instant.astimezone(LOCAL).replace(tzinfo=None) != moment:
        raise InvalidInput(field, f"'{text[:40]}' is skipped by the clocks that night; give another hour.")
    return instant
