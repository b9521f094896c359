"""The rules that choose an option, each with the names that made it necessary."""

from __future__ import annotations

import unicodedata

import pytest

from registre.matching import Field, Option, match
from tests.choosing import CIRCONSCRIPTIONS, cadastre, cadastres, circonscription, designation, label_of, options

# Blank options


@pytest.mark.parametrize(
    "blank",
    [
        Option("", ""),
        Option("000000", ""),
        Option("000000", "Aucun"),
        Option("NULL", "\u00a0\u00a0"),
        Option("A", "   "),
        Option("7", "-----"),
        Option("8", "Choisir un cadastre…"),
        Option("9", "&nbsp;"),
        Option("", "Jonquière"),
    ],
)
@pytest.mark.parametrize("text", ["Jonquiere", "", "   ", "-----", "A", "NULL", "000000", "7", "Choisir un cadastre…"])
def test_a_blank_option_is_never_chosen(blank: Option, text: str) -> None:
    assert match(text, [blank, Option("080210", "Paroisse de Chicoutimi")], Field.CADASTRE).choice is None
    assert match(text, [blank], Field.CADASTRE).choice is None


def test_jonquiere_is_refused_where_it_is_absent() -> None:
    assert circonscription("Jonquiere") is None


# Code and label


def test_an_exact_code_is_chosen() -> None:
    assert match("020200", [Option("020200", "Village de Gaspé")], Field.CADASTRE).reason == "exact code"


def test_a_code_and_a_name_that_disagree_are_refused() -> None:
    offered = [Option("050750", "Paroisse de Saint-Laurent"), Option("051260", "Paroisse de Lachine")]
    assert label_of(match("050750 - Par. de St-Laurent", offered, Field.CADASTRE)) == "Paroisse de Saint-Laurent"
    assert match("050750 - Paroisse de Lachine", offered, Field.CADASTRE).choice is None


def test_a_bare_number_is_no_designation_when_two_pieces_have_it() -> None:
    offered = [Option("1", "Rang 2"), Option("2", "Rang 1"), Option("3", "Bloc 2")]
    assert match("2", offered, Field.DESIGNATION).choice is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Montreal", "Montréal"),
        ("\u00a0MONTRÉAL  ", "Montréal"),
        (unicodedata.normalize("NFD", "Montréal"), "Montréal"),
        ("Mont\u00adréal", "Montréal"),
        ("L’Islet", "L'Islet"),
        ("Sept–Îles", "Sept-Îles"),
        ("Lac\u202fSaint‑Jean Est", "Lac-Saint-Jean-Est"),
    ],
)
def test_accents_case_spaces_and_typography_are_ignored(text: str, label: str) -> None:
    assert circonscription(text) == label


def test_two_options_of_one_label_are_ambiguous() -> None:
    found = match("Saint-Denis", [Option("1", "Saint-Denis"), Option("2", "Saint-Denis")], Field.CADASTRE)
    assert found.choice is None
    assert found.reason == "ambiguous: Saint-Denis, Saint-Denis"


def test_an_option_offered_twice_is_one_option() -> None:
    assert match("Hull", [Option("1", "Hull"), Option("1", "Hull")], Field.CIRCONSCRIPTION).choice == Option(
        "1", "Hull"
    )


# Numbers and sides


