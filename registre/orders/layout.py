"""What a worksheet says about its rows beside their values: which are hidden, and which cells are merged.

Invariant: what a person cannot see in the workbook is known, so that it is not bought unseen. (openpyxl does not tell either
when it reads without holding the whole sheet.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from openpyxl.utils.cell import get_column_letter, range_boundaries

from registre.errors import InvalidInput
from registre.orders.cells import MAX_COLUMNS

MAX_RANGES = 50_000
MAX_MERGED = 500_000
"""Merged ranges, and cells of them, that are looked at; a sheet of orders has fewer cells than that."""

_CONTENT = frozenset({"v", "f", "is"})


@dataclass(slots=True)
class Layout:
    """`last` is the last row that holds anything; `merged` has, for each cell that shows nothing because it is merged into
    another, the name of that other."""

    last: int = 0
    hidden: set[int] = field(default_factory=set)
    merged: dict[tuple[int, int], str] = field(default_factory=dict)


def read_layout(part: IO[bytes]) -> Layout:
    """One pass over the worksheet's XML. InvalidInput when its rows are not in their order; what is no XML raises expat's."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = reader.start
    parser.EntityDeclHandler = _no_entities
    parser.ParseFile(part)
    for place in reader.ranges:
        _spread(place, reader.layout)
    return reader.layout


class _Reader:
    """Follows the rows as the parser meets them."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.ranges: list[str] = []
        self._row = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("}")[2]
        if tag in _CONTENT:
            self.layout.last = self._row
        elif tag == "row":
            number = int(attributes.get("r") or self._row + 1)
            if number <= self._row:
                raise InvalidInput("file", f"the sheet's rows are not in order: row {number} follows row {self._row}.")
            self._row = number
            if attributes.get("hidden") in {"1", "true"}:
                self.layout.hidden.add(number)
        elif tag == "mergeCell":
            self.ranges.append(attributes.get("ref", ""))
            if len(self.ranges) > MAX_RANGES:
                raise InvalidInput("file", _TOO_MANY)


_TOO_MANY = "the sheet has too many merged cells; unmerge them."


def _no_entities(*_: object) -> None:
    raise InvalidInput("file", "the workbook declares XML entities, as no spreadsheet program does.")


def _spread(place: str, layout: Layout) -> None:
    left, top, right, bottom = range_boundaries(place)
    if left is None or top is None or right is None or bottom is None:
        return
    anchor = f"{get_column_letter(left)}{top}"
    columns, rows = range(left, min(right, MAX_COLUMNS) + 1), range(top, min(bottom, layout.last) + 1)
    if len(columns) * len(rows) + len(layout.merged) > MAX_MERGED:
        raise InvalidInput("file", _TOO_MANY)
    layout.merged |= {(row, column): anchor for row in rows for column in columns if (row, column) != (top, left)}
