"""What a page is, from its facts; and what a sentence of the site means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registre.document import Source
from registre.errors import ErrorKind
from registre.site.pages.result import PageFacts, PageKind, classify, is_lot_inactive, judge_sentence
from registre.site.profile import load_profile

PROFILE = load_profile()
SITE = "https://site.test/Sirf/Script/"
FORM = PageFacts(url=SITE + "13_01_11/pf_13_01_11_02_indx_immbl.asp", status=200, present=frozenset({"form"}))
LOGIN = PageFacts(url=SITE + "14_06_01-02/pf_14_06_01_reglr.asp", status=200, present=frozenset({"login"}))
VIEWER = PageFacts(url=SITE + "v.asp", status=200, frames=(("menu", "m.asp"), ("page", "p.asp")))
SIMILAR = "Nous vous proposons une liste de document(s) dont le numéro est semblable à celui demandé."


def kind_of(facts: PageFacts) -> PageKind:
    return classify(facts, PROFILE).kind


def test_a_fresh_form_is_a_form() -> None:
    assert kind_of(FORM) is PageKind.FORM


def test_an_error_cell_with_text_makes_it_a_form_error_with_the_sites_own_words() -> None:
    verdict = classify(replace(FORM, error_cells=("La fiche immobilière demandée est inexistante.",)), PROFILE)
    assert (verdict.kind, verdict.sentence) == (PageKind.FORM_ERROR, "La fiche immobilière demandée est inexistante.")


def test_a_boxed_message_is_a_form_error() -> None:
    facts = PageFacts(url=SITE + "x.asp", status=200, error_boxes=("Le document demandé est inexistant.",))
    assert kind_of(facts) is PageKind.FORM_ERROR


def test_the_login_page_is_told_by_its_password_field_and_also_by_its_address_alone() -> None:
    assert kind_of(LOGIN) is PageKind.LOGIN
    assert kind_of(replace(LOGIN, present=frozenset())) is PageKind.LOGIN


def test_an_identity_question_is_not_a_login_page() -> None:
    assert (
        kind_of(replace(LOGIN, text="Veuillez répondre à votre question d’identification"))
        is PageKind.IDENTITY_QUESTION
    )
    assert kind_of(replace(LOGIN, present=frozenset({"login", "identity"}))) is PageKind.IDENTITY_QUESTION


def test_a_list_of_plans_needs_its_address_and_its_choices() -> None:
    url = SITE + "13_01_08/pf_13_01_08_selct_plan_cadst.asp"
    assert kind_of(PageFacts(url=url, status=200, present=frozenset({"radio"}))) is PageKind.PLAN_LIST
    assert kind_of(PageFacts(url=url, status=200)) is PageKind.UNKNOWN


def test_an_inactive_lot_with_plans_is_still_a_list_of_plans() -> None:
    facts = PageFacts(
        url=SITE + "13_01_08/pf_13_01_08_selct_plan_cadst.asp",
        status=200,
        text="Le lot 2 111 333 est inactif.",
        error_cells=("Le lot 2 111 333 est inactif.",),
        present=frozenset({"radio"}),
    )
    assert kind_of(facts) is PageKind.PLAN_LIST
    assert is_lot_inactive(facts, PROFILE, Source.PLAN)


def test_the_similar_list_is_told_by_its_sentence() -> None:
    assert kind_of(PageFacts(url=SITE + "x.asp", status=200, text=SIMILAR)) is PageKind.SIMILAR_LIST


def test_the_confirmation_needs_its_address_and_its_button() -> None:
    url = SITE + "13_01_13/pf_13_01_13_confr_demnd.asp"
    assert kind_of(PageFacts(url=url, status=200, present=frozenset({"confirm"}))) is PageKind.CONFIRMATION
    assert kind_of(PageFacts(url=url, status=200)) is PageKind.UNKNOWN


def test_the_viewer_is_its_two_frames() -> None:
    assert kind_of(VIEWER) is PageKind.VIEWER
    assert kind_of(replace(VIEWER, frames=(("menu", "m.asp"), ("corps", "x/pf_Docmn.asp")))) is PageKind.VIEWER
    assert kind_of(replace(VIEWER, frames=(("menu", "m.asp"),))) is PageKind.UNKNOWN


def test_the_loading_page_is_told_by_its_words() -> None:
    assert kind_of(PageFacts(url=SITE + "x.asp", status=200, text="VEUILLEZ  PATIENTER…")) is PageKind.LOADING


@pytest.mark.parametrize("status", [200, 503])
def test_a_maintenance_page_is_told_by_its_words_whatever_its_status(status: int) -> None:
    facts = PageFacts(url=SITE, status=status, text="Le site est présentement en maintenance.")
    assert kind_of(facts) is PageKind.MAINTENANCE


def test_a_notice_of_maintenance_on_a_form_leaves_it_a_form() -> None:
    assert kind_of(replace(FORM, text="Le site sera en maintenance samedi.")) is PageKind.FORM


def test_a_bare_5xx_is_a_server_error() -> None:
    assert kind_of(PageFacts(url=SITE, status=502, text="Bad Gateway")) is PageKind.SERVER_ERROR


def test_anything_else_is_unknown() -> None:
    verdict = classify(PageFacts(url=SITE + "x.asp", status=200, text="Bienvenue"), PROFILE)
    assert (verdict.kind, verdict.sentence) == (PageKind.UNKNOWN, "Bienvenue")


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Le document demandé est inexistant. Veuillez vérifier.", ErrorKind.NOT_FOUND),
        ("LA FICHE IMMOBILIÈRE DEMANDÉE EST INEXISTANTE", ErrorKind.NOT_FOUND),
        ("Aucune information ne correspond aux critères de sélection.", ErrorKind.NOT_FOUND),
        ("Le lot n’existe pas dans la circonscription foncière demandée.", ErrorKind.NOT_FOUND),
        ("Le lot n'existe pas dans la circonscription foncière demandée.", ErrorKind.NOT_FOUND),
        ("Le lot 2\u00a0111\u00a0333 est inactif.", ErrorKind.LOT_INACTIVE),
        ("Ce document est conservé sur papier seulement.", ErrorKind.PAPER_ONLY),
    ],
)
def test_a_known_sentence_has_its_class_and_stays_verbatim(sentence: str, kind: ErrorKind) -> None:
    error = judge_sentence(sentence, PROFILE)
    assert (error.kind, error.message, error.needs_review, error.said) == (kind, sentence, False, sentence)


@pytest.mark.parametrize("sentence", ["Le lot est désinactif?", "La fiche est suspendue.", "inactif"])
def test_an_unknown_sentence_is_permanent_and_marked_for_review(sentence: str) -> None:
    error = judge_sentence(sentence, PROFILE)
    assert (error.kind, error.needs_review, error.said) == (ErrorKind.UNKNOWN_SENTENCE, True, sentence)


def test_a_closed_site_says_so_in_its_one_sentence() -> None:
    lines = ("Registre foncier", "Bienvenue. Vous êtes en dehors des heures de service. Revenez demain.")
    verdict = classify(PageFacts(url=SITE, status=200, text=" ".join(lines), lines=lines), PROFILE)
    assert verdict.kind is PageKind.CLOSED
    assert verdict.sentence == "Vous êtes en dehors des heures de service."


def test_a_closed_site_that_answers_503_is_closed_and_no_bare_server_error() -> None:
    facts = PageFacts(url=SITE, status=503, text="Le site est fermé en dehors des heures de service.")
    assert kind_of(facts) is PageKind.CLOSED


def test_the_browsers_own_page_is_none_of_the_sites() -> None:
    assert kind_of(PageFacts(url="chrome-error://chromewebdata/", status=200, text="en maintenance")) is PageKind.LOST


def test_a_confirmation_without_its_button_is_unknown() -> None:
    assert kind_of(PageFacts(url=SITE + "confr_demnd.asp", status=200, text="Confirmation")) is PageKind.UNKNOWN
