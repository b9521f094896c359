"""The rules that choose an option, each with the names that made it necessary."""

from __future__ import annotations

import unicodedata

import pytest

from registre.matching import Field, Match, Option, match

CIRCONSCRIPTIONS = (
    "Bonaventure 1",
    "Bonaventure 2",
    "Charlevoix 1",
    "Charlevoix 2",
    "Chicoutimi",
    "Deux-Montagnes",
    "Gaspé",
    "Hull",
    "Îles-de-la-Madeleine",
    "L'Assomption",
    "L'Islet",
    "La Prairie",
    "La Tuque",
    "Lac-Saint-Jean-Est",
    "Lac-Saint-Jean-Ouest",
    "Laval",
    "Matapédia",
    "Montréal",
    "Nicolet (Nicolet 2)",
    "Québec",
    "Rouyn-Noranda",
    "Saint-Hyacinthe",
    "Saint-Jean",
    "Sainte-Anne-des-Monts",
    "Sept-Îles",
    "Témiscamingue",
    "Trois-Rivières",
    "Vaudreuil",
)


def _options(*labels: str) -> list[Option]:
    return [Option("", "\u00a0"), *(Option(f"{n:06d}", label) for n, label in enumerate(labels, 10_000))]


def _cadastres(*labels: str) -> list[Option]:
    return [Option("000000", ""), Option("000001", "Cadastre du Québec"), *_options(*labels)[1:]]


def _label(found: Match) -> str | None:
    return found.choice.label if found.choice else None


def _circonscription(text: str) -> str | None:
    return _label(match(text, _options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION))


def _cadastre(text: str, *labels: str) -> str | None:
    return _label(match(text, _cadastres(*labels), Field.CADASTRE))


def _designation(text: str, *labels: str) -> str | None:
    return _label(match(text, _options(*labels), Field.DESIGNATION))


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
    assert _circonscription("Jonquiere") is None


# Code and label


def test_an_exact_code_is_chosen() -> None:
    assert match("020200", [Option("020200", "Village de Gaspé")], Field.CADASTRE).reason == "exact code"


