"""A text file is read in the encoding and with the delimiter that the whole of it has, or refused in one sentence."""

from __future__ import annotations

import pytest

from registre.document import fold
from registre.errors import InvalidInput
from registre.orders.cells import MAX_FILE_BYTES, MAX_ROWS
from registre.orders.columns import NAMES
from registre.orders.reading import OrdersFile, read_orders_file

HEADER = "source;document_number;circonscription_fonciere;cadastre"
ROW = "index;24A;L’Œuvre du Sacré-Cœur (5 €);Paroisse de Saint-Denis"


def texts(file: OrdersFile) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in file.rows]


def refusal(data: bytes, sheet: str | None = None) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_orders_file(data, sheet)
    return str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_every_encoding_ending_and_delimiter_reads_the_same(encoding: str, ending: str, delimiter: str) -> None:
    text = ending.join([HEADER, ROW, "", ""]).replace(";", delimiter)
    file = read_orders_file(text.encode(encoding))
    assert texts(file) == [ROW.split(";")]
    assert file.delimiter == delimiter
    assert file.sheet is None


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_utf_16_in_either_order_of_bytes(encoding: str) -> None:
    assert texts(read_orders_file(f"\ufeff{HEADER}\n{ROW}".encode(encoding))) == [ROW.split(";")]


def test_utf_16_without_its_mark_is_refused() -> None:
    assert refusal(f"{HEADER}\n{ROW}".encode("utf-16-le")).startswith("file: it is neither a workbook nor a text")


def test_a_file_that_mixes_encodings_is_refused_as_a_whole() -> None:
    mixed = HEADER.encode() + b"\n" + ROW.encode() + b"\n" + ROW.encode("windows-1252")
    assert refusal(mixed).startswith("file: it mixes UTF-8 with another encoding")


def test_bytes_that_are_in_no_known_encoding_are_refused() -> None:
    assert refusal(HEADER.encode() + b"\nindex;\x81;;") == (
        "file: it is not whole as UTF-8 or windows-1252 text; save it again as 'CSV UTF-8' or .xlsx."
    )


def test_a_cut_utf_16_file_is_refused() -> None:
    assert "is not whole as UTF-16" in refusal(HEADER.encode("utf-16") + b"\x00")


@pytest.mark.parametrize("broken", ["MontrÃ©al", "lâ€™Islet", "Montr\ufffdal", "SacrÃ©-CÅ“ur", "Ã€ la Baie"])
def test_a_cell_whose_accents_were_broken_before_has_a_fault(broken: str) -> None:
    row = read_orders_file(f"{HEADER}\nindex;24A;{broken};Paroisse".encode()).rows[0]
    assert "broken accents" in row.cells[2].fault


@pytest.mark.parametrize("said", ["sep=,\r\n", "SEP=,\n", '"sep=,"\r\n'])
def test_a_line_that_says_the_delimiter_is_obeyed_and_not_counted(said: str) -> None:
    file = read_orders_file((said + "source,number\nindex,1;2,\n").encode())
    assert texts(file) == [["index", "1;2"]]
    assert file.rows[0].number == 2


def test_rows_are_counted_as_excel_counts_them() -> None:
    file = read_orders_file(b'Commandes\n\nsource;number;client\n\nindex;1;"a\nb"\nindex;2;c\n')
    assert file.header.row == 3
    assert [row.number for row in file.rows] == [5, 6]
    assert file.rows[0].cells[2].text == "a\nb"


def test_empty_rows_and_columns_at_the_end_are_nothing() -> None:
    file = read_orders_file(
        ("source;number" + ";" * 500 + "\nindex;1" + ";" * 900 + "\n" + ";" * 900 + "\n\n").encode()
    )
    assert texts(file) == [["index", "1"]]


def test_a_quotation_mark_that_is_not_closed_does_not_swallow_the_rows_below() -> None:
    assert refusal(b'source;number;client\nindex;1;a\nindex;2;"b\nindex;3;c\n').startswith("row 3: its quotation marks")


