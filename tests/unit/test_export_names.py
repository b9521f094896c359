"""A document's name in a ZIP is one that people understand and that every system takes."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registre.document import DocumentRequest, Source
from registre.orders.filenames import MAX_BYTES, MAX_CHARACTERS, FileNames

texts = st.text(max_size=150)
requests = st.builds(DocumentRequest, st.sampled_from(Source), texts, texts, texts, texts, texts)

RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (
            DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec"),
            "index 2784195 Montréal.pdf",
        ),
        (DocumentRequest(Source.PLAN, "2784195", "", "Cadastre du Québec"), "plan cadastral 2784195.pdf"),
        (
            DocumentRequest(Source.INDEX, "24-1", "Québec", "Cité de Québec (quartier Montcalm)", "Bloc 2"),
            "index 24-1 Québec Cité de Québec (quartier Montcalm) Bloc 2.pdf",
        ),
        (DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte"), "acte 25616321 Montréal.pdf"),
        (
            DocumentRequest(Source.ACTE, "25616321", "L'Islet", acte_type="Avis d'adresse"),
            "acte 25616321 Avis d'adresse L'Islet.pdf",
        ),
        (DocumentRequest(Source.INDEX, "../../1", "C:\\x/y\x00\u202e", "a*?"), "index ..-..-1 C--x-y a--.pdf"),
    ],
)
def test_a_name_says_what_the_document_is(request_: DocumentRequest, name: str) -> None:
    assert FileNames().name(request_) == name


def test_two_documents_never_have_the_same_name() -> None:
    names = FileNames()
    given_ = [
        names.name(DocumentRequest(Source.INDEX, "24", place, "C")) for place in ("Québec", "QUÉBEC", "Que\u0301bec")
    ]
    assert given_ == ["index 24 Québec C.pdf", "index 24 QUÉBEC C (2).pdf", "index 24 Québec C (3).pdf"]


@given(st.lists(requests, min_size=1, max_size=6))
def test_every_name_is_one_that_every_system_takes(wanted: list[DocumentRequest]) -> None:
    names = FileNames()
    found = [names.name(request) for request in [*wanted, *wanted]]
    assert len({unicodedata.normalize("NFD", name.upper()) for name in found}) == len(found)
    for name in found:
        assert len(name) <= MAX_CHARACTERS
        assert len(name.encode()) <= MAX_BYTES
        assert name.endswith(".pdf")
        assert not set(name) & set('<>:"/\\|?*')
        assert all(unicodedata.category(c)[0] != "C" for c in name)
        assert not re.search(r"[ .]\.pdf$", name)
        assert not RESERVED.match(name)