def test_a_code_and_a_name_that_disagree_are_refused() -> None:
    offered = [Option("050750", "Paroisse de Saint-Laurent"), Option("051260", "Paroisse de Lachine")]
    assert _label(match("050750 - Par. de St-Laurent", offered, Field.CADASTRE)) == "Paroisse de Saint-Laurent"
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
    assert _circonscription(text) == label


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
    found = match("Bonaventure", _options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.choice is None
    assert found.reason == "ambiguous: Bonaventure 1, Bonaventure 2"
    assert {c.option.label for c in found.candidates[:2]} == {"Bonaventure 1", "Bonaventure 2"}


@pytest.mark.parametrize("text", ["Bonaventure II", "Bonaventure no 2", "bonaventure (2)", "Bonaventure deux"])
def test_a_number_may_be_written_otherwise(text: str) -> None:
    assert _circonscription(text) == "Bonaventure 2"


@pytest.mark.parametrize(
    "text", ["Bonaventure 3", "Bonaventure 12", "Hull 2", "Nicolet 1", "Nicolet (Nicolet 1)", "Lac-Saint-Jean-Nord"]
)
def test_a_number_or_side_is_never_approximate(text: str) -> None:
    assert _circonscription(text) is None


@pytest.mark.parametrize("text", ["Nicolet", "Nicolet 2", "Nicolet II", "NICOLET (NICOLET 2)"])
def test_nicolet_goes_by_both_its_names(text: str) -> None:
    assert _circonscription(text) == "Nicolet (Nicolet 2)"


def test_a_side_left_out_is_ambiguous() -> None:
    assert _circonscription("Lac-Saint-Jean") is None
    assert _circonscription("Lac St-Jean E.") == "Lac-Saint-Jean-Est"


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
    assert _circonscription(text) == label


@pytest.mark.parametrize(
    "text", ["Par. de Chicoutimi", "Chicoutimi, paroisse de", "Parish of Chicoutimi", "PSE CHICOUTIMI"]
)
def test_a_type_word_may_be_short_or_last(text: str) -> None:
    assert _cadastre(text, "Paroisse de Chicoutimi", "Ville de Chicoutimi") == "Paroisse de Chicoutimi"


@pytest.mark.parametrize("text", ["N.-D.-des-Anges", "ND des Anges", "Notre Dame des Anges", "Anges, Notre-Dame-des"])
def test_notre_dame_may_be_short(text: str) -> None:
    assert _cadastre(text, "Paroisse de Notre-Dame-des-Anges") == "Paroisse de Notre-Dame-des-Anges"


def test_a_ligature_is_two_letters() -> None:
    assert _cadastre("Sacré-Coeur", "Paroisse du Sacré-Cœur") == "Paroisse du Sacré-Cœur"


def test_words_turned_round_do_not_make_another_place() -> None:
    assert _cadastre("Lac-Saint-Joseph", "Paroisse de Saint-Joseph-du-Lac") is None


# Type words


def test_a_type_asked_for_is_the_only_type_taken() -> None:
    assert _cadastre("Paroisse de Gaspé", "Village de Gaspé") is None
    assert _cadastre("Gaspé, Village de", "Village de Gaspé", "Ville de Gaspé") == "Village de Gaspé"


def test_a_name_without_type_needs_a_single_option() -> None:
    labels = ("Paroisse de Chicoutimi", "Ville de Chicoutimi", "Canton de Chicoutimi")
    found = match("Chicoutimi", _cadastres(*labels), Field.CADASTRE)
    assert found.choice is None
    assert found.reason == "ambiguous: Canton de Chicoutimi, Paroisse de Chicoutimi, Ville de Chicoutimi"
    assert _cadastre("Chicoutimi", labels[0]) == labels[0]


def test_sainte_anne_de_chicoutimi_is_not_chicoutimi() -> None:
    assert _cadastre("Ste-Anne-de-Chicoutimi", "Paroisse de Chicoutimi", "Ville de Chicoutimi") is None


def test_vil_means_village_unless_the_ville_is_offered_too() -> None:
    assert _cadastre("Vil. de Gaspé", "Village de Gaspé", "Canton de Percé") == "Village de Gaspé"
    assert _cadastre("Vil. de Gaspé", "Village de Gaspé", "Ville de Gaspé") is None
    assert _cadastre("Vil. de Gaspé", "Ville de Gaspé") is None


def test_a_type_word_inside_a_name_is_part_of_the_name() -> None:
    assert _cadastre("Ville-Marie", "Village de Ville-Marie") == "Village de Ville-Marie"
    assert _cadastre("Canton de Chambly", "Village de Canton-de-Chambly") is None


def test_an_article_may_be_forgotten_but_not_added() -> None:
    assert _cadastre("Présentation", "Paroisse de La Présentation") == "Paroisse de La Présentation"
    assert _cadastre("Les Éboulements", "Paroisse des Éboulements") == "Paroisse des Éboulements"
    assert _cadastre("La Malbaie", "Canton de Malbaie") is None


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
    assert _cadastre(text, ward, "Cité de Québec (quartier Saint-Jean)") == ward
    assert _cadastre(text, "Cité de Québec (quartier Saint-Jean)") is None


@pytest.mark.parametrize("text", ["Cité de Québec", "Ville de Québec", "Paroisse de Québec"])
def test_a_type_before_quebec_is_not_the_cadastre_du_quebec(text: str) -> None:
    assert _cadastre(text, "Cité de Québec (quartier Montcalm)") is None


def test_the_cadastre_du_quebec_is_no_circonscription() -> None:
    assert _circonscription("Cadastre du Québec") is None
    assert _circonscription("Québec") == "Québec"


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
    assert _cadastre(text, *wards) == wards[0]


@pytest.mark.parametrize(
    "text", ["quartier Saint-Marie", "quartier Sainte-Mari", "quartier Ouest", "Ste-Marie", "quartier"]
)
def test_a_ward_is_never_approximate(text: str) -> None:
    assert _cadastre(text, "Cité de Montréal (quartier Sainte-Marie)", "Cité de Montréal (quartier Est)") is None


def test_a_city_without_its_ward_is_ambiguous_unless_it_has_an_option_of_its_own() -> None:
    wards = ("Cité de Hull (quartier 1)", "Cité de Hull (quartier 2)")
    assert _cadastre("Cité de Hull", *wards) is None
    assert _cadastre("Cité de Hull", wards[0]) is None
    assert _cadastre("Cité de Hull", *wards, "Cité de Hull") == "Cité de Hull"


# Saint and Sainte


@pytest.mark.parametrize("text", ["Saint-Anne-des-Monts", "St-Anne-des-Monts"])
def test_a_saint_that_cannot_be_masculine_is_sainte(text: str) -> None:
    assert _circonscription(text) == "Sainte-Anne-des-Monts"


def test_saint_anne_is_not_corrected_beside_another_saint_anne() -> None:
    assert _cadastre("Saint-Anne", "Paroisse de Saint-Anne", "Paroisse de Sainte-Anne") == "Paroisse de Saint-Anne"


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
    assert _cadastre(text, label) is None


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
    assert _circonscription(text) == label


def test_a_misspelt_type_word_is_corrected() -> None:
    assert (
        _cadastre("Paroise de Chicoutmi", "Paroisse de Chicoutimi", "Ville de Chicoutimi") == "Paroisse de Chicoutimi"
    )


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
    assert _cadastre(text, label) is None


def test_a_misspelling_of_an_absent_name_is_refused() -> None:
    assert _cadastre("Saint-Baslie", "Paroisse de Saint-Blaise") is None


def test_a_misspelling_as_near_to_two_names_is_refused() -> None:
    assert _cadastre("Canton de Malhot", "Canton de Mailhot", "Canton de Malhiot") is None


@pytest.mark.parametrize("text", ["Hul", "Hulll", "Lava", "Gasp"])
def test_short_names_are_not_corrected_by_much(text: str) -> None:
    assert _label(match(text, _options("Hull", "Lévis"), Field.CIRCONSCRIPTION)) is None


def test_another_first_letter_is_another_name() -> None:
    assert _cadastre("Vermont", "Village de Kermont") is None


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
    assert _circonscription(text) == label


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
    assert _cadastre(text, label) == label


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
    assert _cadastre(text, label) is None


@pytest.mark.parametrize("text", ["Canton de Malihot", "Canton de Malhot"])
def test_a_sound_does_not_decide_between_names_as_near(text: str) -> None:
    assert _cadastre(text, "Canton de Mailhot", "Canton de Malhiot") is None


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
    assert _label(match("47 - Montréal", offered, Field.CIRCONSCRIPTION)) == "Montréal"
    assert match("36 - Montréal", offered, Field.CIRCONSCRIPTION).choice is None
    assert _label(match("Bonaventure (2)", offered, Field.CIRCONSCRIPTION)) == "Bonaventure 2"


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
    assert _circonscription(text) == label


def test_an_english_side_before_a_name_is_part_of_it() -> None:
    assert _cadastre("Hatley Nord", "Village de North Hatley") is None
    assert _cadastre("North Hatley", "Village de North Hatley") == "Village de North Hatley"


def test_pte_is_whichever_of_pointe_and_petite_is_offered() -> None:
    assert _cadastre("Pte-Claire", "Paroisse de Pointe-Claire") == "Paroisse de Pointe-Claire"
    assert _cadastre("Pte-Rivière", "Village de Petite-Rivière") == "Village de Petite-Rivière"
    assert _cadastre("Pte-Rivière", "Village de Petite-Rivière", "Paroisse de Pointe-Rivière") is None


# Désignations and types of acte

RANGS = ("Rang 1", "Rang 2", "Rang 2 Nord-Est", "Rang 12", "Rang A", "Bloc 2", "Rang Saint-Joseph")


@pytest.mark.parametrize(
    "text", ["Rang 2", "rang II", "2e rang", "deuxième rang", "RANG 02", "rang deux", "rg. 2", "2, rang", "Rang2"]
)
def test_a_number_of_rang_may_be_written_in_any_way(text: str) -> None:
    assert _designation(text, *RANGS) == "Rang 2"


@pytest.mark.parametrize(
    "text", ["Rang 3", "Rang", "3e rang", "Rang 2E", "Rang 2 Nord", "Bloc 12", "Rangs 1 et 2", "Rang Saint-Jean"]
)
def test_another_number_or_side_is_another_designation(text: str) -> None:
    assert _designation(text, *RANGS) is None


@pytest.mark.parametrize("text", ["1er rang", "rang 1er", "Ier rang", "premier rang"])
def test_the_first_is_a_number(text: str) -> None:
    assert _designation(text, "Rang 1", "Rang 1 Est", "Rang 11") == "Rang 1"


def test_the_gender_of_a_saint_is_not_corrected_in_a_rang() -> None:
    assert _designation("Rang Saint-Josephe", "Rang Saint-Joseph") is None


def test_a_side_may_be_short() -> None:
    assert _designation("Partie N.", "Partie nord", "Partie sud") == "Partie nord"
    assert _designation("2e rang N.-E.", *RANGS) == "Rang 2 Nord-Est"


def test_the_numbers_of_rang_and_bloc_do_not_mix() -> None:
    assert _designation("Rang 2, Bloc 1", "Rang 1, Bloc 2") is None
    assert _designation("Bloc 2, Rang 1", "Rang 1, Bloc 2") == "Rang 1, Bloc 2"


def test_a_letter_among_letters_is_no_roman_numeral() -> None:
    assert _designation("Rang 1", "Rang H", "Rang I") is None


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
    offered = _options("Acte", "Avis d'adresse", "Radiation", "Acte divers")
    assert _label(match(text, offered, Field.ACTE_TYPE)) == label


# Wrong field, hostile text, what is told


@pytest.mark.parametrize(
    "text", ["Paroisse de Saint-Jean", "Cité de Hull", "Rang 2", "quartier Montcalm", "Cadastre de Montréal"]
)
def test_a_cadastre_is_no_circonscription(text: str) -> None:
    assert _circonscription(text) is None


@pytest.mark.parametrize(
    "text", ["Montгéal", "Montréal\u200bLaval", "Montréal ou Laval", "Montréal' OR 1=1", "北京", "(((", "Hull" * 200]
)
def test_hostile_text_is_refused(text: str) -> None:
    assert _circonscription(text) is None


def test_a_refusal_says_why_and_names_the_likest() -> None:
    found = match("Jonquiere", _options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.reason == "nothing close to 'Jonquiere'"
    assert len(found.candidates) == 3
    assert all(0 <= c.score <= 100 for c in found.candidates)


def test_a_type_that_is_absent_is_told() -> None:
    found = match("Paroisse de Gaspé", _cadastres("Village de Gaspé"), Field.CADASTRE)
    assert found.reason == "no 'Paroisse de Gaspé' here, only another type: Village de Gaspé"


def test_a_choice_is_the_best_candidate() -> None:
    found = match("Hull", _options(*CIRCONSCRIPTIONS), Field.CIRCONSCRIPTION)
    assert found.candidates[0].option == found.choice
    assert found.candidates[0].score == 100.0


def test_no_options_is_a_refusal() -> None:
    assert match("Hull", [], Field.CIRCONSCRIPTION).choice is None