def test_bonaventure_alone_is_ambiguous() -> None:
    found = match("Bonaventure", options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.choice is None
    assert found.reason == "ambiguous: Bonaventure 1, Bonaventure 2"
    assert {c.option.label for c in found.candidates[:2]} == {"Bonaventure 1", "Bonaventure 2"}


@pytest.mark.parametrize("text", ["Bonaventure II", "Bonaventure no 2", "bonaventure (2)", "Bonaventure deux"])
def test_a_number_may_be_written_otherwise(text: str) -> None:
    assert circonscription(text) == "Bonaventure 2"


@pytest.mark.parametrize(
    "text", ["Bonaventure 3", "Bonaventure 12", "Hull 2", "Nicolet 1", "Nicolet (Nicolet 1)", "Lac-Saint-Jean-Nord"]
)
def test_a_number_or_side_is_never_approximate(text: str) -> None:
    assert circonscription(text) is None


@pytest.mark.parametrize("text", ["Nicolet", "Nicolet 2", "Nicolet II", "NICOLET (NICOLET 2)"])
def test_nicolet_goes_by_both_its_names(text: str) -> None:
    assert circonscription(text) == "Nicolet (Nicolet 2)"


def test_a_side_left_out_is_ambiguous() -> None:
    assert circonscription("Lac-Saint-Jean") is None
    assert circonscription("Lac St-Jean E.") == "Lac-Saint-Jean-Est"


# Abbreviations and order of words


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("St-Hyacinthe", "Saint-Hyacinthe"),
        ("StHyacinthe", "Saint-Hyacinthe"),
        ("sthyacinthe", "Saint-Hyacinthe"),
        ("Ste Anne des Monts", "Sainte-Anne-des-Monts"),
        ("3-Rivières", "Trois-Rivières"),
        ("2 Montagnes", "Deux-Montagnes"),
        ("Circonscription foncière de L'Islet", "L'Islet"),
        ("Circonscription foncière de Deux-Montagnes", "Deux-Montagnes"),
        ("Assomption, L'", "L'Assomption"),
        ("Prairie (La)", "La Prairie"),
        ("Noranda-Rouyn", "Rouyn-Noranda"),
        ("Lassomption", "L'Assomption"),
        ("Madeleine, Îles-de-la", "Îles-de-la-Madeleine"),
        ("Montréal (Québec)", "Montréal"),
    ],
)
def test_abbreviations_and_turned_words_are_read(text: str, label: str) -> None:
    assert circonscription(text) == label


@pytest.mark.parametrize(
    "text", ["Par. de Chicoutimi", "Chicoutimi, paroisse de", "Parish of Chicoutimi", "PSE CHICOUTIMI"]
)
def test_a_type_word_may_be_short_or_last(text: str) -> None:
    assert cadastre(text, "Paroisse de Chicoutimi", "Ville de Chicoutimi") == "Paroisse de Chicoutimi"


@pytest.mark.parametrize("text", ["N.-D.-des-Anges", "ND des Anges", "Notre Dame des Anges", "Anges, Notre-Dame-des"])
def test_notre_dame_may_be_short(text: str) -> None:
    assert cadastre(text, "Paroisse de Notre-Dame-des-Anges") == "Paroisse de Notre-Dame-des-Anges"


def test_a_ligature_is_two_letters() -> None:
    assert cadastre("Sacré-Coeur", "Paroisse du Sacré-Cœur") == "Paroisse du Sacré-Cœur"


def test_words_turned_round_do_not_make_another_place() -> None:
    assert cadastre("Lac-Saint-Joseph", "Paroisse de Saint-Joseph-du-Lac") is None


# Type words


def test_a_type_asked_for_is_the_only_type_taken() -> None:
    assert cadastre("Paroisse de Gaspé", "Village de Gaspé") is None
    assert cadastre("Gaspé, Village de", "Village de Gaspé", "Ville de Gaspé") == "Village de Gaspé"


def test_a_name_without_type_needs_a_single_option() -> None:
    labels = ("Paroisse de Chicoutimi", "Ville de Chicoutimi", "Canton de Chicoutimi")
    found = match("Chicoutimi", cadastres(*labels), Field.CADASTRE)
    assert found.choice is None
    assert found.reason == "ambiguous: Canton de Chicoutimi, Paroisse de Chicoutimi, Ville de Chicoutimi"
    assert cadastre("Chicoutimi", labels[0]) == labels[0]


def test_sainte_anne_de_chicoutimi_is_not_chicoutimi() -> None:
    assert cadastre("Ste-Anne-de-Chicoutimi", "Paroisse de Chicoutimi", "Ville de Chicoutimi") is None


def test_vil_means_village_unless_the_ville_is_offered_too() -> None:
    assert cadastre("Vil. de Gaspé", "Village de Gaspé", "Canton de Percé") == "Village de Gaspé"
    assert cadastre("Vil. de Gaspé", "Village de Gaspé", "Ville de Gaspé") is None
    assert cadastre("Vil. de Gaspé", "Ville de Gaspé") is None


def test_a_type_word_inside_a_name_is_part_of_the_name() -> None:
    assert cadastre("Ville-Marie", "Village de Ville-Marie") == "Village de Ville-Marie"
    assert cadastre("Canton de Chambly", "Village de Canton-de-Chambly") is None


