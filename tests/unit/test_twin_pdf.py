"""The twin's documents are real PDF files that name themselves."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from registre.document import Source
from registre.twin.catalogue import load_catalogue
from registre.twin.documents import Found, Query, grouped
from registre.twin.pdf import render_pdf
from registre.twin.registry import Registry
from registre.twin.special import special_document


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("index-ordinary", ["Index des immeubles", "2784195", "2 784 195", "Montréal", "Cadastre du Québec", "000001"]),
        ("index-old-lot", ["24A", "Gaspé", "Village de Gaspé", "020200", "Rang 1"]),
        ("acte-ordinary", ["Source : Acte", "25616321", "25 616 321", "Montréal", "Type de document", "2020-08-19"]),
        ("plan-complementaire", ["Plan cadastral", "PC-12345", "Montréal", "2011-09-30"]),
        ("radiation", ["T12345", "Radiation", "1987-03-12"]),
    ],
)
def test_every_page_names_the_document(name: str, words: list[str]) -> None:
    document = special_document(name)
    reader = PdfReader(io.BytesIO(render_pdf(document, 1)))
    assert len(reader.pages) == document.pages
    for page in reader.pages:
        text = page.extract_text()
        assert [w for w in words if w not in text] == []


def test_the_same_document_is_the_same_bytes_and_another_seed_differs() -> None:
    document = special_document("index-ordinary")
    first = render_pdf(document, 1)
    render_pdf.cache_clear()
    assert render_pdf(document, 1) == first
    assert render_pdf(document, 2) != first


@pytest.mark.parametrize("name", ["index-large", "acte-large"])
def test_a_large_document_weighs_several_hundred_kilobytes(name: str) -> None:
    assert len(render_pdf(special_document(name), 1)) > 500_000


def test_letters_outside_latin_1_are_spelled_out() -> None:
    place = load_catalogue().named("Verchères")
    cadastre = next(c for c in place.cadastres if "Belœil" in c.name)
    queries = (Query(Source.INDEX, str(n), place, cadastre) for n in range(1, 9))
    document = next(a.document for a in map(Registry(1).search, queries) if isinstance(a, Found))
    assert "Beloeil" in PdfReader(io.BytesIO(render_pdf(document, 1))).pages[0].extract_text()


@pytest.mark.parametrize(
    ("number", "shown"), [("2784195", "2 784 195"), ("53850", "53 850"), ("24A", "24A"), ("007", "007"), ("399", "399")]
)
def test_a_number_is_grouped_by_three_when_it_is_digits_only(number: str, shown: str) -> None:
    assert grouped(number) == shown
