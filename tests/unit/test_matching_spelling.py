"""How far a name may be misspelt, shortened or written otherwise, and where that ends."""

from __future__ import annotations

import pytest

from registre.matching import Field, Option, match
from tests.choosing import cadastre, circonscription, label_of, options

# Spelling


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Chicoutmi", "Chicoutimi"),
        ("St-Hyacinte", "Saint-Hyacinthe"),
        ("Vaudreuille", "Vaudreuil"),
        ("Siant-Jean", "Saint-Jean"),
        ("Sept-Île", "Sept-Îles"),
        ("Îles de la Madelaine", "Îles-de-la-Madeleine"),
    ],
)
def test_a_misspelt_name_is_corrected(text: str, label: str) -> None:
    assert circonscription(text) == label


def test_a_misspelt_type_word_is_corrected() -> None:
    assert cadastre("Paroise de Chicoutmi", "Paroisse de Chicoutimi", "Ville de Chicoutimi") == "Paroisse de Chicoutimi"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Saint-Basile", "Paroisse de Saint-Blaise"),
        ("Saint-Léon", "Paroisse de Saint-Léonard"),
        ("Beauport", "Village de Beaupré"),
        ("Saint-Félix", "Paroisse de Saint-Félicien"),
        ("Sainte-Marie", "Paroisse de Sainte-Marthe"),
        ("Durham", "Canton de Dunham"),
        ("Notre-Dame-du-Lac", "Paroisse de Notre-Dame-des-Lacs"),
        ("Saint-Ange", "Paroisse de Saints-Anges"),
    ],
)
def test_a_real_name_never_becomes_another(text: str, label: str) -> None:
    assert cadastre(text, label) is None


def test_a_misspelling_of_an_absent_name_is_refused() -> None:
    assert cadastre("Saint-Baslie", "Paroisse de Saint-Blaise") is None


def test_a_misspelling_as_near_to_two_names_is_refused() -> None:
    assert cadastre("Canton de Malhot", "Canton de Mailhot", "Canton de Malhiot") is None


@pytest.mark.parametrize("text", ["Hul", "Hulll", "Lava", "Gasp"])
def test_short_names_are_not_corrected_by_much(text: str) -> None:
    assert label_of(match(text, options("Hull", "Lévis"), Field.CIRCONSCRIPTION)) is None


def test_another_first_letter_is_another_name() -> None:
    assert cadastre("Vermont", "Village de Kermont") is None


# One slip in one word


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Saint-Hyacinthe".replace("S", "R"), "Saint-Hyacinthe"),
        ("Sante-Anne-des-Monts", "Sainte-Anne-des-Monts"),
        ("Trios-Rivières", "Trois-Rivières"),
        ("Saint-Jena", "Saint-Jean"),
        ("Îles-ed-la-Madeleine", "Îles-de-la-Madeleine"),
        ("Montr6al", "Montréal"),
        ("Vaudreui1", "Vaudreuil"),
        ("I'Islet", "L'Islet"),
    ],
)
def test_a_slip_in_one_word_is_read_when_all_others_agree(text: str, label: str) -> None:
    assert circonscription(text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Caton de Chicoutimi", "Canton de Chicoutimi"),
        ("Paroisse e Saint-Joachim", "Paroisse de Saint-Joachim"),
        ("Canton de Cornpton", "Canton de Compton"),
        ("Saint-Bruon", "Paroisse de Saint-Bruno"),
        ("Notre-Damr-des-Anges", "Paroisse de Notre-Dame-des-Anges"),
        ("Paroisse de Saintt-André", "Paroisse de Saint-André"),
    ],
)
def test_a_slip_may_be_in_a_type_a_small_word_or_a_saint(text: str, label: str) -> None:
    assert cadastre(text, label) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Villge de Dorion", "Village de Dorion"),  # or Ville
        ("Cté de Hull", "Cité de Hull"),  # the comté
        ("Canton de Winslow Nrod", "Canton de Winslow Nord"),
        ("Cité de Québec (quartier Monctalm)", "Cité de Québec (quartier Montcalm)"),
        ("Canton de Rouen", "Canton de Rouyn"),
        ("Mistissini", "Village de Mistassini"),
        ("Oxford", "Canton d'Orford"),
        ("Nelson", "Village de Delson"),
        ("Paroisse de Saint-Andrée", "Paroisse de Saint-André"),
        ("Saint-Elis", "Paroisse de Saint-Éloi"),
    ],
)
def test_a_slip_that_may_be_another_word_is_refused(text: str, label: str) -> None:
    assert cadastre(text, label) is None


@pytest.mark.parametrize("text", ["Canton de Malihot", "Canton de Malhot"])
def test_a_sound_does_not_decide_between_names_as_near(text: str) -> None:
    assert cadastre(text, "Canton de Mailhot", "Canton de Malhiot") is None


# Codes


@pytest.mark.parametrize(
    "text",
    ["050480", "050480.", "code 050480", "Saint-Bruno", "050480 - Paroisse de Saint-Bruno", "Par. St-Bruno (050480)"],
)
@pytest.mark.parametrize("value", ["050480", "12"])
def test_a_code_in_front_of_a_label_is_its_code(text: str, value: str) -> None:
    offered = [Option(value, "050480 - Paroisse de Saint-Bruno"), Option("13", "Paroisse de Saint-Hubert (050270)")]
    found = match(text, offered, Field.CADASTRE)
    assert found.choice == offered[0]
    assert match("050270", offered, Field.CADASTRE).choice == offered[1]
    assert match("050270 - Paroisse de Saint-Bruno", offered, Field.CADASTRE).choice is None


def test_a_short_code_needs_a_mark_and_its_name() -> None:
    offered = [
        Option("47", "Montréal"),
        Option("36", "Laval"),
        Option("2", "Bonaventure 1"),
        Option("1", "Bonaventure 2"),
    ]
    assert label_of(match("47 - Montréal", offered, Field.CIRCONSCRIPTION)) == "Montréal"
    assert match("36 - Montréal", offered, Field.CIRCONSCRIPTION).choice is None
    assert label_of(match("Bonaventure (2)", offered, Field.CIRCONSCRIPTION)) == "Bonaventure 2"


# Ways of writing


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Bureau de la publicité des droits de Montréal", "Montréal"),
        ("La circonscription foncière de L'Islet", "L'Islet"),
        ("Bonaventure2", "Bonaventure 2"),
        ("Bonaventure n° 2", "Bonaventure 2"),
        ("Lac-St-Jean-West", "Lac-Saint-Jean-Ouest"),
    ],
)
def test_titles_glued_numbers_and_english_sides_are_read(text: str, label: str) -> None:
    assert circonscription(text) == label


def test_an_english_side_before_a_name_is_part_of_it() -> None:
    assert cadastre("Hatley Nord", "Village de North Hatley") is None
    assert cadastre("North Hatley", "Village de North Hatley") == "Village de North Hatley"


def test_pte_is_whichever_of_pointe_and_petite_is_offered() -> None:
    assert cadastre("Pte-Claire", "Paroisse de Pointe-Claire") == "Paroisse de Pointe-Claire"
    assert cadastre("Pte-Rivière", "Village de Petite-Rivière") == "Village de Petite-Rivière"
    assert cadastre("Pte-Rivière", "Village de Petite-Rivière", "Paroisse de Pointe-Rivière") is None