def test_an_article_may_be_forgotten_but_not_added() -> None:
    assert cadastre("Présentation", "Paroisse de La Présentation") == "Paroisse de La Présentation"
    assert cadastre("Les Éboulements", "Paroisse des Éboulements") == "Paroisse des Éboulements"
    assert cadastre("La Malbaie", "Canton de Malbaie") is None


# Cadastre du Québec and wards


@pytest.mark.parametrize(
    "text", ["Cadastre du Québec", "cad. du Qc", "Cad. Qc", "Québec", "000001", "Cd du Québec", "Cadatre du Québec"]
)
@pytest.mark.parametrize("label", ["Cadastre du Québec", "Québec"])
def test_the_cadastre_du_quebec_is_found_under_both_labels(text: str, label: str) -> None:
    offered = [Option("000000", ""), Option("000001", label), Option("050750", "Paroisse de Saint-Laurent")]
    found = match(text, offered, Field.CADASTRE)
    assert found.choice is not None
    assert found.choice.value == "000001"


@pytest.mark.parametrize(
    "text", ["Cité de Québec (quartier Montcalm)", "Québec, quartier Montcalm", "quartier Montcalm"]
)
def test_a_ward_of_quebec_is_not_the_cadastre_du_quebec(text: str) -> None:
    ward = "Cité de Québec (quartier Montcalm)"
    assert cadastre(text, ward, "Cité de Québec (quartier Saint-Jean)") == ward
    assert cadastre(text, "Cité de Québec (quartier Saint-Jean)") is None


@pytest.mark.parametrize("text", ["Cité de Québec", "Ville de Québec", "Paroisse de Québec"])
def test_a_type_before_quebec_is_not_the_cadastre_du_quebec(text: str) -> None:
    assert cadastre(text, "Cité de Québec (quartier Montcalm)") is None


def test_the_cadastre_du_quebec_is_no_circonscription() -> None:
    assert circonscription("Cadastre du Québec") is None
    assert circonscription("Québec") == "Québec"


@pytest.mark.parametrize(
    "text",
    [
        "Montréal (quartier Ste-Marie)",
        "quartier Sainte-Marie",
        "Cité de Montréal, quartier Sainte Marie",
        "quartier Ste-Marie de la cité de Montréal",
        "Sainte-Marie (quartier), Montréal",
    ],
)
def test_a_ward_is_found_with_or_without_its_city(text: str) -> None:
    wards = [f"Cité de Montréal (quartier {name})" for name in ("Sainte-Marie", "Saint-Antoine", "Est")]
    assert cadastre(text, *wards) == wards[0]


@pytest.mark.parametrize(
    "text", ["quartier Saint-Marie", "quartier Sainte-Mari", "quartier Ouest", "Ste-Marie", "quartier"]
)
def test_a_ward_is_never_approximate(text: str) -> None:
    assert cadastre(text, "Cité de Montréal (quartier Sainte-Marie)", "Cité de Montréal (quartier Est)") is None


def test_a_city_without_its_ward_is_ambiguous_unless_it_has_an_option_of_its_own() -> None:
    wards = ("Cité de Hull (quartier 1)", "Cité de Hull (quartier 2)")
    assert cadastre("Cité de Hull", *wards) is None
    assert cadastre("Cité de Hull", wards[0]) is None
    assert cadastre("Cité de Hull", *wards, "Cité de Hull") == "Cité de Hull"


# Saint and Sainte


@pytest.mark.parametrize("text", ["Saint-Anne-des-Monts", "St-Anne-des-Monts"])
def test_a_saint_that_cannot_be_masculine_is_sainte(text: str) -> None:
    assert circonscription(text) == "Sainte-Anne-des-Monts"


def test_saint_anne_is_not_corrected_beside_another_saint_anne() -> None:
    assert cadastre("Saint-Anne", "Paroisse de Saint-Anne", "Paroisse de Sainte-Anne") == "Paroisse de Saint-Anne"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Saint-Denis", "Paroisse de Sainte-Denise"),
        ("Sainte-Denise", "Paroisse de Saint-Denis"),
        ("Saint-Denise", "Paroisse de Saint-Denis"),
        ("Saint-Denise", "Paroisse de Sainte-Denise"),
        ("Sainte-Denis", "Paroisse de Saint-Denis"),
        ("Saint-Andrée", "Paroisse de Saint-André"),
        ("Saint-Luce", "Paroisse de Sainte-Luce"),
        ("Sainte-Louis", "Paroisse de Saint-Louis"),
        ("Sainte-Dominique", "Paroisse de Saint-Dominique"),
    ],
)
def test_masculine_and_feminine_do_not_cross(text: str, label: str) -> None:
    assert cadastre(text, label) is None