def test_a_quotation_mark_within_a_cell_is_a_character() -> None:
    assert texts(read_orders_file(b'source;number;client\nindex;1;5" x\n')) == [["index", "1", '5" x']]


def test_a_row_with_more_cells_than_columns_may_be_shifted() -> None:
    rows = read_orders_file(b"source,number,circonscription\nindex,1,Quebec\nindex,2,Ville, Quebec\n").rows
    assert [bool(row.fault) for row in rows] == [False, True]


def test_a_column_without_a_name_shifts_nothing() -> None:
    file = read_orders_file(b"source;number;;\nindex;1;;a note\n")
    assert not file.rows[0].fault
    assert file.header.names == ("source", "number", "", "")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "file: it is empty."),
        (b"\r\n \n", "file: it is empty."),
        (b"source;number\n;;\n", "rows: there is nothing below the header."),
        (b"<html><td>source", "file: it is a web page or XML under another name; save it again as 'CSV UTF-8' or .xlsx."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file: it is an Excel 97–2003 file (.xls) or no table at all; save it as .xlsx."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "file: the workbook is protected by a password; save it without one.",
        ),
        (b"PK\x03\x04nothing", "file: it is not a workbook that can be read; save it again as .xlsx."),
        (b"a" * (MAX_FILE_BYTES + 1), "file: it is larger than 10 MB; is it a file of orders?"),
        (b"source;number\n" + b"index;1\n" * (MAX_ROWS + 1), "rows: there are more than 10000 orders; split the file."),
        (b"source;number\nindex;1" + b";" * 200 + b"x", "row 2: it has more than 100 columns; is this a file of orders?"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_orders_is_one_sentence(data: bytes, sentence: str) -> None:
    assert refusal(data) == sentence


def test_as_many_rows_as_are_accepted_are_read() -> None:
    assert len(read_orders_file(b"titre\n" * 9 + b"source;number\n" + b"index;1\n" * MAX_ROWS).rows) == MAX_ROWS


def test_a_text_has_no_sheets() -> None:
    assert refusal(b"source;number\nindex;1\n", "Feuil1") == "--sheet: the file is a text and has no sheets."


def test_missing_columns_are_named_with_what_was_found() -> None:
    assert refusal(b"Commandes\nCadastre;Client;Lot\nx;y;1\n") == (
        "columns: no column is named document_source (or for example 'source'); row 2 has 'Cadastre', 'Client', 'Lot'."
    )


def test_a_header_below_the_tenth_row_is_not_looked_for() -> None:
    assert refusal(b"titre\n" * 10 + b"source;number\nindex;1\n").startswith("columns: no column is named")


def test_a_file_that_begins_far_below_says_so() -> None:
    assert refusal(b"\n" * 10 + b"source;number\nindex;1\n").startswith(
        "columns: nothing is written in the first 10 rows"
    )


def test_two_columns_for_one_field_are_refused() -> None:
    assert refusal(b"source;numero;lot\nindex;1;2\n") == (
        "columns: 'numero' and 'lot' both mean document_number; keep one, or rename the other."
    )


@pytest.mark.parametrize(
    "names",
    [
        ";".join(NAMES),
        "Type;N°;Circonscription foncière;Cadastre;Désignation secondaire;Type d’acte;Priorité;Client;Pas avant le;Échéance",
        "SOURCE *;Lot number :;Circ.;CADASTRE;Secondary designation;Deed type;Priority;Customer;Not before;Due date",
    ],
)
def test_columns_are_known_by_the_names_people_give(names: str) -> None:
    header = read_orders_file(f"{names}\nindex;1\n".encode()).header
    assert header.fields == {field: place for place, field in enumerate(NAMES)}
    assert header.unknown == ()


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name in names])
def test_no_name_of_a_column_is_written_in_vain(name: str) -> None:
    assert fold(name) == name


def test_other_columns_are_told() -> None:
    header = read_orders_file("source;number;Notaire;Prix payé\nindex;1\n".encode()).header
    assert header.unknown == ("Notaire", "Prix payé")
