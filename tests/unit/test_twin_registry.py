"""What the twin's registry answers to requests that are no special case."""

from __future__ import annotations

import random

import pytest

from registre.document import Source
from registre.twin.catalogue import CADASTRE_DU_QUEBEC, load_catalogue
from registre.twin.documents import ACTE_TYPES, Answer, Found, PlanList, Query, Refusal, SimilarList
from registre.twin.registry import Registry
from registre.twin.sentences import (
    BAD_NUMBER,
    MISSING_CADASTRE,
    MISSING_CIRCONSCRIPTION,
    MISSING_NUMBER,
    MISSING_TYPE,
    NO_INDEX,
    NO_MATCH,
    WRONG_CIRCONSCRIPTION,
)
from registre.twin.special import special_case

CATALOGUE = load_catalogue()
MONTREAL = CATALOGUE.named("Montréal")
GASPE = CATALOGUE.named("Gaspé")
VILLAGE_DE_GASPE = GASPE.cadastre("020200")


def random_query(source: Source, dice: random.Random) -> Query:
    place = dice.choice(CATALOGUE.circonscriptions)
    if source is Source.ACTE:
        number = str(dice.randrange(10_000, 30_000_000))
        return Query(source, number, place, acte_type=dice.choice(list(ACTE_TYPES.values())))
    if dice.random() < 0.5:
        return Query(source, str(dice.randrange(1_000_000, 6_500_000)), place, CADASTRE_DU_QUEBEC)
    cadastre = dice.choice(place.cadastres[1:])
    return Query(source, str(dice.randrange(1, 3000)), place, cadastre, dice.choice(["", *cadastre.designations]))


def leads_to_the_document(query: Query, answer: Answer) -> bool:
    match answer:
        case Found(document):
            return document.number == query.number
        case SimilarList(rows):
            return any((r.number, r.acte_type) == (query.number, query.acte_type) for r in rows)
        case PlanList():
            return True
        case Refusal():
            return False


@pytest.mark.parametrize("source", list(Source))
def test_at_least_95_in_100_plausible_requests_find_their_document(source: Source) -> None:
    dice = random.Random(7)
    registry = Registry(2784195)
    queries = [random_query(source, dice) for _ in range(1500)]
    found = sum(leads_to_the_document(query, registry.search(query)) for query in queries)
    assert 0.95 * len(queries) <= found < len(queries)


@pytest.mark.parametrize("source", list(Source))
def test_the_same_seed_answers_the_same_and_another_differs(source: Source) -> None:
    dice = random.Random(8)
    queries = [random_query(source, dice) for _ in range(100)]
    first = [Registry(1).search(q) for q in queries]
    assert first == [Registry(1).search(q) for q in queries]
    assert first != [Registry(2).search(q) for q in queries]


def test_an_acte_of_another_type_gives_a_list_whose_row_has_the_number_but_not_the_type() -> None:
    answer = Registry(1).search(Query(Source.ACTE, "25616321", MONTREAL, acte_type="Radiation"))
    assert isinstance(answer, SimilarList)
    assert [(r.number, r.acte_type) for r in answer.rows] == [("25616321", "Acte")]


def test_the_paper_only_acte_has_its_exact_row_without_a_document() -> None:
    answer = special_case("acte-paper-only").answer
    assert isinstance(answer, SimilarList)
    assert [r.document for r in answer.rows if r.number == "53850"] == [None]
    assert any(r.document for r in answer.rows)


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        (Query(Source.INDEX, "", MONTREAL, CADASTRE_DU_QUEBEC), MISSING_NUMBER),
        (Query(Source.INDEX, "ABC", MONTREAL, CADASTRE_DU_QUEBEC), BAD_NUMBER),
        (Query(Source.INDEX, "2784195", MONTREAL), MISSING_CADASTRE),
        (Query(Source.INDEX, "2784195", MONTREAL, MONTREAL.cadastre("050750")), NO_MATCH),
        (Query(Source.INDEX, "24A", None, CADASTRE_DU_QUEBEC), MISSING_CIRCONSCRIPTION),
        (Query(Source.INDEX, "24A", GASPE), MISSING_CADASTRE),
        (Query(Source.INDEX, "24A", GASPE, CADASTRE_DU_QUEBEC), NO_MATCH),
        (Query(Source.INDEX, "24A", GASPE, VILLAGE_DE_GASPE), NO_MATCH),
        (Query(Source.INDEX, "24A", GASPE, VILLAGE_DE_GASPE, "Rang 2"), NO_MATCH),
        (Query(Source.INDEX, "PC-12345", MONTREAL, CADASTRE_DU_QUEBEC), NO_INDEX),
        (Query(Source.INDEX, "3000101", MONTREAL, CADASTRE_DU_QUEBEC), WRONG_CIRCONSCRIPTION),
        (Query(Source.ACTE, "25616321", None, acte_type="Acte"), MISSING_CIRCONSCRIPTION),
        (Query(Source.ACTE, "25616321", MONTREAL), MISSING_TYPE),
        (Query(Source.ACTE, "123456789", MONTREAL, acte_type="Acte"), BAD_NUMBER),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_the_sites_words(query: Query, refusal: Refusal) -> None:
    assert Registry(1).search(query) == refusal


def test_a_renovated_lot_identifies_itself() -> None:
    answer = Registry(1).search(Query(Source.INDEX, "2784195", None, CADASTRE_DU_QUEBEC))
    assert answer == special_case("index-ordinary").answer
