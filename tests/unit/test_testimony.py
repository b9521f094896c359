"""What a text surely says contradicts an order; what it does not say, or might say, never does."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from registre.document import DocumentRequest, Source
from registre.errors import DocumentError
from registre.inspection import inspect_pdf
from registre.testimony import circonscriptions, contradiction, names_number
from registre.twin.catalogue import load_catalogue
from registre.twin.documents import Document
from registre.twin.pdf import render_pdf
from registre.twin.special import load_special_cases, special_document

LOT = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")
OLD_LOT = DocumentRequest(Source.INDEX, "24A", "Gaspé", "Village de Gaspé")
PLAN = DocumentRequest(Source.PLAN, "2 784 195", "Montréal", "Cadastre du Québec")
ACTE = DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte")


def ordering(document: Document) -> DocumentRequest:
    return DocumentRequest(
        document.source,
        document.number,
        document.circonscription,
        document.cadastre,
        document.designation,
        document.acte_type,
    )


def verdict(tmp_path: Path, document: Document, request: DocumentRequest) -> str:
    path = tmp_path / "document.pdf"
    path.write_bytes(render_pdf(document, 1))
    try:
        inspect_pdf(path, request)
    except DocumentError as error:
        return str(error)
    return "accepted"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("LOT 2 784 195 CADASTRE", "2784195"),
        ("LOT 2784195.", "2784195"),
        ("(2 784 195)", "2784195"),
        ("LOT 2\u00a0784\u202f195", "2784195"),
        ("2 784\n195", "2784195"),
        ("27 84195", "2784195"),
        ("PAGE 1 2784195", "2784195"),
        ("PAGE 1\n784 195", "784195"),
        ("LOT 784 195", "784195"),
        ("LOT 24 A", "24A"),
        ("LOT 24A, RANG 1", "24A"),
        ("LOT 399-184", "399-184"),
        ("PC-12345", "PC-12345"),
        ("LOTS 2 ET 3", "2"),
        ("2 784 195 ET 784 195", "784195"),
    ],
)
def test_a_number_is_found_however_it_is_spaced(text: str, number: str) -> None:
    assert names_number(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("LOT 2 784 195", "784195"),
        ("LOT 2\u00a0784\u00a0195", "784195"),
        ("LOT 2 784 195", "2784"),
        ("LOT 12784195", "2784195"),
        ("LOT 27841950", "2784195"),
        ("LOT 12 784 195", "2784195"),
        ("LOT 2 784 195 300", "2784195"),
        ("LOT 24AB", "24A"),
        ("24 AVENUE", "24A"),
        ("LOT 399-184-2", "399-184"),
        ("LOT 1399-184", "399-184"),
        ("LOT 399-184", "399"),
        ("LOT 399-184", "184"),
        ("PC-123456", "PC-12345"),
        ("T12345", "12345"),
        ("1,25", "25"),
        ("", "2784195"),
    ],
)
def test_a_number_inside_another_is_not_there(text: str, number: str) -> None:
    assert not names_number(text, number)


@pytest.mark.parametrize("case", [case.name for case in load_special_cases() if type(case.answer).__name__ == "Found"])
def test_every_document_of_the_twin_is_the_answer_to_its_own_order(tmp_path: Path, case: str) -> None:
    document = special_document(case)
    assert verdict(tmp_path, document, ordering(document)) == "accepted"


INDEX_DOCUMENT = special_document("index-ordinary")
ACTE_DOCUMENT = special_document("acte-ordinary")
OLD_DOCUMENT = special_document("index-old-lot")


@pytest.mark.parametrize(
    ("document", "request_", "why"),
    [
        (replace(INDEX_DOCUMENT, number="2784196"), LOT, "its number is 2784196, not 2 784 195"),
        (INDEX_DOCUMENT, replace(LOT, number="784 195"), "its number is 2784195"),
        (replace(INDEX_DOCUMENT, number="12784195"), LOT, "its number is 12784195"),
        (replace(INDEX_DOCUMENT, circonscription="Laval"), LOT, "it is of the circonscription Laval, not Montréal"),
        (special_document("plan-ordinary"), LOT, "it is of plan_cadastraux, not of index"),
        (INDEX_DOCUMENT, PLAN, "it is of index, not of plan_cadastraux"),
        (replace(ACTE_DOCUMENT, acte_type="Radiation"), ACTE, "its type is Radiation, not Acte"),
        (replace(ACTE_DOCUMENT, circonscription="Québec"), ACTE, "it is of the circonscription Québec"),
        (replace(OLD_DOCUMENT, number="24"), OLD_LOT, "its number is 24"),
        (replace(OLD_DOCUMENT, circonscription="Hull"), OLD_LOT, "it is of the circonscription Hull"),
    ],
    ids=str,
)
def test_another_document_of_the_twin_is_not_the_answer(
    tmp_path: Path, document: Document, request_: DocumentRequest, why: str
) -> None:
    assert why in verdict(tmp_path, document, request_)


@pytest.mark.parametrize("place", ["Montreal", "circonscription foncière de Montréal", "MTL", "Nowhere", ""])
def test_the_order_may_write_its_place_as_it_likes(tmp_path: Path, place: str) -> None:
    assert verdict(tmp_path, INDEX_DOCUMENT, replace(LOT, circonscription=place)) == "accepted"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (LOT, "Index des immeubles\nCirconscription foncière : Montréal\nLot numéro\n2 784 195\nActes publiés"),
        (LOT, "Lot 2 784 195\nCirconscription foncière : Ailleurs-sur-Mer"),
        (LOT, "INDEX DES IMMEUBLES 2 784 195\nLot : 399\nremplacé par le précédent"),
        (LOT, "Le lot 2 784 195 a pour voisins les lots 2 784 194 et 2 784 196, circonscription foncière de Laval."),
        (LOT, "Consulté le 3 mai par un client régulier du registre foncier du Québec en ligne"),
        (PLAN, "Plan cadastral\n2 784 195\n2 784 196\n2 784 197\nÉchelle 1:500"),
        (
            ACTE,
            "L'an deux mille vingt, le dix-neuf août, devant Me Untel, notaire, comparaît le vendeur du lot 2 784 195",
        ),
        (ACTE, "Acte de vente\nNuméro d'inscription : 25 616 321\nradiation de l'inscription numéro 12 345 678"),
        (ACTE, "Plan cadastral et index des immeubles consultés, inscription numéro 25 616 321, lot 1 234 567"),
        (OLD_LOT, "Lot 24A, Rang 1\nEnregistré sous le numéro 53 850 dans la circonscription de Québec"),
    ],
    ids=range(10),
)
def test_a_right_document_is_never_refused_for_what_it_also_says(request_: DocumentRequest, text: str) -> None:
    assert contradiction(request_, [text]) is None


@pytest.mark.parametrize(
    ("request_", "text", "why"),
    [
        (LOT, "Registre foncier du Québec\nLot : 2 784 196\nLot voisin : 2 784 195", "its number is 2784196"),
        (LOT, "Numéro de lot : 2 784 196\nTenants : le lot 2 784 195 au nord", "its number is 2784196"),
        (LOT, "Extrait du registre pour le lot 2 784 196 seulement", "it does not name"),
        (ACTE, "Document publié, inscription numéro 12 345 678", "it does not name"),
        (ACTE, "Numéro d'inscription : 25 616 322\nréfère à l'inscription 25 616 321", "its number is 25616322"),
        (LOT, "PLAN CADASTRAL\nLot 2 784 195", "it is of plan_cadastraux"),
        (PLAN, "Registre foncier du Québec\nIndex des immeubles 2 784 195", "it is of index"),
    ],
)
def test_what_a_text_surely_says_is_held_against_it(request_: DocumentRequest, text: str, why: str) -> None:
    assert (contradiction(request_, [text]) or "").startswith(why)


def test_the_title_of_the_file_counts_too() -> None:
    assert contradiction(PLAN, ["le lot 2 784 195"], "Index des immeubles 2 784 195") == (
        "it is of index, not of plan_cadastraux"
    )


def test_the_known_circonscriptions_are_those_of_the_twin() -> None:
    assert [option.label for option in circonscriptions()] == [c.name for c in load_catalogue().circonscriptions]


def test_the_twin_prints_what_is_looked_for() -> None:
    text = PdfReader(io.BytesIO(render_pdf(replace(INDEX_DOCUMENT, dated=date(2020, 1, 2)), 1))).pages[0].extract_text()
    assert "Numéro de lot : 2784195" in text.splitlines()
    assert "Circonscription foncière : Montréal" in text.splitlines()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([LOT, OLD_LOT, PLAN, ACTE]),
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.text(" \n:0123456789", max_size=400),
            st.sampled_from(["Numéro de lot : 2784195", "Lot : ", "Source : Acte", " " * 5000, "1 " * 3000]),
        ),
        max_size=6,
    ),
)
def test_any_text_ends_in_a_reason_or_none(request_: DocumentRequest, lines: list[str]) -> None:
    why = contradiction(request_, ["\n".join(lines), " ".join(lines)], " ".join(lines)[:200])
    assert why is None or "\n" not in why
