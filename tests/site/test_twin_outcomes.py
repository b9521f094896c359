"""The twin's outcomes over real HTTP: what is refused, confirmed, listed and sold, and a bill of one line a document."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from registre.document import Source
from registre.twin import paths
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer
from tests.site.visitor import (
    ACCOUNTS,
    TITLE_LINK,
    Clock,
    Visitor,
    bought,
    boxed_of,
    error_of,
    is_viewer,
    rows_of,
)

# -- outcomes ---------------------------------------------------------------------------------------------------------


def test_an_index_is_refused_in_the_cell_of_the_form(server: TwinServer, visitor: Visitor) -> None:
    for number, place, sentence in (
        ("9999999", "Montréal", "La fiche immobilière demandée est inexistante."),
        ("3000101", "Montréal", "Le lot n'existe pas dans la circonscription foncière demandée."),
        ("2111333", "Québec", "Le lot 2 111 333 est inactif."),
        ("5555666", "Montréal", "La fiche est en traitement au Bureau de la publicité foncière;"),
        ("", "Montréal", "Vous devez saisir un numéro."),
    ):
        assert error_of(visitor.index(number, place)).startswith(sentence)
    assert server.ledger() == []


def test_other_refusals_are_a_page_with_the_message_image(server: TwinServer, visitor: Visitor) -> None:
    assert "document demandé est inexistant" in boxed_of(visitor.acte("99999999", "Montréal"))
    assert "Aucune information ne correspond aux critères de sélection" in boxed_of(visitor.plan("8888888", "Laval"))
    assert "Aucune information ne correspond" in boxed_of(visitor.index("24A", "Gaspé", "020200"))
    assert server.ledger() == []


def test_an_index_is_billed_when_the_viewer_is_reached_and_not_before(server: TwinServer, visitor: Visitor) -> None:
    viewer = visitor.index("2 784\N{NO-BREAK SPACE}195", "Montréal")
    assert is_viewer(viewer)
    assert [bought(line) for line in server.ledger()] == [("index", "2784195", "Montréal", "")]
    assert server.ledger()[0].account == ACCOUNTS[0][0]
    assert server.ledger()[0].request_id in str(viewer.url)
    saved = visitor.save(viewer)
    assert saved.headers["content-disposition"] == 'attachment; filename="2784195.pdf"'
    assert "2 784 195" in PdfReader(io.BytesIO(saved.content)).pages[0].extract_text()
    page = visitor.frame(viewer, "page")
    assert "Docmn" in str(page.url)
    assert page.headers["content-type"].startswith("text/html")
    assert len(server.ledger()) == 1


def test_a_viewer_asked_for_again_is_billed_again_and_the_bill_tells_a_repetition_from_a_new_request(
    server: TwinServer, visitor: Visitor
) -> None:
    viewer = visitor.index("2784195", "Montréal")
    assert is_viewer(visitor.get(str(viewer.url)))
    assert is_viewer(visitor.index("2784195", "Montréal"))
    assert [line.hit for line in server.ledger()] == [1, 2, 1]
    first, again, new = (line.request_id for line in server.ledger())
    assert first == again != new
    assert server.twin.traffic.refetches == 1


def test_a_request_id_is_worth_nothing_to_another_account(server: TwinServer, visitor: Visitor) -> None:
    viewer = visitor.index("2784195", "Montréal")
    with Visitor(server) as other:
        other.login(*ACCOUNTS[1])
        assert "n’est plus disponible" in boxed_of(other.get(str(viewer.url)))
    assert len(server.ledger()) == 1


def test_an_old_lot_needs_its_designation(server: TwinServer, visitor: Visitor) -> None:
    assert is_viewer(visitor.index("24A", "Gaspé", "020200", "Rang 1"))
    line = server.ledger()[0]
    assert (line.cadastre, line.designation) == ("Village de Gaspé", "Rang 1")


def test_a_plan_is_confirmed_before_it_is_billed(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.plan("2784195", "Montréal")
    assert "confr_demnd" in str(page.url)
    assert 'name="btnConfr" id="btnConfr" value="Confirmer"' in page.text
    loading = visitor.get(str(page.url).replace(paths.CONFIRMATION, paths.LOADING))
    assert "doit être confirmée" in boxed_of(loading)
    assert server.ledger() == []
    assert is_viewer(visitor.submit(page, btnConfr="Confirmer"))
    assert [bought(line) for line in server.ledger()] == [("plan_cadastraux", "2784195", "Montréal", "")]


def test_a_cancelled_confirmation_costs_nothing(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.submit(visitor.plan("2784195", "Montréal"), btnAnulr="Annuler")
    assert str(page.url).endswith(paths.FORMS[Source.PLAN])
    assert server.ledger() == []


def test_a_plan_complementaire_and_a_radiation_are_found(server: TwinServer, visitor: Visitor) -> None:
    visitor.submit(visitor.plan("PC-12345", "Montréal"), btnConfr="Confirmer")
    assert is_viewer(visitor.acte("T 12345", "Montréal", "Radiation"))
    assert [line.number_normalized for line in server.ledger()] == ["PC-12345", "T12345"]


def test_a_large_index_is_confirmed_and_is_large(visitor: Visitor) -> None:
    page = visitor.index("4111222", "Québec")
    assert "confr_demnd" in str(page.url)
    saved = visitor.save(visitor.submit(page, btnConfr="Confirmer"))
    assert len(saved.content) > 500_000


def test_several_plans_are_offered_unsorted_and_the_chosen_one_is_sold(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.plan("3456789", "Montréal")
    assert "selct_plan_cadst" in str(page.url)
    labels = re.findall(r'<label for="optPlan\d">([^<]+)</label>', page.text)
    assert [label[-10:] for label in labels] == ["2008-02-11", "2017-06-30", "2019-11-04", "2003-09-15"]
    viewer = visitor.submit(visitor.submit(page, optPlan="3", btnSoumt="Soumettre"), btnConfr="Confirmer")
    assert "2019-11-04" in PdfReader(io.BytesIO(visitor.save(viewer).content)).pages[0].extract_text()
    assert len(server.ledger()) == 1


def test_the_plans_of_an_inactive_lot_are_offered_below_a_notice(visitor: Visitor) -> None:
    page = visitor.plan("2111333", "Québec")
    assert "est inactif" in page.text
    assert error_of(page) == ""
    assert page.text.count('type="radio"') == 2


def test_an_exact_acte_is_found_at_once(server: TwinServer, visitor: Visitor) -> None:
    assert is_viewer(visitor.acte("25 616 321", "Montréal"))
    assert [bought(line) for line in server.ledger()] == [("acte", "25616321", "Montréal", "Acte")]


def test_a_similar_list_may_hold_only_others(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.acte("11222333", "Montréal")
    assert "une liste de document(s) dont le numéro est semblable" in page.text
    assert "Résultat de la recherche" in page.text
    assert ("11222333", "Acte", False) not in rows_of(page)
    assert server.ledger() == []


def test_the_exact_row_of_a_similar_list_is_sold(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.acte("12345678", "Québec")
    place = rows_of(page).index(("12345678", "Acte", False)) + 1
    assert place > 1
    assert is_viewer(visitor.submit(page, optDocmn=str(place), btnSoumt="Soumettre"))
    assert [bought(line) for line in server.ledger()] == [("acte", "12345678", "Québec", "Acte")]


def test_an_acte_on_paper_is_marked_and_not_sold(server: TwinServer, visitor: Visitor) -> None:
    page = visitor.acte("53850", "Québec")
    place = rows_of(page).index(("53850", "Acte", True)) + 1
    assert "papier seulement" in error_of(visitor.submit(page, optDocmn=str(place), btnSoumt="Soumettre"))
    assert "sélectionner" in error_of(visitor.submit(page, btnSoumt="Soumettre"))
    assert server.ledger() == []


@pytest.mark.parametrize(
    ("number", "mark"),
    [
        ("4300001", TITLE_LINK),
        ("4300002", 'impri_sauvg.asp?demnd='),
        ("4300003", 'onmouseup="fRechrDocmnPDF()"'),
        ("4300004", ">Sauvegarder</a>"),
    ],
)  # fmt: skip
def test_each_save_link_saves(visitor: Visitor, number: str, mark: str) -> None:
    viewer = visitor.index(number, "Laval")
    menu = visitor.frame(viewer, "menu").text
    marks = [TITLE_LINK, 'href="' + paths.SAVE, "onmouseup=", ">Sauvegarder</a>"]
    assert mark in menu
    assert sum(m in menu for m in marks) == (2 if number == "4300001" else 1)
    assert visitor.save(viewer).content.startswith(b"%PDF-")


def test_the_loading_page_lasts_as_long_as_the_document_says(
    server: TwinServer, visitor: Visitor, clock: Clock
) -> None:
    page = visitor.index("4222333", "Lévis")
    assert "en cours de chargement" in page.text
    early = visitor.get(str(page.url).replace(paths.LOADING, paths.VIEWER))
    assert "n’est plus disponible" in boxed_of(early)
    clock.advance(5.9)
    assert "en cours de chargement" in visitor.get(str(page.url)).text
    assert server.ledger() == []
    clock.advance(0.1)
    assert is_viewer(visitor.get(str(page.url)))
    assert len(server.ledger()) == 1


def test_a_pdf_can_be_shown_inline() -> None:
    with TwinServer(TwinConfig(inline_pdf=True, loading_seconds=0)) as server, Visitor(server) as visiting:
        visiting.login()
        assert (
            visiting.frame(visiting.index("2784195", "Montréal"), "page").headers["content-type"] != "application/pdf"
        )
        viewer = visiting.acte("25616321", "Montréal")
        assert visiting.frame(viewer, "page").headers["content-type"] == "application/pdf"
