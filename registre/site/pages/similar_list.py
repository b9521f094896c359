"""The list of documents with a similar number.

Invariant: the row taken has the number and the type that were asked for, both exactly; a near one is never taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from registre.document import fold, normalize_number
from registre.errors import DataError, ErrorKind
from registre.site.pages.rows import ListRow
from registre.site.profile import ResultProfile


def choose_document(rows: Sequence[ListRow], number: str, acte_type: str, profile: ResultProfile) -> ListRow:
    """The row of exactly this document. DataError when it is not there, is on paper only, or is there twice."""
    exact = [row for row in rows if _has_number(row, number, profile) and _has_type(row, acte_type, profile)]
    if not exact:
        near = _named(rows, profile)
        raise DataError(
            ErrorKind.ONLY_SIMILAR, f"The site offers only similar documents ({near}); none is {acte_type} {number}."
        )
    on_screen = [row for row in exact if not row.paper_only]
    if not on_screen:
        raise DataError(ErrorKind.PAPER_ONLY, f"{acte_type} {number}: document conservé sur papier seulement.")
    if len(exact) > 1:
        raise DataError(
            ErrorKind.ONLY_SIMILAR,
            f"The site's list holds {len(exact)} documents {acte_type} {number}; none can be preferred.",
        )
    return exact[0]


def _has_number(row: ListRow, number: str, profile: ResultProfile) -> bool:
    return any(normalize_number(cell) == number for cell in _column(row, profile.number_headers))


def _has_type(row: ListRow, acte_type: str, profile: ResultProfile) -> bool:
    return any(fold(cell) == fold(acte_type) for cell in _column(row, profile.type_headers))


def _column(row: ListRow, headers: Sequence[str]) -> Sequence[str]:
    """The row's cells under one of these headers; every cell when the table names no such column."""
    wanted = {fold(header) for header in headers}
    places = [i for i, header in enumerate(row.headers) if fold(header) in wanted]
    if not places or len(row.headers) != len(row.cells):
        return row.cells
    return [row.cells[i] for i in places]


def _named(rows: Sequence[ListRow], profile: ResultProfile) -> str:
    return ", ".join(row.text for row in rows[:3]) or "an empty list"