# Désignations and types of acte

RANGS = ("Rang 1", "Rang 2", "Rang 2 Nord-Est", "Rang 12", "Rang A", "Bloc 2", "Rang Saint-Joseph")


@pytest.mark.parametrize(
    "text", ["Rang 2", "rang II", "2e rang", "deuxième rang", "RANG 02", "rang deux", "rg. 2", "2, rang", "Rang2"]
)
def test_a_number_of_rang_may_be_written_in_any_way(text: str) -> None:
    assert designation(text, *RANGS) == "Rang 2"


@pytest.mark.parametrize(
    "text", ["Rang 3", "Rang", "3e rang", "Rang 2E", "Rang 2 Nord", "Bloc 12", "Rangs 1 et 2", "Rang Saint-Jean"]
)
def test_another_number_or_side_is_another_designation(text: str) -> None:
    assert designation(text, *RANGS) is None


@pytest.mark.parametrize("text", ["1er rang", "rang 1er", "Ier rang", "premier rang"])
def test_the_first_is_a_number(text: str) -> None:
    assert designation(text, "Rang 1", "Rang 1 Est", "Rang 11") == "Rang 1"


def test_the_gender_of_a_saint_is_not_corrected_in_a_rang() -> None:
    assert designation("Rang Saint-Josephe", "Rang Saint-Joseph") is None


def test_a_side_may_be_short() -> None:
    assert designation("Partie N.", "Partie nord", "Partie sud") == "Partie nord"
    assert designation("2e rang N.-E.", *RANGS) == "Rang 2 Nord-Est"


def test_the_numbers_of_rang_and_bloc_do_not_mix() -> None:
    assert designation("Rang 2, Bloc 1", "Rang 1, Bloc 2") is None
    assert designation("Bloc 2, Rang 1", "Rang 1, Bloc 2") == "Rang 1, Bloc 2"


def test_a_letter_among_letters_is_no_roman_numeral() -> None:
    assert designation("Rang 1", "Rang H", "Rang I") is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("actes", "Acte"),
        ("Acte divers", "Acte divers"),
        ("avis d’addresse", "Avis d'adresse"),
        ("RADIATIONS", "Radiation"),
        ("Radiaton", "Radiation"),
        ("Acte de vente", None),
        ("Avis", None),
        ("Vente", None),
    ],
)
def test_types_of_acte(text: str, label: str | None) -> None:
    offered = options("Acte", "Avis d'adresse", "Radiation", "Acte divers")
    assert label_of(match(text, offered, Field.ACTE_TYPE)) == label


# Wrong field, hostile text, what is told


@pytest.mark.parametrize(
    "text", ["Paroisse de Saint-Jean", "Cité de Hull", "Rang 2", "quartier Montcalm", "Cadastre de Montréal"]
)
def test_a_cadastre_is_no_circonscription(text: str) -> None:
    assert circonscription(text) is None


@pytest.mark.parametrize(
    "text", ["Montгéal", "Montréal\u200bLaval", "Montréal ou Laval", "Montréal' OR 1=1", "北京", "(((", "Hull" * 200]
)
def test_hostile_text_is_refused(text: str) -> None:
    assert circonscription(text) is None


def test_a_refusal_says_why_and_names_the_likest() -> None:
    found = match("Jonquiere", options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.reason == "nothing close to 'Jonquiere'"
    assert len(found.candidates) == 3
    assert all(0 <= c.score <= 100 for c in found.candidates)


def test_a_type_that_is_absent_is_told() -> None:
    found = match("Paroisse de Gaspé", cadastres("Village de Gaspé"), Field.CADASTRE)
    assert found.reason == "no 'Paroisse de Gaspé' here, only another type: Village de Gaspé"


def test_a_choice_is_the_best_candidate() -> None:
    found = match("Hull", options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.candidates[0].option == found.choice
    assert found.candidates[0].score == 100.0


def test_no_options_is_a_refusal() -> None:
    assert match("Hull", [], Field.CIRCONSCRIPTION).choice is None
