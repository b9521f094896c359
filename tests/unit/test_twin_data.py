"""The twin's places and special cases hold together."""

from __future__ import annotations

from collections import Counter

import pytest

from registre.document import Source
from registre.twin.catalogue import RENOVATED_CADASTRE, load_catalogue
from registre.twin.documents import Found, PlanList, Query, Refusal, SaveLink, SimilarList
from registre.twin.registry import Registry
from registre.twin.special import SpecialCase, load_special_cases, special_case

ATTESTED = {
    "020200": ("Gaspé", "Village de Gaspé"),
    "030790": ("L'Islet", "Paroisse de L'Islet"),
    "040910": ("Saint-Hyacinthe", "Cité de Saint-Hyacinthe"),
    "041170": ("Shefford", "Canton de Granby"),
    "042590": ("Sherbrooke", "Ville de Sherbrooke (quartier centre)"),
    "050480": ("Chambly", "Paroisse de Saint-Bruno"),
    "050700": ("Montréal", "Cité de Montréal (quartier Sainte-Marie)"),
    "050750": ("Montréal", "Paroisse de Saint-Laurent"),
    "051420": ("Terrebonne", "Paroisse de Saint-Hippolyte"),
    "060580": ("Hull", "Cité de Hull"),
    "062610": ("Trois-Rivières", "Cité de Trois-Rivières"),
    "071240": ("Rouyn-Noranda", "Canton de Rouyn"),
    "080210": ("Chicoutimi", "Paroisse de Chicoutimi"),
    "080220": ("Chicoutimi", "Ville de Chicoutimi"),
    "080240": ("Chicoutimi", "Canton de Chicoutimi"),
    "090600": ("Québec", "Cité de Québec (quartier Montcalm)"),
    "101520": ("Saguenay", "Baie-Comeau"),
}


def test_there_are_73_circonscriptions_with_codes_of_their_own() -> None:
    circonscriptions = load_catalogue().circonscriptions
    assert len(circonscriptions) == 73
    assert len({c.code for c in circonscriptions}) == 73
    assert {"Sainte-Anne-des-Monts", "Bonaventure 1", "Bonaventure 2", "Nicolet (Nicolet 2)"} <= {
        c.name for c in circonscriptions
    }


def test_a_cadastre_code_is_six_digits_and_names_one_cadastre_of_one_circonscription() -> None:
    old = [c for place in load_catalogue().circonscriptions for c in place.cadastres[1:]]
    assert len(old) >= 350
    assert len({c.code for c in old}) == len(old)
    assert all(len(c.code) == 6 and c.code.isdigit() and c.code > RENOVATED_CADASTRE for c in old)


def test_every_circonscription_offers_the_renovated_cadastre_first_then_at_least_five_distinct_ones() -> None:
    for place in load_catalogue().circonscriptions:
        assert place.cadastres[0].code == RENOVATED_CADASTRE
        names = [c.name for c in place.cadastres]
        assert len(names) >= 6, place.name
        assert len(set(names)) == len(names), place.name


@pytest.mark.parametrize(("code", "place"), list(ATTESTED.items()))
def test_an_attested_cadastre_is_where_it_belongs(code: str, place: tuple[str, str]) -> None:
    cadastre = load_catalogue().named(place[0]).cadastre(code)
    assert cadastre is not None
    assert cadastre.name == place[1]


def test_names_repeat_across_the_province() -> None:
    homes = Counter(c.name for place in load_catalogue().circonscriptions for c in place.cadastres[1:])
    for name in ("Paroisse de Saint-Denis", "Paroisse de Saint-Simon", "Paroisse de Notre-Dame-des-Anges"):
        assert homes[name] >= 2, name


def test_some_cadastres_have_designations_and_their_options_are_distinct() -> None:
    with_any = [c for place in load_catalogue().circonscriptions for c in place.cadastres if c.designations]
    assert len(with_any) >= 40
    assert all(len(set(c.designations)) == len(c.designations) for c in with_any)
    assert any("Village" in d for c in with_any for d in c.designations)


def query_of(case: SpecialCase) -> Query:
    catalogue = load_catalogue()
    place = catalogue.named(case.circonscription) if case.circonscription else None
    cadastre = catalogue.cadastre(place.code if place else "", case.cadastre) if case.cadastre else None
    acte_type = case.acte_type or ("Acte" if case.source is Source.ACTE else "")
    return Query(case.source, case.number, place, cadastre, case.designation, acte_type)


@pytest.mark.parametrize("case", load_special_cases(), ids=lambda case: case.name)
def test_a_special_case_answers_its_own_request_whatever_the_seed(case: SpecialCase) -> None:
    for seed in (1, 2):
        assert Registry(seed).search(query_of(case)) == case.answer


def test_special_cases_have_names_of_their_own_and_cover_every_outcome_and_save_link() -> None:
    cases = load_special_cases()
    assert len({c.name for c in cases}) == len(cases)
    assert {type(c.answer) for c in cases} == {Found, Refusal, SimilarList, PlanList}
    assert {c.answer.document.save_link for c in cases if isinstance(c.answer, Found)} == set(SaveLink)


def test_the_latest_of_the_plan_versions_is_neither_first_nor_last() -> None:
    answer = special_case("plan-versions").answer
    assert isinstance(answer, PlanList)
    dates = [row.dated for row in answer.rows]
    assert len(dates) == 4
    assert max(dates) == "2019-11-04"
    assert max(dates) not in (dates[0], dates[-1])
    assert dates != sorted(dates)
