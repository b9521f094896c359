"""Choosing from the site's lists: exactly, or not at all."""

from __future__ import annotations

from datetime import date

import pytest

from registre.errors import DataError, ErrorKind
from registre.site.pages.plan_list import choose_plan, dates_in, names_lot
from registre.site.pages.rows import ListRow
from registre.site.pages.similar_list import choose_document
from registre.site.profile import load_profile

RESULT = load_profile().result
HEADERS = ("", "Numéro d’inscription", "Type de document", "Date", "")


def acte(number: str, kind: str, radio: int, *, paper: bool = False) -> ListRow:
    return ListRow(("", number, kind, "2005-05-30", ""), HEADERS, radio, paper)


def plan(label: str, radio: int = 0) -> ListRow:
    return ListRow(("", label), (), radio)


def refused(kind: ErrorKind) -> pytest.RaisesExc[DataError]:
    return pytest.RaisesExc(DataError, check=lambda error: error.kind is kind)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("plan déposé le 2019-11-04", date(2019, 11, 4)),
        ("déposé le 04/11/2019", date(2019, 11, 4)),
        ("déposé le 4.11.2019", date(2019, 11, 4)),
        ("Plan du 4 novembre 2019", date(2019, 11, 4)),
        ("1er août 1998", date(1998, 8, 1)),
        ("le 12 févr. 2001", date(2001, 2, 12)),
        ("le 9\u00a0DÉCEMBRE\u00a02010", date(2010, 12, 9)),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, day: date) -> None:
    assert dates_in(text) == {day}


@pytest.mark.parametrize("text", ["plan A", "2019", "31/02/2019", "2019-13-01", "4 brumaire 2019", "12019-01-011"])
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    assert dates_in(text) == set()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Lot 2 784 195 - plan", "2784195"),
        ("Lot 2\u00a0784\u00a0195 du cadastre", "2784195"),
        ("2784195 2019-01-01", "2784195"),
        ("lot 399–184, Saint-Laurent", "399-184"),
        ("Lot 24a", "24A"),
        ("Plan PC-12345", "PC-12345"),
    ],
)
def test_a_label_names_its_lot(text: str, number: str) -> None:
    assert names_lot(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Lot 12 784 195", "2784195"),
        ("Lot 2 784 195", "784195"),
        ("Lot 2 784 195 200", "2784195"),
        ("Lot 2 784 196", "2784195"),
        ("Lot 399-184", "399"),
        ("Lot 399-184", "184"),
        ("Lot 24AB", "24A"),
        ("Lot 24A-1", "24A"),
    ],
)
def test_a_part_of_a_longer_number_is_another_lot(text: str, number: str) -> None:
    assert not names_lot(text, number)


def test_the_most_recent_plan_of_the_lot_is_taken_and_another_lots_never() -> None:
    rows = [
        plan("Lot 3 456 801 - plan déposé le 2021-03-03", 0),
        plan("Lot 3 456 800 - plan déposé le 12 décembre 2012", 1),
        plan("Lot 3 456 800 - plan déposé le 20/01/2015", 2),
        plan("Lot 3 456 800 - plan déposé le 2003-09-15", 3),
    ]
    assert choose_plan(rows, "3456800").radio == 2


@pytest.mark.parametrize(
    "labels",
    [
        ["Lot 3 456 801 - 2021-03-03"],
        [],
        ["Lot 3 456 800 - plan A", "Lot 3 456 800 - plan B"],
        ["Lot 3 456 800 - 2021-03-03", "Lot 3 456 800 - plan B"],
        ["Lot 3 456 800 - 2021-03-03 A", "Lot 3 456 800 - 2021-03-03 B"],
        ["Lot 3 456 800 - 2021-03-03 au 2022-01-01", "Lot 3 456 800 - 2021-05-05"],
    ],
)
def test_a_doubt_about_the_plan_is_a_refusal(labels: list[str]) -> None:
    with refused(ErrorKind.AMBIGUOUS_PLAN):
        choose_plan([plan(label, i) for i, label in enumerate(labels)], "3456800")


def test_the_row_with_the_number_and_the_type_is_taken() -> None:
    rows = [
        acte("12 345 679", "Acte", 0),
        acte("12 345 678", "Avis d'adresse", 1),
        acte("12\u00a0345\u00a0678", "Acte", 2),
    ]
    assert choose_document(rows, "12345678", "Acte", RESULT).radio == 2
    assert choose_document(rows, "12345678", "Avis d’adresse", RESULT).radio == 1


@pytest.mark.parametrize("wanted", ["Acte divers", "Radiation"])
def test_a_row_of_another_type_is_only_similar(wanted: str) -> None:
    with refused(ErrorKind.ONLY_SIMILAR):
        choose_document([acte("12 345 678", "Acte", 0)], "12345678", wanted, RESULT)


def test_a_number_in_a_column_that_is_not_the_number_is_no_match() -> None:
    row = ListRow(("", "11 111 111", "Acte", "12345678", ""), HEADERS, 0)
    with refused(ErrorKind.ONLY_SIMILAR):
        choose_document([row], "12345678", "Acte", RESULT)


def test_a_table_without_headers_is_read_by_whole_cells() -> None:
    assert choose_document([ListRow(("", "12 345 678", "Acte"), (), 0)], "12345678", "Acte", RESULT).radio == 0


def test_the_exact_row_on_paper_only_is_said_to_be_so() -> None:
    rows = [acte("53 851", "Acte", 0), acte("53 850", "Acte", 1, paper=True)]
    with refused(ErrorKind.PAPER_ONLY):
        choose_document(rows, "53850", "Acte", RESULT)


def test_two_rows_that_both_fit_are_refused() -> None:
    with refused(ErrorKind.ONLY_SIMILAR):
        choose_document([acte("53 850", "Acte", 0), acte("53850", "Acte", 1)], "53850", "Acte", RESULT)
