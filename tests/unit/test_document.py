"""An order is refused with a sentence that names the field to mend, or it names exactly one document."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registre.document import BUCKETS, DocumentRequest, Source, fold, normalize_number
from registre.errors import InvalidInput

ACTE = DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte")
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")
OLD_LOT = DocumentRequest(Source.INDEX, "24A", "Saint-Hyacinthe", "Paroisse de Saint-Denis")
PLAN = DocumentRequest(Source.PLAN, "2784195", "", "Cadastre du Québec")


@pytest.mark.parametrize(
    ("typed", "normalized"),
    [
        ("2 784 195", "2784195"),
        ("2\u00a0784\u202f195", "2784195"),
        ("\u200b2784195\ufeff", "2784195"),
        ("24a", "24A"),
        ("399–184", "399-184"),
        ("pc−12345", "PC-12345"),
        ("24ß", "24ß"),
        ("24ı", "24ı"),
        ("", ""),
    ],
)
def test_a_number_is_normalised_and_never_guessed_at(typed: str, normalized: str) -> None:
    assert normalize_number(typed) == normalized


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Montréal", "montreal"),
        ("SAINTE-ANNE-DES-MONTS", "sainte anne des monts"),
        ("L’Islet", "l islet"),
        ("Œuvre du Sacré-Cœur", "oeuvre du sacre coeur"),
        ("  Cité  de Québec (quartier Montcalm) ", "cite de quebec quartier montcalm"),
        ("½", "1 2"),
        ("—", ""),
    ],
)
def test_a_name_is_folded_to_plain_words(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize(
    "good",
    [
        ACTE,
        INDEX,
        OLD_LOT,
        PLAN,
        replace(ACTE, number="53850"),
        replace(ACTE, number="T 123 456"),
        replace(INDEX, circonscription=""),
        replace(OLD_LOT, number="399-184"),
        replace(OLD_LOT, number="2"),
        replace(OLD_LOT, number="PC-12345"),
        replace(OLD_LOT, designation="Rang 2"),
    ],
    ids=lambda request: request.title,
)
def test_an_order_that_names_one_document_is_accepted(good: DocumentRequest) -> None:
    assert good.validate() is good


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (replace(ACTE, source="testament"), "document_source"),  # type: ignore[arg-type]
        (replace(ACTE, number=""), "document_number"),
        (replace(ACTE, number="   \u00a0"), "document_number"),
        (replace(ACTE, number="123456789"), "document_number"),
        (replace(ACTE, number="24A-"), "document_number"),
        (replace(ACTE, circonscription=" "), "circonscription_fonciere"),
        (replace(ACTE, acte_type=""), "acte_type"),
        (replace(INDEX, cadastre=""), "cadastre"),
        (replace(INDEX, number="A"), "document_number"),
        (replace(INDEX, number="24;A"), "document_number"),
        (replace(INDEX, number="24ß"), "document_number"),
        (replace(INDEX, number="2.784.195"), "document_number"),
        (replace(OLD_LOT, circonscription=""), "circonscription_fonciere"),
        (replace(INDEX, number="9" * 31), "document_number"),
        (replace(INDEX, cadastre="x" * 201), "cadastre"),
        (replace(INDEX, circonscription="Mont\x00réal"), "circonscription_fonciere"),
        (replace(INDEX, designation="Rang\x1b[31m"), "designation_secondaire"),
        (replace(INDEX, cadastre="\udcff"), "cadastre"),
    ],
    ids=str,
)
def test_a_bad_order_is_refused_by_the_field_to_mend(bad: DocumentRequest, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bad.validate()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "number", "renovated"),
    [
        (Source.INDEX, "1 000 000", True),
        (Source.INDEX, "999 999", False),
        (Source.INDEX, "0999999", False),
        (Source.PLAN, "6123456", True),
        (Source.INDEX, "2784195A", False),
        (Source.ACTE, "25616321", False),
        (Source.INDEX, "²²²²²²²", False),
    ],
)
def test_a_lot_from_a_million_on_identifies_itself(source: Source, number: str, renovated: bool) -> None:
    assert DocumentRequest(source, number).is_renovated_lot is renovated


def test_every_source_has_a_bucket_of_its_own() -> None:
    assert set(BUCKETS) == set(Source)
    assert len(set(BUCKETS.values())) == len(Source)


@pytest.mark.parametrize("field", ["circonscription", "cadastre"])
@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a\\b", "..", "C:", "é" * 300, "北京", "\u202e", "a/b\x00c"])
def test_no_text_can_leave_the_bucket(field: str, hostile: str) -> None:
    order = replace(INDEX, circonscription=hostile) if field == "circonscription" else replace(INDEX, cadastre=hostile)
    key = order.object_key(datetime(2026, 3, 2, tzinfo=UTC))
    assert key.isascii()
    assert not set(key) & set("/\\:\x00")
    assert not key.startswith(".")
    assert len(key) <= 255


def test_the_title_is_how_people_name_it() -> None:
    assert INDEX.title == "index 2 784 195 (Montréal, Cadastre du Québec)"
    assert replace(PLAN, cadastre="").title == "plan_cadastraux 2784195"
