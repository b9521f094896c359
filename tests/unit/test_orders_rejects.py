"""A rejects file keeps what was typed, is safe to open in Excel, and once mended is imported like any other."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from registre.orders.reading import OrdersFile, read_orders_file
from registre.orders.rejects import rejects_path, render_rejects
from registre.orders.verdicts import Accepted, Defaults, Rejected, judge

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
ORDERS = """\
Commandes de mai
Type;Lot;Circonscription;Cadastre;Notaire;
index;2784195;Montréal;Cadastre du Québec;Me Roy;
index;2,78E+06;Montréal;Cadastre du Québec;=HYPERLINK("x");
index;;@Montréal;"Cadastre;
du Québec";Me Œuvre;note
index;1;Montréal;Cadastre;Me Roy;;trop
"""


def refused(file: OrdersFile) -> list[Rejected]:
    return [verdict for verdict in judge(file, Defaults(), NOW) if isinstance(verdict, Rejected)]


def rejects(data: bytes) -> bytes:
    file = read_orders_file(data)
    return render_rejects(file, refused(file))


def cells(data: bytes, delimiter: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_it_has_the_columns_that_came_the_row_and_the_reason() -> None:
    header, shortened, empty, shifted = cells(rejects(ORDERS.encode()))
    assert header == ["Type", "Lot", "Circonscription", "Cadastre", "Notaire", "", "row", "reason"]
    assert shortened == [
        "index", "2,78E+06", "Montréal", "Cadastre du Québec", "'=HYPERLINK(\"x\")", "", "4",
        "document_number: Excel has shortened this number (2,78E+06); make the column text and type it again.",
    ]  # fmt: skip
    assert empty[:7] == ["index", "", "'@Montréal", "Cadastre;\ndu Québec", "Me Œuvre", "note", "5"]
    assert shifted[6:] == [
        "6", "row: it has 7 cells under 6 columns; put quotation marks around a cell that holds the delimiter.", "trop",
    ]  # fmt: skip


def test_it_begins_with_the_mark_by_which_excel_knows_utf_8() -> None:
    assert rejects(ORDERS.encode("windows-1252")).startswith("\ufeffType;".encode())


def test_imported_again_unmended_it_is_refused_again_for_the_same_reasons() -> None:
    once = rejects(ORDERS.encode())
    again = cells(rejects(once))
    for before, after in zip(cells(once)[1:3], again[1:3], strict=True):
        assert [*before[:6], before[7]] == [*after[:6], after[7]]
    assert "cells under" in again[3][7]


def test_imported_again_its_own_columns_are_not_called_unknown() -> None:
    assert read_orders_file(rejects(ORDERS.encode())).header.unknown == ("Notaire",)


def test_a_row_and_a_reason_that_the_author_wrote_are_kept() -> None:
    data = b"row;source;number;reason\n7;index;;urgent\n"
    header, line = cells(rejects(data))
    assert header == ["row", "source", "number", "reason", "row", "reason"]
    assert line[:5] == ["7", "index", "", "urgent", "2"]


def test_mended_its_rows_are_ordered() -> None:
    mended = rejects(ORDERS.encode()).replace(b"2,78E+06;", b"2784196;")
    first, *_ = judge(read_orders_file(mended), Defaults(), NOW)
    assert isinstance(first, Accepted)
    assert first.order.request.number == "2784196"


@pytest.mark.parametrize(("delimiter", "kept"), [(",", ","), ("\t", "\t"), ("|", ";")])
def test_it_has_the_delimiter_of_the_file_that_came(delimiter: str, kept: str) -> None:
    data = f"sep={delimiter}\nsource;number\nindex;\n".replace(";", delimiter).encode()
    assert cells(rejects(data), kept)[0] == ["source", "number", "row", "reason"]


def test_a_workbook_s_rejects_are_text_and_its_formulas_do_not_run() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (("type", "lot", "échéance"), ("index", "=1+1", datetime(2030, 1, 2)), ("index", 0.5, None)):  # noqa: DTZ001
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    assert [line[:4] for line in cells(rejects(out.getvalue()))[1:]] == [
        ["index", "'=1+1", "2030-01-02", "2"],
        ["index", "0.5", "", "3"],
    ]


@pytest.mark.parametrize(
    ("orders", "taken", "name"),
    [
        ("mai.xlsx", [], "mai.rejects.csv"),
        ("mai.csv", ["mai.rejects.csv"], "mai.rejects-2.csv"),
        ("mai.rejects.csv", ["mai.rejects.csv"], "mai.rejects-2.csv"),
        ("mai.rejects-2.csv", ["mai.rejects.csv", "mai.rejects-2.csv"], "mai.rejects-3.csv"),
    ],
)
def test_it_never_takes_a_name_that_is_taken(tmp_path: Path, orders: str, taken: list[str], name: str) -> None:
    for other in taken:
        (tmp_path / other).touch()
    assert rejects_path(tmp_path / orders) == tmp_path / name
