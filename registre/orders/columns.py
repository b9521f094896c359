"""Which column of an order file is which: its header, read under the names people give.

Invariant: two columns never stand for one field; a column that stands for none is told, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registre.document import fold
from registre.errors import InvalidInput
from registre.orders.cells import HEADER_WITHIN, Row

REQUIRED = ("document_source", "document_number")
REJECT_COLUMNS = ("row", "reason")
"""What a rejects file adds on the right; left out when such a file is imported again."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "document_source": (
        "document source", "source", "type", "type de document", "type document", "document type", "type of document",
    ),
    "document_number": (
        "document number", "numero", "no", "n", "number", "lot", "numero de lot", "numero du lot", "no de lot", "no lot",
        "n de lot", "n lot", "lot number", "numero de document", "numero du document", "no de document", "no document",
        "n document", "numero d inscription", "no d inscription", "n d inscription", "registration number",
    ),
    "circonscription_fonciere": (
        "circonscription fonciere", "circonscription", "circ fonciere", "circ", "registration division",
    ),
    "cadastre": ("cadastre", "nom du cadastre"),
    "designation_secondaire": ("designation secondaire", "designation", "secondary designation"),
    "acte_type": ("acte type", "type d acte", "type de l acte", "type acte", "nature de l acte", "deed type"),
    "priority": ("priority", "priorite"),
    "client": ("client", "customer"),
    "not_before": ("not before", "pas avant", "pas avant le", "a partir du", "a partir de"),
    "deadline": ("deadline", "echeance", "date d echeance", "date limite", "au plus tard", "au plus tard le", "due date"),
}  # fmt: skip
"""The table's column → the headers that mean it, folded (`N°` folds to `n`)."""

_FIELDS = {name: field for field, names in NAMES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file. `names` has one text for each of its columns, '' for one without a name; `added` are the columns
    of an earlier rejects file."""

    row: int
    names: tuple[str, ...]
    fields: Mapping[str, int]
    unknown: tuple[str, ...]
    added: frozenset[int]


def find_header(rows: Iterable[Row]) -> Row | None:
    """The first of the first rows that names what every order needs."""
    return next((row for row in _first(rows) if set(REQUIRED) <= set(_meant(row))), None)


def recognised(rows: Sequence[Row]) -> int:
    """How many fields the best of the first rows names."""
    return max((len(_meant(row)) for row in _first(rows)), default=0)


def read_header(rows: Sequence[Row]) -> Header:
    """The header; InvalidInput says what is missing, and what was found instead."""
    row = find_header(rows)
    if row is None:
        raise InvalidInput("columns", _what_is_missing(rows))
    columns = _meant(row)
    for field, places in columns.items():
        if len(places) > 1:
            both = " and ".join(f"'{row.at(place).text}'" for place in places[:2])
            raise InvalidInput("columns", f"{both} both mean {field}; keep one, or rename the other.")
    names = tuple(row.at(place).text for place in range(row.width))
    added = _added(names)
    fields = {field: places[0] for field, places in columns.items()}
    unknown = tuple(
        name for place, name in enumerate(names) if name and place not in added and place not in fields.values()
    )
    return Header(row.number, names, fields, unknown, added)


def _first(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        if row.number > HEADER_WITHIN:
            return
        yield row


def _meant(row: Row) -> dict[str, list[int]]:
    """Field → the columns that bear one of its names."""
    found: dict[str, list[int]] = {}
    for place, cell in enumerate(row.cells):
        field = _FIELDS.get(fold(cell.text[:100]))
        if field is not None:
            found.setdefault(field, []).append(place)
    return found


def _added(names: Sequence[str]) -> frozenset[int]:
    named = [place for place, name in enumerate(names) if name]
    last = named[-len(REJECT_COLUMNS) :]
    return frozenset(last) if tuple(names[place] for place in last) == REJECT_COLUMNS else frozenset()


def _what_is_missing(rows: Sequence[Row]) -> str:
    nearest = max(_first(rows), key=lambda row: len(_meant(row)), default=None)
    if nearest is None:
        return f"nothing is written in the first {HEADER_WITHIN} rows, where the names of the columns are looked for."
    known = _meant(nearest)
    missing = " and ".join(f"{field} (or for example '{NAMES[field][1]}')" for field in REQUIRED if field not in known)
    found = ", ".join(f"'{cell.text[:40]}'" for cell in nearest.cells[:12] if cell.text)
    return f"no column is named {missing}; row {nearest.number} has {found}."
