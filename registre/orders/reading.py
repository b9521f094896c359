"""An order file, whatever it is: its header, its rows, and what is to be said about them.

Invariant: pure. Bytes in; a file of at most `MAX_ROWS` rows out, or InvalidInput with one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from registre.errors import InvalidInput
from registre.orders.cells import MAX_FILE_BYTES, MAX_ROWS, Row
from registre.orders.columns import Header, read_header
from registre.orders.delimited import read_delimited

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class OrdersFile:
    """What was read. `rows` are those below the header; `delimiter` is the one a rejects file is to have; `sheet` is None for a
    text file."""

    header: Header
    rows: tuple[Row, ...]
    delimiter: str
    sheet: str | None


def read_orders_file(data: bytes, sheet: str | None = None) -> OrdersFile:
    """Read CSV or Excel, by what the bytes are and not by the file's name."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput("file", f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB; is it a file of orders?")
    if not data.strip():
        raise InvalidInput("file", "it is empty.")
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise InvalidInput("file", "the workbook is protected by a password; save it without one.")
        raise InvalidInput("file", "it is an Excel 97–2003 file (.xls) or no table at all; save it as .xlsx.")
    title: str | None = None
    if data.startswith(_ZIP):
        from registre.orders.workbook import read_workbook  # where it is used: openpyxl takes half a second

        rows, title = read_workbook(data, sheet)
        delimiter = ";"
    elif sheet is not None:
        raise InvalidInput("--sheet", "the file is a text and has no sheets.")
    else:
        rows, delimiter = read_delimited(data)
    header = read_header(rows)
    below = [row for row in rows if row.number > header.row and _says_something(row, header)]
    if len(below) > MAX_ROWS:
        raise InvalidInput("rows", f"there are more than {MAX_ROWS} orders; split the file.")
    if not below:
        raise InvalidInput("rows", "there is nothing below the header.")
    if title is None:
        below = [_not_shifted(row, header) for row in below]
    else:
        width = max(len(header.names), *(row.width for row in below))
        header = replace(header, names=header.names + ("",) * (width - len(header.names)))
    return OrdersFile(header, tuple(below), delimiter, title)


def _says_something(row: Row, header: Header) -> bool:
    return any(cell.text for place, cell in enumerate(row.cells) if place not in header.added)


def _not_shifted(row: Row, header: Header) -> Row:
    """A delimiter that was typed inside a cell moves all that follows into the wrong columns."""
    if len(row.cells) <= len(header.names):
        return row
    return replace(row, fault=f"it has {len(row.cells)} cells under {len(header.names)} columns; put quotation marks "
                   "around a cell that holds the delimiter.")  # fmt: skip
