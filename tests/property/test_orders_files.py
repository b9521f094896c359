"""Whatever the bytes are, an order file is rows or one sentence; and what is written reads back as it was."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from registre.errors import InvalidInput
from registre.orders.cells import guarded, unguarded
from registre.orders.reading import OrdersFile, read_orders_file
from registre.orders.rejects import render_rejects
from registre.orders.verdicts import Accepted, Defaults, Rejected, judge

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
FRENCH = "abcdefghijklmnopqrstuvwxyzéèêàâçîïôûùœæÉÀÇŒ’«»€ 0123456789-.'\"=+@;,\t\n"

HEADER = b"source;number;circonscription;cadastre\n"

french = st.text(FRENCH, max_size=12)
any_text = st.text(max_size=12)
tables = st.lists(st.lists(french, min_size=6, max_size=6), min_size=1, max_size=5)


def outcome(data: bytes) -> OrdersFile | None:
    try:
        file = read_orders_file(data)
    except InvalidInput as refused:
        sentence = str(refused)
    else:
        verdicts = list(judge(file, Defaults(), NOW))
        assert [verdict.row for verdict in verdicts] == [row.number for row in file.rows]
        return file
    assert sentence.endswith((".", "?"))
    return None


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_one_sentence(data: bytes) -> None:
    outcome(data)
    outcome(HEADER + data)
    outcome(b"\xff\xfe" + HEADER.decode().encode("utf-16-le") + data)
    outcome(b"PK\x03\x04" + data)


def _workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (("type", "numéro", "cadastre", "échéance"), ("index", 2784195, "=A1", NOW.replace(tzinfo=None))):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WORKBOOK = _workbook()
with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as _archive:
    PARTS = {name: _archive.read(name) for name in _archive.namelist()}


@given(st.sampled_from(sorted(PARTS)), st.integers(0, 5000), st.integers(0, 40), st.binary(max_size=40))
@settings(max_examples=150)
def test_a_workbook_damaged_anywhere_is_rows_or_one_sentence(part: str, at: int, removed: int, put: bytes) -> None:
    at %= len(PARTS[part])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in PARTS.items():
            archive.writestr(name, content[:at] + put + content[at + removed :] if name == part else content)
    outcome(out.getvalue())


@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=150)
def test_an_archive_damaged_anywhere_is_rows_or_one_sentence(at: int, put: bytes) -> None:
    outcome(WORKBOOK[:at] + put + WORKBOOK[at + len(put) :])


@given(tables, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]), st.sampled_from(";,\t"))
def test_written_and_read_is_the_same_in_every_encoding_and_delimiter(
    table: list[list[str]], encoding: str, delimiter: str
) -> None:
    lines = [["source", "number", "client", "cadastre", "x", "y"], *table]
    text = "\r\n".join(delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) for line in lines)
    assume("â€" not in text)  # in windows-1252 the bytes with which UTF-8 begins a typographic apostrophe
    expected = [[unguarded(cell.strip()) for cell in line] for line in table]
    if not any(cell for line in expected for cell in line):
        return
    file = read_orders_file(text.encode(encoding))
    assert file.delimiter == delimiter
    assert [[row.at(place).text for place in range(6)] for row in file.rows] == [line for line in expected if any(line)]


@given(any_text)
def test_the_apostrophe_that_guards_a_cell_is_taken_off_again(text: str) -> None:
    written = guarded(text)
    assert unguarded(written) == text
    assert not re.match(r"\s*[=+\-@]", written) or re.fullmatch(r"[+-][0-9]+([.,][0-9]+)?", written)


@given(tables, st.sampled_from(";,\t"))
def test_rejects_read_back_as_the_rows_they_were(table: list[list[str]], delimiter: str) -> None:
    lines = [["source", "number", "client", "cadastre", "x", "y"], *table]
    text = "\n".join(delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) for line in lines)
    file = outcome(text.encode())
    if file is None:
        return
    verdicts = list(judge(file, Defaults(), NOW))
    bad = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    if not bad:
        return
    written = render_rejects(file, bad)
    again = outcome(written)
    assert again is not None
    refused = {verdict.row for verdict in bad}
    kept = [row for row in file.rows if row.number in refused]
    assert [[row.at(place).text for place in range(6)] for row in again.rows] == [
        [row.at(place).text for place in range(6)] for row in kept
    ]
    # what is refused for itself stays refused; only a repetition becomes an order once its first is gone
    for verdict, second in zip(bad, judge(again, Defaults(), NOW), strict=True):
        if isinstance(second, Accepted):
            assert "repeats row" in verdict.sentence
        elif "repeats row" not in verdict.sentence:
            assert second.sentence == verdict.sentence
