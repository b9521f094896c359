"""Python and SQL agree on numbers, folded names and identities, for any text a person or a program can send.

Bounded: characters that Unicode 14 assigns (Python 3.11's), since a newer database may decompose newer ones; without NUL
and half surrogates, which PostgreSQL cannot hold.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registre.document import DocumentRequest, Source, fold, normalize_number
from registre.sentences import key_of

BATCH = 50

anything = st.text(st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\x00"), max_size=30)
latin = st.text(
    st.one_of(
        st.sampled_from(
            string.ascii_letters
            + string.digits
            + " -'’.,()½œŒæÆßıİŉǰſÿŸøłđ‐‑–—\u00a0\u202f\u2009\u200b\ufeff\u0301\u034f\u20dd"
        ),
        st.characters(min_codepoint=0x20, max_codepoint=0x24F),
        st.characters(min_codepoint=0x1E00, max_codepoint=0x1EFF),
    ),
    max_size=30,
)
texts = st.one_of(anything, latin)
requests = st.builds(
    DocumentRequest,
    source=st.sampled_from(Source),
    number=st.one_of(
        texts,
        st.from_regex(r"[0-9]{1,8}[A-Z]?", fullmatch=True),
        st.sampled_from(["2 784 195", "0999999", "01000000", "1e9"]),
    ),
    circonscription=texts,
    cadastre=texts,
    designation=texts,
    acte_type=texts,
)
quick = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def database(current_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(current_dsn, autocommit=True) as connection:
        yield connection


@quick
@given(st.lists(texts, min_size=1, max_size=BATCH))
@example(["24ß", "24ı", "24ſ", "24ŉ", "ﬁ", "24 a", "1 000"])
def test_sql_normalizes_numbers_as_python_does(database: psycopg.Connection, given_texts: list[str]) -> None:
    rows = database.execute(
        "select registre.normalize_number(t) from unnest(%s::text[]) with ordinality as u(t, n) order by n",
        [given_texts],
    ).fetchall()
    assert [row[0] for row in rows] == [normalize_number(text) for text in given_texts]


@quick
@given(st.lists(texts, min_size=1, max_size=BATCH))
@example(
    ["Œuvre", "œuvre", "İstanbul", "Kelvin: K", "a\u034fb", "a\u20ddb", "½", "ﬃ", "Sainte‑Anne", "É\u0301", "ǰ", "ß"]
)
def test_sql_folds_names_as_python_does(database: psycopg.Connection, given_texts: list[str]) -> None:
    rows = database.execute(
        "select registre.fold(t) from unnest(%s::text[]) with ordinality as u(t, n) order by n", [given_texts]
    ).fetchall()
    assert [row[0] for row in rows] == [fold(text) for text in given_texts]


def test_sql_and_python_agree_on_every_single_character(database: psycopg.Connection) -> None:
    every = [
        chr(code)
        for code in range(1, sys.maxunicode + 1)
        if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co") and not 0x3400 <= code <= 0x9FFF
    ]
    rows = database.execute(
        "select t, registre.normalize_number(t), registre.fold('a' || t || 'b') from unnest(%s::text[]) as u(t)",
        [every],
    ).fetchall()
    assert len(rows) == len(every) > 50_000
    differing = [
        (f"U+{ord(t):04X}", unicodedata.name(t, ""), number, folded)
        for t, number, folded in rows
        if (number, folded) != (normalize_number(t), fold(f"a{t}b"))
    ]
    assert differing == []


@quick
@given(st.lists(texts, min_size=1, max_size=BATCH))
@example(["Le lot 2 784 195-B est inactif.", "24A, 25B", "a1b2 3", "½", "1", ""])
def test_sql_finds_the_key_of_a_sentence_as_python_does(database: psycopg.Connection, given_texts: list[str]) -> None:
    rows = database.execute(
        "select registre.sentence_key(t) from unnest(%s::text[]) with ordinality as u(t, n) order by n",
        [given_texts],
    ).fetchall()
    assert [row[0] for row in rows] == [key_of(text) for text in given_texts]


@quick
@given(st.lists(requests, min_size=1, max_size=BATCH))
def test_sql_identifies_documents_as_python_does(database: psycopg.Connection, orders: list[DocumentRequest]) -> None:
    columns = [
        [getattr(order, name) for order in orders]
        for name in ("source", "number", "circonscription", "cadastre", "designation", "acte_type")
    ]
    rows = database.execute(
        "select registre.identity_key(s, n, c, k, d, a) from unnest(%s::text[], %s::text[], %s::text[], %s::text[], "
        "%s::text[], %s::text[]) with ordinality as u(s, n, c, k, d, a, o) order by o",
        columns,
    ).fetchall()
    assert [row[0] for row in rows] == [order.identity_key for order in orders]


@given(requests)
def test_case_accents_and_spacing_do_not_make_another_document(order: DocumentRequest) -> None:
    shouted = DocumentRequest(
        order.source,
        f" {order.number}\u00a0",
        f"  {order.circonscription} ",
        order.cadastre,
        order.designation,
        order.acte_type,
    )
    assert shouted.identity_key == order.identity_key


def test_each_thing_that_tells_documents_apart_is_in_the_key() -> None:
    apart = [
        DocumentRequest(Source.ACTE, "53850", "Hull", acte_type="Acte"),
        DocumentRequest(Source.ACTE, "53850", "Gatineau", acte_type="Acte"),
        DocumentRequest(Source.ACTE, "53850", "Hull", acte_type="Radiation"),
        DocumentRequest(Source.INDEX, "53850", "Hull", "Cité de Hull"),
        DocumentRequest(Source.PLAN, "53850", "Hull", "Cité de Hull"),
        DocumentRequest(Source.INDEX, "53850", "Gatineau", "Cité de Hull"),
        DocumentRequest(Source.INDEX, "53850", "Hull", "Canton de Hull"),
        DocumentRequest(Source.INDEX, "53850", "Hull", "Cité de Hull", "Rang 1"),
        DocumentRequest(Source.INDEX, "53850-1", "Hull", "Cité de Hull"),
    ]
    assert len({request.identity_key for request in apart}) == len(apart)


def test_a_renovated_lot_is_one_document_wherever_it_is_said_to_be() -> None:
    spelled = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec", "Rang 1")
    bare = DocumentRequest(Source.INDEX, "2784195")
    assert spelled.identity_key == bare.identity_key
    assert bare.identity_key != DocumentRequest(Source.PLAN, "2784195").identity_key


@given(requests, st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_an_object_key_is_a_plain_ascii_file_name_and_stays_the_same(order: DocumentRequest, at: datetime) -> None:
    purchased_at = at.replace(tzinfo=UTC)
    key = order.object_key(purchased_at)
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.pdf", key)
    assert not key.startswith(".")
    assert len(key) <= 255
    assert key == order.object_key(purchased_at)


def test_object_keys_are_the_predecessors() -> None:
    at = datetime(2026, 3, 2, 15, 4, 5, 678_000, UTC)
    index = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")
    acte = DocumentRequest(Source.ACTE, "25 616 321", "L'Islet", acte_type="Acte")
    assert index.object_key(at) == "2784195-Montreal-Cadastre_du_Quebec-1772463845678.pdf"
    assert acte.object_key(at) == "25616321-L_Islet-1772463845678.pdf"
