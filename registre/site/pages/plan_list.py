"""The list of the plans of one lot.

Invariant: the plan taken belongs to the lot asked for and is the most recent by the date its label states; a doubt
about either is a refusal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from registre.errors import DataError, ErrorKind
from registre.site.pages.rows import ListRow

_MONTHS = {
    name: i + 1
    for i, name in enumerate(
        (
            "janvier",
            "fevrier",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "aout",
            "septembre",
            "octobre",
            "novembre",
            "decembre",
        )
    )
}
_SHORT_MONTHS = {
    "janv": 1, "fev": 2, "fevr": 2, "avr": 4, "juil": 7, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_ISO = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d{1,2})(?:er)?\s+([a-z]+)\.?\s+(\d{4})(?!\d)")


def dates_in(text: str) -> set[date]:
    """Every date written in the text: `2019-03-02`, `02/03/2019` (day first), `2 mars 2019`, `1er août 2019`."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).lower()
    written = [(m[1], m[3], m[4]) for m in _ISO.finditer(plain)]
    written += [(m[4], m[3], m[1]) for m in _DAY_FIRST.finditer(plain)]
    for m in _WORDS.finditer(plain):
        month = _MONTHS.get(m[2]) or _SHORT_MONTHS.get(m[2])
        if month:
            written.append((m[3], str(month), m[1]))
    return {found for parts in written if (found := _date(*parts))}


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def names_lot(text: str, number: str) -> bool:
    """True when the text holds this lot's number whole: grouped or not, and not as a part of a longer one."""
    plain = re.sub(r"[‐‑‒–—−]", "-", re.sub(r"\s+", " ", text)).upper()
    spaced = " ?".join(re.escape(c) for c in number)
    whole = rf"(?<![0-9A-Z])(?<![0-9A-Z]-)(?<!\d )(?:{spaced})(?! ?\d{{3}}(?!\d))(?!-?[0-9A-Z])"
    return re.search(whole, plain) is not None


def choose_plan(rows: Sequence[ListRow], number: str) -> ListRow:
    """The most recent plan of this lot. DataError when no row is the lot's, or none is surely the latest."""
    own = [row for row in rows if names_lot(row.text, number) and not row.paper_only]
    if not own:
        raise DataError(ErrorKind.AMBIGUOUS_PLAN, f"The site offers {len(rows)} plan(s); none names the lot {number}.")
    if len(own) == 1:
        return own[0]
    dated: list[tuple[date, ListRow]] = []
    for row in own:
        dates = dates_in(row.text)
        if len(dates) != 1:
            raise DataError(
                ErrorKind.AMBIGUOUS_PLAN,
                f"The site offers {len(own)} plans of the lot {number}, and '{row.text}' has no one date.",
            )
        dated.append((dates.pop(), row))
    latest = max(day for day, _ in dated)
    newest = [row for day, row in dated if day == latest]
    if len(newest) > 1:
        raise DataError(
            ErrorKind.AMBIGUOUS_PLAN,
            f"The site offers {len(newest)} plans of the lot {number} dated {latest}; none can be preferred.",
        )
    return newest[0]
