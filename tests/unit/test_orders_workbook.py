"""A workbook is read as its author sees it; what the author cannot see, or Excel may have changed, is not ordered."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from registre.errors import InvalidInput
from registre.orders.layout import read_layout
from registre.orders.reading import OrdersFile, read_orders_file
from registre.orders.verdicts import Accepted, Defaults, Rejected, Verdict, judge

SHEET = "xl/worksheets/sheet1.xml"
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
COLUMNS = ("Type", "Numéro", "Circonscription", "Cadastre", "Désignation", "Échéance")


def workbook(*rows: tuple[Any, ...], edit: Callable[[Worksheet], object] = lambda _: None) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (COLUMNS, *rows):
        sheet.append(row)
    edit(sheet)
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed, as another program may have written it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


def with_shared_texts(data: bytes) -> bytes:
    """The same workbook as Excel itself writes it: every text once, in a part of its own; some of it in several formats."""
    texts: list[str] = []

    def share(found: re.Match[str]) -> str:
        half = len(found[1]) // 2
        texts.append(f"<si><r><t>{found[1][:half]}</t></r><r><rPr><b/></rPr><t>{found[1][half:]}</t></r></si>")
        return f't="s"><v>{len(texts) - 1}</v></c>'

    inline = re.compile(r't="inlineStr"><is><t>([^<]+)</t></is></c>')
    data = rewritten(data, SHEET, lambda xml: inline.sub(share, xml.decode()).encode())
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    entry = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s" /></Types>' % kind
    data = rewritten(data, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", entry))
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{space}">{"".join(texts)}</sst>')
    return out.getvalue()


def judged(data: bytes) -> list[Verdict]:
    return list(judge(read_orders_file(data), Defaults(), NOW))


def sentences(data: bytes) -> list[str]:
    return [verdict.sentence if isinstance(verdict, Rejected) else "good" for verdict in judged(data)]


def numbers(data: bytes) -> list[str]:
    return [verdict.order.request.number for verdict in judged(data) if isinstance(verdict, Accepted)]


def refusal(data: bytes, sheet: str | None = None) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_orders_file(data, sheet)
    return str(refused.value)


def test_numbers_are_numbers_however_they_are_stored() -> None:
    data = workbook(
        ("index", 2784195, "", "Cadastre du Québec"),
        ("index", 2784196.0, "", "Cadastre du Québec"),
        ("index", "2 784 197", "", "Cadastre du Québec"),
        ("index", 24, "Québec", "Cité"),
    )
    data = rewritten(data, SHEET, lambda xml: xml.replace(b"<v>2784196</v>", b"<v>2.784196E6</v>"))
    assert b"2.784196E6" in zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    assert numbers(data) == ["2784195", "2784196", "2 784 197", "24"]


def test_texts_are_read_as_excel_itself_writes_them() -> None:
    data = with_shared_texts(workbook(("index", "2 784 195", "", "Cadastre"), ("index", "=1+1", "Q", "C")))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b">2 78</t></r><r><rPr><b/></rPr><t>4 195<" in archive.read("xl/sharedStrings.xml")
    assert sentences(data) == ["good", "document_number: it is a formula (=1+1); paste its value instead."]
    assert numbers(data) == ["2 784 195"]


def test_a_number_that_excel_has_rounded_is_refused() -> None:
    (said,) = sentences(workbook(("index", 12345678901234567890, "Q", "C")))
    assert said.startswith("document_number: Excel has rounded this number")


def test_a_number_with_decimals_is_no_lot() -> None:
    (said,) = sentences(workbook(("index", 2784195.5, "Q", "C")))
    assert said.startswith("document_number: '2784195.5' is not a lot number")


@pytest.mark.parametrize(
    ("value", "deadline"),
    [
        (date(2026, 10, 31), "2026-11-01T03:59:59"),
        (datetime(2026, 10, 31, 14, 30), "2026-10-31T18:30:00"),  # noqa: DTZ001 - Excel knows no zones
        ("2026-10-31", "2026-11-01T03:59:59"),
    ],
)
def test_dates_are_dates(value: object, deadline: str) -> None:
    (verdict,) = judged(workbook(("index", 1, "Q", "C", "", value)))
    assert isinstance(verdict, Accepted)
    assert verdict.order.deadline == datetime.fromisoformat(deadline).replace(tzinfo=UTC)


def test_a_time_of_day_is_no_date() -> None:
    assert sentences(workbook(("index", 1, "Q", "C", "", time(14, 30)))) == [
        "deadline: it is a time of day without its date."
    ]


def test_a_serial_number_is_no_date() -> None:
    (said,) = sentences(workbook(("index", 1, "Q", "C", "", 46296)))
    assert said.startswith("deadline: '46296' is not a date")


def test_a_lot_that_excel_has_made_a_date_is_refused() -> None:
    assert sentences(workbook(("index", date(2026, 2, 10), "Q", "C"))) == [
        "document_number: Excel has made this a date (2026-02-10); make the column text and type it again."
    ]


def test_a_formula_is_refused_and_never_computed() -> None:
    data = workbook(
        ("index", "=1000+1", "Q", "C"), ("index", 2, '=A1&"x"', "C"), ("index", "=C1", "=D1", "C"),
        ("index", ArrayFormula("B5", "=SUM(A1:A2)"), "Q", "C"), ("index", 5, "Q", "C"),
    )  # fmt: skip
    # Excel keeps the last value beside the formula
    data = rewritten(data, SHEET, lambda xml: re.sub(rb"<v ?/>|<v></v>", b"<v>1001</v>", xml))
    assert sentences(data) == [
        "document_number: it is a formula (=1000+1); paste its value instead.",
        'circonscription_fonciere: it is a formula (=A1&"x"); paste its value instead.',
        "document_number: it is a formula (=C1); paste its value instead.",
        "document_number: it is a formula (=SUM(A1:A2)); paste its value instead.",
        "good",
    ]


def test_a_formula_in_a_column_that_is_not_used_is_nobody_s_business() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (("type", "numéro", "circonscription", "cadastre", "total"), ("index", 1, "Q", "C", "=SUM(B2)")):
        sheet.append(row)
    file = read_orders_file(saved(book))
    assert file.header.unknown == ("total",)
    assert [type(verdict) for verdict in judge(file, Defaults(), NOW)] == [Accepted]


def test_a_text_that_looks_like_a_formula_is_refused() -> None:
    def as_text(sheet: Worksheet) -> None:
        sheet["C2"].data_type = "s"

    (said,) = sentences(workbook(("index", 1, "=A1", "C"), edit=as_text))
    assert said == "circonscription_fonciere: '=A1' would be a formula in Excel; write its value instead."


def test_an_error_of_excel_is_refused() -> None:
    assert sentences(workbook(("index", "#N/A", "Q", "C"))) == ["document_number: Excel shows an error here (#N/A)."]


def test_a_cell_that_is_merged_into_another_is_not_filled_in() -> None:
    rows = [("index", number, "Q", "C", "Bloc 1" if number == 1 else None) for number in (1, 2, 3)]
    data = workbook(*rows, ("index", 4, "Q", "C"), edit=lambda sheet: sheet.merge_cells("E2:E4"))
    merged = "designation_secondaire: it is merged into E2; unmerge it and write its value."
    assert sentences(data) == ["good", merged, merged, "good"]


def test_merged_titles_and_notes_do_not_matter() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (("Commandes de mai",), (), COLUMNS, ("index", 1, "Q", "C"), ("index", 2, "Q", "C")):
        sheet.append(row)
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("H4:H5")
    assert sentences(saved(book)) == ["good", "good"]


def test_a_hidden_row_is_not_bought_unseen() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True

    data = workbook(("index", 1, "Q", "C"), ("index", 2, "Q", "C"), ("index", 3, "Q", "C"), edit=hide)
    assert sentences(data) == ["good", "row: it is hidden in the workbook; show it, or delete it.", "good"]


def several_sheets() -> bytes:
    book = Workbook()
    notes = book.active
    assert isinstance(notes, Worksheet)
    notes.title = "Notes"
    notes.append(("À lire",))
    for title, number in (("Cachée", 1), ("Mai", 2), ("Juin", 3)):
        sheet = book.create_sheet(title)
        sheet.append(COLUMNS)
        sheet.append(("index", number, "Q", "C"))
    book["Cachée"].sheet_state = "hidden"
    return saved(book)


def test_the_first_visible_sheet_with_a_header_is_read() -> None:
    file = read_orders_file(several_sheets())
    assert (file.sheet, file.rows[0].cells[1].text) == ("Mai", "2")


@pytest.mark.parametrize(("wanted", "number"), [("Juin", "3"), ("juin ", "3"), ("Cachée", "1")])
def test_a_sheet_can_be_named_even_a_hidden_one(wanted: str, number: str) -> None:
    assert read_orders_file(several_sheets(), wanted).rows[0].cells[1].text == number


def test_a_sheet_that_is_not_there_is_told_with_those_that_are() -> None:
    assert refusal(several_sheets(), "Août") == (
        "--sheet: there is no 'Août'; the sheets are 'Notes', 'Cachée', 'Mai', 'Juin'."
    )


def test_a_workbook_without_a_header_says_what_its_first_sheet_has() -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(("Lot", "Cadastre"))
    assert refusal(saved(book)).endswith("row 1 has 'Lot', 'Cadastre'.")


def test_a_wrong_note_of_the_sheet_s_size_cuts_nothing_off() -> None:
    data = workbook(("index", 1, "Q", "C"), ("index", 2, "Q", "C"))
    data = rewritten(data, SHEET, lambda xml: xml.replace(b'ref="A1:F3"', b'ref="A1:B2"'))
    assert numbers(data) == ["1", "2"]


def test_rows_are_numbered_as_excel_shows_them() -> None:
    def move(sheet: Worksheet) -> None:
        sheet.insert_rows(1, 3)
        sheet.insert_rows(6, 1000)

    file = read_orders_file(workbook(("index", 1, "Q", "C"), ("index", 2, "Q", "C"), edit=move))
    assert (file.header.row, [row.number for row in file.rows]) == (4, [5, 1006])


def test_what_stands_beside_the_table_shifts_nothing() -> None:
    file = read_orders_file(workbook(("index", 1, "Q", "C", "", "", "a note")))
    assert isinstance(file, OrdersFile)
    assert file.header.names == (*COLUMNS, "")
    assert sentences(workbook(("index", 1, "Q", "C", "", "", "a note"))) == ["good"]


def swollen() -> bytes:
    """Small as a file, 200 MB unpacked."""
    out = io.BytesIO(workbook(("index", 1, "Q", "C")))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/media/x", "w") as part,
    ):
        for _ in range(100):
            part.write(bytes(1_000_000))
    return out.getvalue()


def wordy() -> bytes:
    """Small as a file, a million texts for whoever reads it."""
    data = with_shared_texts(workbook(("index", 1, "Q", "C")))
    return rewritten(
        data, "xl/sharedStrings.xml", lambda x: x.replace(b"</sst>", b"<si><t>a</t></si>" * 1_000_000 + b"</sst>")
    )


def laughing() -> bytes:
    """Entities within entities: small as XML, without end as text."""
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    doctype = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">' + entities + b"]>"
    return rewritten(workbook(("index", 1, "Q", "C")), SHEET,
                     lambda xml: doctype + xml.replace(b"<v>1</v>", b"<v>&l9;</v>"))  # fmt: skip


def other_archive(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (swollen, "unpacked it is larger than 64 MB"),
        (wordy, "its texts are more than 16 MB"),
        (laughing, "it is not a workbook that can be read"),
        (lambda: other_archive("mimetype"), "it is a ZIP or an OpenDocument file"),
        (lambda: other_archive("xl/workbook.bin"), "it is a binary workbook (.xlsb)"),
        (lambda: other_archive("[Content_Types].xml"), "it is not a workbook that can be read"),
        (lambda: workbook(("index", 1))[:-100], "it is not a workbook that can be read"),
        (
            lambda: rewritten(workbook(), SHEET, lambda x: x.replace(b'r="1"', b'r="a"')),
            "it is not a workbook that can be read",
        ),
        (
            lambda: rewritten(workbook(("index", 1)), SHEET, lambda x: x.replace(b'<row r="2"', b'<row r="1"')),
            "the sheet's rows are not in order",
        ),
    ],
)  # fmt: skip
def test_what_is_no_workbook_of_orders_is_one_sentence(make: Callable[[], bytes], said: str) -> None:
    assert refusal(make()).startswith(f"file: {said}")


def test_merged_cells_without_end_are_refused() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet["A9000"] = "x"
        sheet.merge_cells("A2:B3")

    data = rewritten(workbook(edit=merge), SHEET, lambda xml: xml.replace(b'"A2:B3"', b'"A2:XFD1048576"'))
    assert refusal(data).startswith("file: the sheet has too many merged cells")


def test_entities_are_refused_even_where_the_library_would_expand_them() -> None:
    part = io.BytesIO(b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>')
    with pytest.raises(InvalidInput, match="declares XML entities"):
        read_layout(part)
