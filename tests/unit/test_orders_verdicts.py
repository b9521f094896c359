"""A row becomes the order that it says, or a sentence; nothing that Excel may have changed is ordered."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from registre.document import DocumentRequest, Source
from registre.errors import InvalidInput
from registre.job import Order
from registre.orders.cells import guarded, text_cell, unguarded
from registre.orders.moments import read_moment
from registre.orders.reading import read_orders_file
from registre.orders.verdicts import Accepted, Defaults, Rejected, Verdict, judge, valid_client
from registre.plain import harmless

NONE = Defaults()
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
COLUMNS = "source;number;circonscription;cadastre;designation;acte type;priority;client;not before;deadline"


def verdicts(*rows: str, defaults: Defaults = NONE) -> list[Verdict]:
    return list(judge(read_orders_file("\n".join([COLUMNS, *rows]).encode()), defaults, NOW))


def order(row: str, defaults: Defaults = NONE) -> Order:
    (verdict,) = verdicts(row, defaults=defaults)
    assert isinstance(verdict, Accepted), verdict
    return verdict.order


def sentence(row: str) -> str:
    (verdict,) = verdicts(row)
    assert isinstance(verdict, Rejected), verdict
    assert verdict.sentence.startswith(f"{verdict.field}: ")
    return verdict.sentence


def test_a_row_becomes_the_order_it_says() -> None:
    row = "Plan cadastral; 24-1 ;Québec;Cité de Québec;Bloc 2;;-5;Étude Roy;2026-11-01;2026-11-30 17:00"
    assert order(row) == Order(
        DocumentRequest(Source.PLAN, "24-1", "Québec", "Cité de Québec", "Bloc 2"),
        client="Étude Roy",
        priority=-5,
        not_before=datetime(2026, 11, 1, 4, tzinfo=UTC),
        deadline=datetime(2026, 11, 30, 22, tzinfo=UTC),
    )


def test_what_a_row_does_not_say_is_the_default() -> None:
    spoken = Defaults(client="Roy", priority=7, fresh=True)
    found = order("index;2784195;;Cadastre du Québec;;;;;;", spoken)
    assert (found.client, found.priority, found.fresh) == ("Roy", 7, True)
    found = order("index;2784195;;Cadastre du Québec;;;3;Côté;;", spoken)
    assert (found.client, found.priority, found.fresh) == ("Côté", 3, True)


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("acte", Source.ACTE),
        ("ACTES", Source.ACTE),
        ("Index des immeubles", Source.INDEX),
        ("index", Source.INDEX),
        ("Plan", Source.PLAN),
        ("plan_cadastraux", Source.PLAN),
        ("Plans cadastraux", Source.PLAN),
    ],
)
def test_sources_are_known_by_their_usual_names(typed: str, source: Source) -> None:
    assert order(f"{typed};25616321;Québec;Cadastre;;Acte;;;;").request.source is source


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (";1;Q;C", "document_source: what is to be ordered is not said: acte, index or plan."),
        ("carte;1;Q;C", "document_source: 'carte' is unknown; acte, index or plan is expected."),
        ("index;;Q;C", "document_number: a number is required."),
        ("index;abc;Q;C", "document_number: 'abc' is not a lot number (such as 2 784 195, 24A, 399-184 or PC-12345)."),
        ("index;1,00;Q;C", "document_number: '1,00' is not a lot number (such as 2 784 195, 24A, 399-184 or PC-12345)."),
        ("index;1;Q;", "cadastre: an order of index needs its cadastre (for a lot of 1 000 000 and above: Cadastre du Québec)."),
        ("acte;1;Q;;;", "acte_type: an acte needs its type: Acte, Avis d'adresse, Radiation, Acte divers."),
        ("index;1;Q;C;;;high", "priority: 'high' is not a whole number from -1000 to 1000."),
        ("index;1;Q;C;;;1001", "priority: '1001' is not a whole number from -1000 to 1000."),
        ("index;1;Q;C;;;1.5", "priority: '1.5' is not a whole number from -1000 to 1000."),
        ("index;1;Q;C;;;;" + "x" * 101, "client: 101 characters are too many; at most 100 are accepted."),
        ("index;1;Q;C;;;;\u202ex", "client: control characters and broken text are not accepted."),
        ("index;1;Q;C;;;;;;2026-10-04", "deadline: '2026-10-04' is past."),
        ("index;1;Q;C;;;;;2026-11-02;2026-11-01", "deadline: '2026-11-01' is not after not_before, '2026-11-02'."),
        (
            "index;1;Q;C;;;;;;31/10/2026",
            "deadline: '31/10/2026' is not a date such as 2026-10-31 or 2026-10-31 14:30 (year, month, day).",
        ),
    ],
)  # fmt: skip
def test_a_row_to_mend_says_what_to_mend(row: str, said: str) -> None:
    assert sentence(row) == said


@pytest.mark.parametrize("number", ["2,78E+06", "2.784195E6", "2.78E+06", "1E+10"])
def test_a_number_that_excel_has_shortened_is_not_guessed_at(number: str) -> None:
    assert sentence(f"index;{number};Q;C").startswith("document_number: Excel has shortened this number")


@pytest.mark.parametrize("number", ["10-févr", "févr-24", "10-mars", "02-Oct", "12 août", "1-janv.-2026", "2026-02-10"])
def test_a_number_that_excel_has_made_a_date_is_not_guessed_at(number: str) -> None:
    assert sentence(f"index;{number};Q;C").startswith("document_number: Excel has made this number a date")


@pytest.mark.parametrize("number", ["24E5", "399-184", "PC-12345", "12-2026", "2026-2-10"])
def test_a_number_that_only_looks_odd_is_ordered(number: str) -> None:
    assert order(f"index;{number};Q;C").request.number == number


@pytest.mark.parametrize("text", ["=A1", "+cmd|x", "@SUM(1)", "-x", "=1+1", "'=A1"])
@pytest.mark.parametrize("column", [1, 2, 3, 4, 7])
def test_a_cell_that_would_be_a_formula_is_refused(text: str, column: int) -> None:
    cells = ["index", "1", "Q", "C", "", "", "", ""]
    cells[column] = text
    assert "would be a formula in Excel" in sentence(";".join(cells))


@pytest.mark.parametrize("dash", ["-", "–", "—"])
def test_a_dash_alone_is_an_empty_cell(dash: str) -> None:
    assert order(f"index;1;Q;C;{dash};;{dash};{dash};{dash};{dash}") == order("index;1;Q;C")


def test_the_second_row_that_asks_for_a_document_is_refused() -> None:
    first, second, third, other = verdicts(
        "index;2 784 195;Montréal;Cadastre du Québec", "index;2784195;;Cadastre du Québec",
        "INDEX;2784195;Laval;Cadastre du Québec", "plan;2784195;;Cadastre du Québec",
    )  # fmt: skip
    assert isinstance(first, Accepted)
    assert isinstance(other, Accepted)
    for repeat in (second, third):
        assert isinstance(repeat, Rejected)
        assert repeat.sentence == "document_number: repeats row 2; the same document is not ordered twice."


def test_a_row_that_repeats_a_refused_one_is_ordered() -> None:
    refused, good = verdicts("index;1;Q;C;;;;;;2020-01-01", "index;1;Q;C")
    assert isinstance(refused, Rejected)
    assert isinstance(good, Accepted)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-07-01", "2026-07-01T04:00:00", "2026-07-02T03:59:59"),
        ("2026-12-01", "2026-12-01T05:00:00", "2026-12-02T04:59:59"),
        ("2026-07-01 9:30", "2026-07-01T13:30:00", "2026-07-01T13:30:00"),
        ("2026-07-01T09:30:15", "2026-07-01T13:30:15", "2026-07-01T13:30:15"),
        ("2026-07-01T09:30Z", "2026-07-01T09:30:00", "2026-07-01T09:30:00"),
        ("2026-07-01T09:30+02:00", "2026-07-01T07:30:00", "2026-07-01T07:30:00"),
        ("2026-11-01 01:30", "2026-11-01T05:30:00", "2026-11-01T05:30:00"),
    ],
)
def test_a_moment_is_read_in_the_registry_s_own_time(text: str, first: str, last: str) -> None:
    assert read_moment("deadline", text, end_of_day=False) == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert read_moment("deadline", text, end_of_day=True) == datetime.fromisoformat(last).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-08 02:30", "skipped by the clocks"),
        ("2026-02-30", "no day or no hour"),
        ("2026-02-03 25:00", "no day or no hour"),
        ("1999-12-31", "not within the years 2000 to 2100"),
        ("9999-12-31 23:59Z", "not within the years 2000 to 2100"),
        ("20261031", "is not a date such as"),
        ("٢٠٢٦-١٠-٣١", "is not a date such as"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_moment("deadline", text, end_of_day=True)


def test_a_client_s_name_is_what_every_command_accepts() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        try:
            accepted = valid_client(character) == character
        except InvalidInput:
            accepted = False
        assert accepted == (harmless(character) == character), hex(code)


@pytest.mark.parametrize("text", ["-5", "+5", "12,5", "-12.50", "'", "", "l'Islet", "'24"])
def test_what_excel_would_not_compute_is_written_as_it_is(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


@pytest.mark.parametrize("text", ["=1", "@x", "-x", "+x", "  =1", "''=1", "＝1", "-5-"])
def test_what_excel_would_compute_is_written_with_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text
    assert text_cell(guarded(text)).text == text
