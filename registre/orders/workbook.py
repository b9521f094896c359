"""Order files as Excel workbooks (.xlsx, .xlsm), read without running, computing or unpacking more than was announced.

Invariant: a formula is never computed, and the value that Excel kept beside it never used. Whatever the bytes are, the
answer is rows or one sentence.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from openpyxl import load_workbook

from registre.errors import InvalidInput
from registre.orders.cells import HEADER_WITHIN, MAX_COLUMNS, MAX_ROWS, NOTHING, Cell, Kind, Row, text_cell, trimmed
from registre.orders.columns import find_header
from registre.orders.layout import Layout, read_layout

MAX_UNPACKED = 64_000_000
MAX_TEXTS = 16_000_000
"""Bytes of the texts that all sheets share: openpyxl reads them all before anything else, about a megabyte a second."""
MAX_PARTS = 2000
EXACT_UP_TO = 10**15
"""Excel keeps 15 digits of a number and makes the others zero."""
MAX_LAST_ROW = 100_000


def read_workbook(data: bytes, wanted: str | None) -> tuple[list[Row], str]:
    """The rows that are not empty of the sheet `wanted`, else of the first visible one with a header; and its name."""
    with _one_sentence():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive)
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        sheet = _choose(book, wanted)
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_part(sheet)) as part:
            layout = read_layout(part)
        if layout.last > MAX_LAST_ROW:
            raise InvalidInput("file", f"there is something in row {layout.last}; delete the empty rows above it.")
        # one row more than is accepted shows that there are too many
        return list(islice(_rows(sheet, layout, layout.last), HEADER_WITHIN + MAX_ROWS + 1)), sheet.title


@contextmanager
def _one_sentence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what openpyxl cannot keep when it writes is no matter here
        try:
            yield
        except InvalidInput:
            raise
        except Exception:  # on bytes that are no workbook, parser and library raise whatever they stumble over
            raise InvalidInput("file", "it is not a workbook that can be read; save it again as .xlsx.") from None


def _check_archive(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    # a part never gives more bytes than announced here: zipfile stops reading
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise InvalidInput(
            "file", f"unpacked it is larger than {MAX_UNPACKED // 1_000_000} MB; is it a file of orders?"
        )
    if any("sharedstrings" in part.filename.lower() and part.file_size > MAX_TEXTS for part in parts):
        raise InvalidInput("file", f"its texts are more than {MAX_TEXTS // 1_000_000} MB; is it a file of orders?")
    if len(names) < len(parts):
        raise InvalidInput("file", "the workbook has two parts of one name.")
    if "xl/workbook.bin" in names:
        raise InvalidInput("file", "it is a binary workbook (.xlsb); save it as .xlsx.")
    if "[Content_Types].xml" not in names:
        raise InvalidInput("file", "it is a ZIP or an OpenDocument file, not an Excel workbook; save it as .xlsx.")


def _choose(book: Any, wanted: str | None) -> Any:
    sheets = book.worksheets
    if wanted is not None:
        for sheet in sheets:
            if sheet.title.strip().casefold() == wanted.strip().casefold():
                return sheet
        raise InvalidInput("--sheet", f"there is no '{wanted[:40]}'; the sheets are {_names(sheets)}.")
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    if not visible:
        raise InvalidInput("file", "the workbook has no visible sheet; name one with --sheet.")
    for sheet in visible:
        if find_header(_rows(sheet, Layout(), HEADER_WITHIN)):
            return sheet
    return visible[0]  # whose first rows will be told


def _names(sheets: list[Any]) -> str:
    names = ", ".join(f"'{sheet.title[:40]}'" for sheet in sheets[:10])
    return names + (f" and {len(sheets) - 10} more" if len(sheets) > 10 else "")


def _part(sheet: Any) -> str:
    return str(sheet._worksheet_path).lstrip("/")  # noqa: SLF001 - openpyxl has no other way to tell it


def _rows(sheet: Any, layout: Layout, up_to: int) -> Iterator[Row]:
    sheet.reset_dimensions()  # programs write wrong ones, which would cut rows off
    for number, found in enumerate(sheet.iter_rows(max_row=up_to), start=1):
        last = next((place for place in range(len(found), 0, -1) if found[place - 1].value is not None), 0)
        cells = trimmed([_cell(cell) for cell in found[:last]], number)
        if cells:
            hidden = "it is hidden in the workbook; show it, or delete it." if number in layout.hidden else ""
            yield Row(number, _merged(cells, number, layout), len(cells), hidden)
        if number >= up_to:
            return  # below there may be a million rows that have a format and nothing else


def _merged(cells: tuple[Cell, ...], number: int, layout: Layout) -> tuple[Cell, ...]:
    """`cells`, where one that shows nothing because it is merged into another says so."""
    if not layout.merged:
        return cells
    all_cells = [*cells, *[NOTHING] * (MAX_COLUMNS - len(cells))]
    for place, cell in enumerate(all_cells):
        anchor = layout.merged.get((number, place + 1))
        if anchor is not None:
            fault = f"it is merged into {anchor}; unmerge it and write its value."
            all_cells[place] = Cell(cell.text, cell.kind, fault)
    return trimmed(all_cells, number)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return NOTHING
    if cell.data_type == "f":
        formula = str(getattr(value, "text", None) or value)
        return Cell(formula, fault=f"it is a formula ({formula[:40]}); paste its value instead.")
    if cell.data_type == "e":
        return Cell(str(value), fault=f"Excel shows an error here ({str(value)[:20]}).")
    match value:
        case bool():
            return Cell("TRUE" if value else "FALSE")
        case int() | float():
            return _number(value)
        case datetime():
            day_only = value.time() == time()
            return Cell(value.date().isoformat() if day_only else value.isoformat(" ", "seconds"), Kind.DATE)
        case date():
            return Cell(value.isoformat(), Kind.DATE)
        case time() | timedelta():
            return Cell(str(value), Kind.DATE, "it is a time of day without its date.")
        case _:
            return text_cell(str(value))


def _number(value: int | float) -> Cell:
    whole = isinstance(value, int) or value.is_integer()
    if whole and abs(value) < EXACT_UP_TO:
        return Cell(str(int(value)), Kind.NUMBER)
    text = repr(value)[:40]
    if abs(value) >= EXACT_UP_TO:
        return Cell(text, Kind.NUMBER, f"Excel has rounded this number ({text}); type it as text.")
    return Cell(text, Kind.NUMBER)
