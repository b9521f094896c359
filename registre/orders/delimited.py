"""Order files as delimited text: CSV as Excel, LibreOffice and programs write it.

Invariant: the delimiter is the one under which a header is found, and it holds for the whole file. Rows are counted as Excel
counts them: empty ones too, a row of several lines once, and `sep=;` not at all.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from registre.errors import InvalidInput
from registre.orders.cells import HEADER_WITHIN, MAX_COLUMNS, MAX_ROWS, Row, text_cell, trimmed
from registre.orders.columns import recognised
from registre.orders.decoding import decode

DELIMITERS = (";", ",", "\t")

_SEP = re.compile(r'"?sep=([^"\r\n])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)


def read_delimited(data: bytes) -> tuple[list[Row], str]:
    """Every row that is not empty, and the delimiter."""
    text = decode(data)
    if text.lstrip().startswith("<"):
        raise InvalidInput("file", "it is a web page or XML under another name; save it again as 'CSV UTF-8' or .xlsx.")
    said = _SEP.match(text)
    if said is not None:
        delimiter, text = said[1], text[said.end() :]
    else:
        delimiter = max(DELIMITERS, key=lambda tried: _fitness(text, tried))
    return list(islice(_rows(text, delimiter), HEADER_WITHIN + MAX_ROWS + 1)), delimiter


def _fitness(text: str, delimiter: str) -> tuple[int, int]:
    """How well the first rows read with this delimiter: the fields they name, then the cells they have."""
    first: list[Row] = []
    try:
        for row in _rows(text, delimiter):
            if row.number > HEADER_WITHIN:
                break
            first.append(row)
    except InvalidInput:
        pass  # what was read before is what there is to go by; the reading itself will tell
    return recognised(first), sum(len(row.cells) for row in first)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    # strict: a quotation mark that is never closed would otherwise swallow the rest of the file as one cell
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InvalidInput(
                f"row {number}", "its quotation marks are not closed or not doubled, so its cells cannot be told apart."
            ) from None
        if not any(record):
            continue  # Excel writes a million of them when a whole column has a format
        cells = trimmed([text_cell(cell) for cell in record], number)
        if cells:
            yield Row(number, cells, min(len(record), MAX_COLUMNS))
