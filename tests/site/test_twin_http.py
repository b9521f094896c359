"""The twin's pages over real HTTP: every page, every outcome, and a bill of one line a document."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

import httpx
import pytest
from pypdf import PdfReader

from registre.document import Source
from registre.twin import paths
from registre.twin.catalogue import load_catalogue
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.documents import ACTE_TYPES
from registre.twin.ledger import LedgerLine
from registre.twin.server import TwinServer

ACCOUNTS = demo_accounts(2)
TITLE_LINK = 'title="Sauvegarder ou imprimer le document"'


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Visitor:
    """A browser without a window: keeps the cookie, follows redirects, knows how the forms are filled."""

    def __init__(self, server: TwinServer) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def login(self, account: str = ACCOUNTS[0][0], password: str = ACCOUNTS[0][1]) -> httpx.Response:
        fields = {"txtBoutn": "btnSoumt", "txtEtat": "valdr", "txtInAfichQuestIdentPersn": "N"}
        return self.post(paths.LOGIN, txtVaCodeUtils=account, txtMotPasse=password, **fields)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields)

    def lot(
        self, source: Source, number: str, place: str, cadastre: str = "000001", designation: str = ""
    ) -> httpx.Response:
        code = load_catalogue().named(place).code if place else "NULL"
        fields = {"selCircnFoncr": code, "selCadst": cadastre, "txtNumrtLot": number, "btnSoumt": "Soumettre"}
        if designation:
            options = load_catalogue().named(place).cadastre(cadastre)
            assert options is not None
            fields["selDesgnSecnd"] = f"{options.designations.index(designation) + 1:02d}"
        return self.post(paths.FORMS[source], **fields)

    def index(self, number: str, place: str, cadastre: str = "000001", designation: str = "") -> httpx.Response:
        return self.lot(Source.INDEX, number, place, cadastre, designation)

    def plan(self, number: str, place: str) -> httpx.Response:
        return self.lot(Source.PLAN, number, place)

    def acte(self, number: str, place: str, acte_type: str = "Acte") -> httpx.Response:
        value = next(v for v, name in ACTE_TYPES.items() if name == acte_type)
        fields = {"selCircnFoncr": load_catalogue().named(place).code, "selTypeDocmn": value}
        return self.post(paths.FORMS[Source.ACTE], **fields, txtNoReqst=number, btnRechr="Rechercher")

    def submit(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Submit the only form of a page, with its hidden fields."""
        action = re.search(r'<form [^>]*action="([^"]+)"', page.text)
        assert action
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return self.post(urljoin(str(page.url), html.unescape(action[1])), **hidden, **fields)

    def frame(self, viewer: httpx.Response, name: str) -> httpx.Response:
        source = re.search(rf'<frame name="{name}" src="([^"]+)"', viewer.text)
        assert source, viewer.url
        return self.get(html.unescape(source[1]))

    def save(self, viewer: httpx.Response) -> httpx.Response:
        menu = self.frame(viewer, "menu").text
        link = re.search(r'(/Sirf/[^"]+(?:impri_sauvg|telch)[^"]+)', menu)
        assert link
        return self.get(html.unescape(link[1]))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[TwinServer]:
    config = TwinConfig(accounts=dict(ACCOUNTS), loading_seconds=0, clock=clock)
    with TwinServer(config) as running:
        yield running


@pytest.fixture
def visitor(server: TwinServer) -> Iterator[Visitor]:
    with Visitor(server) as visiting:
        visiting.login()
        yield visiting


def is_login(page: httpx.Response) -> bool:
    return "pf_14_06_01_reglr" in str(page.url) and "txtMotPasse" in page.text


def is_viewer(page: httpx.Response) -> bool:
    return page.status_code == 200 and "<frameset" in page.text


def error_of(page: httpx.Response) -> str:
    """The text of `td.contValErr`, or '-' where the cell is absent."""
    cell = re.search(r'<td class="contValErr"[^>]*>([^<]*)</td>', page.text)
    return html.unescape(cell[1]) if cell else "-"


def boxed_of(page: httpx.Response) -> str:
    box = re.search(r'<table class="Cadre".*?image_message\.gif.*?<td>([^<]*)</td>', page.text, re.DOTALL)
    return html.unescape(box[1]) if box else "-"


def options_of(page: httpx.Response, select: str) -> dict[str, str]:
    body = re.search(rf'<select name="{select}".*?</select>', page.text, re.DOTALL)
    if not body:
        return {}
    found = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)</option>', body[0])
    return {value: html.unescape(label) for value, _, label in found}


def selected_of(page: httpx.Response, select: str) -> list[str]:
    body = re.search(rf'<select name="{select}".*?</select>', page.text, re.DOTALL)
    return re.findall(r'<option value="([^"]*)" selected>', body[0]) if body else []


def bought(line: LedgerLine) -> tuple[str, str, str, str]:
    return line.source, line.number_normalized, line.circonscription, line.acte_type


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_the_entry_page_leads_to_the_login(server: TwinServer) -> None:
    with Visitor(server) as visiting:
        page = visiting.get(server.base_url)
        assert '<area shape="rect" coords="0,0,150,60" href="' + paths.LOGIN in page.text
        form = visiting.get(paths.LOGIN)
        assert error_of(form) == ""
        assert 'name="txtInAfichQuestIdentPersn" value="N"' in form.text


def test_a_login_leads_to_the_three_forms(visitor: Visitor) -> None:
    menu = visitor.get(paths.MENU)
    assert all(f'href="{path}"' in menu.text for path in paths.FORMS.values())
    for path in paths.FORMS.values():
        form = visitor.get(path)
        assert len(options_of(form, "selCircnFoncr")) == 74
        assert error_of(form) == ""


def test_a_refused_login_says_so_and_opens_nothing(server: TwinServer) -> None:
    with Visitor(server) as visiting:
        for account, password in ((ACCOUNTS[0][0], "wrong"), ("99Z9999", "x"), ("", "")):
            page = visiting.login(account, password)
            assert error_of(page) == "Le code d’utilisateur ou le mot de passe est invalide."
            assert is_login(visiting.get(paths.MENU))


def test_a_second_login_kills_the_first(server: TwinServer, visitor: Visitor) -> None:
    with Visitor(server) as second, Visitor(server) as other:
        other.login(*ACCOUNTS[1])
        second.login()
        assert is_login(visitor.get(paths.FORMS[Source.INDEX]))
        assert not is_login(second.get(paths.FORMS[Source.INDEX]))
        assert not is_login(other.get(paths.FORMS[Source.INDEX]))


def test_an_idle_session_ends_on_the_login_page_by_a_302(visitor: Visitor, clock: Clock) -> None:
    clock.advance(20 * 60)
    assert not is_login(visitor.get(paths.MENU))
    clock.advance(20 * 60 + 1)
    answer = visitor.http.get(paths.FORMS[Source.ACTE], follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, paths.LOGIN)


def test_a_page_that_needs_a_session_and_has_none_ends_on_the_login(server: TwinServer) -> None:
    viewing = (paths.LOADING, paths.VIEWER, paths.VIEWER_MENU, paths.VIEWER_PAGE, paths.SAVE, paths.SAVE_PLAIN)
    with Visitor(server) as visiting:
        for path in (paths.MENU, *paths.FORMS.values(), paths.PLAN_LIST, paths.CONFIRMATION, *viewing):
            assert is_login(visiting.get(path)), path


@pytest.mark.parametrize("page", [paths.MENU, *paths.FORMS.values()])
def test_the_sign_out_link_of_every_page_ends_the_session(page: str, visitor: Visitor, server: TwinServer) -> None:
    assert f'href="{paths.SIGN_OUT}" target="_top"' in visitor.get(page).text
    assert "Votre session est terminée" in visitor.get(paths.SIGN_OUT).text
    assert is_login(visitor.get(paths.MENU))
    report = server.twin.report()
    assert report["sign_outs"] == {ACCOUNTS[0][0]: 1}
    assert report["sessions"] == []


# -- forms ------------------------------------------------------------------------------------------------------------


def test_choosing_a_circonscription_reloads_the_page_with_its_cadastres_and_empties_the_number(
    visitor: Visitor,
) -> None:
    fresh = visitor.get(paths.FORMS[Source.INDEX])
    assert list(options_of(fresh, "selCadst")) == ["000000", "000001"]
    gaspe = load_catalogue().named("Gaspé")
    page = visitor.post(paths.FORMS[Source.INDEX], selCircnFoncr=gaspe.code, selCadst="000000", txtNumrtLot="24A")
    assert selected_of(page, "selCircnFoncr") == [gaspe.code]
    assert list(options_of(page, "selCadst")) == ["000000", *(c.code for c in gaspe.cadastres)]
    assert options_of(page, "selDesgnSecnd") == {}
    assert 'name="txtNumrtLot" id="txtNumrtLot" maxlength="30" value=""' in page.text


def test_choosing_a_cadastre_brings_its_designations(visitor: Visitor) -> None:
    code = load_catalogue().named("Gaspé").code
    page = visitor.post(paths.FORMS[Source.INDEX], selCircnFoncr=code, selCadst="020200", txtNumrtLot="")
    assert selected_of(page, "selCadst") == ["020200"]
    assert [d.strip() for d in options_of(page, "selDesgnSecnd").values()] == [
        "", "Rang 1", "Rang 2", "Rang 1 Est", "Bloc A",
    ]  # fmt: skip


def test_a_cadastre_of_another_circonscription_does_not_stay_chosen(visitor: Visitor) -> None:
    code = load_catalogue().named("Montréal").code
    page = visitor.post(paths.FORMS[Source.INDEX], selCircnFoncr=code, selCadst="020200", txtNumrtLot="")
    assert selected_of(page, "selCadst") == []
    assert options_of(page, "selDesgnSecnd") == {}


def test_a_form_opened_anew_is_blank_and_the_way_back_keeps_the_choices(visitor: Visitor) -> None:
    viewer = visitor.index("2784195", "Montréal")
    menu = visitor.frame(viewer, "menu").text
    assert f'href="{paths.FORMS[Source.INDEX]}" target="_top">Nouvelle demande' in menu
    assert selected_of(visitor.get(paths.FORMS[Source.INDEX]), "selCircnFoncr") == []
    kept = visitor.get(paths.FORMS[Source.INDEX] + "?conserver=O")
    assert selected_of(kept, "selCircnFoncr") == [load_catalogue().named("Montréal").code]
    assert 'value="2784195"' in kept.text


def test_lists_have_blanks_with_values_padding_and_typographic_apostrophes(visitor: Visitor) -> None:
    form = visitor.get(paths.FORMS[Source.ACTE])
    circonscriptions, types = options_of(form, "selCircnFoncr"), options_of(form, "selTypeDocmn")
    assert circonscriptions["NULL"].strip() == types["NULL"].strip() == ""
    assert "Avis d’adresse" in types.values()
    assert any(label.endswith("\N{NO-BREAK SPACE}") for label in circonscriptions.values())


@pytest.mark.parametrize("reloads", [False, True])
def test_the_acte_form_reloads_only_if_configured(reloads: bool) -> None:
    with TwinServer(TwinConfig(acte_form_reloads=reloads)) as server, Visitor(server) as visiting:
        visiting.login()
        form = visiting.get(paths.FORMS[Source.ACTE])
        assert ("onchange" in form.text) is reloads


def test_pages_and_forms_can_be_windows_1252() -> None:
    with TwinServer(TwinConfig(encoding="windows-1252")) as server, Visitor(server) as visiting:
        visiting.login()
        form = visiting.get(paths.FORMS[Source.INDEX])
        assert form.headers["content-type"] == "text/html; charset=windows-1252"
        assert "Sept-Îles" in form.content.decode("windows-1252")
        assert "L’Islet" in form.content.decode("windows-1252")


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


def rows_of(page: httpx.Response) -> list[tuple[str, str, bool]]:
    """Number, type and paper mark of each row of a similar list."""
    rows = re.findall(r'<tr><td><input type="radio".*?</tr>', page.text, re.DOTALL)
    found = []
    for row in rows:
        cells = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        number = html.unescape(cells[1]).replace("\N{NO-BREAK SPACE}", "")
        found.append((number, html.unescape(cells[2]).strip(), "BPD.GIF" in row))
    return found


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


# -- admin and faults -------------------------------------------------------------------------------------------------


def test_the_admin_door_tells_health_ledger_and_requests(server: TwinServer, visitor: Visitor) -> None:
    visitor.index("2784195", "Montréal")
    with httpx.Client(base_url=server.admin_url) as admin:
        assert admin.get("health").json() == {"status": "ok"}
        (line,) = admin.get("ledger").json()
        assert (line["n"], line["number_normalized"], line["amount_cents"]) == (1, "2784195", 150)
        report = admin.get("requests").json()
    assert report["paths"][paths.VIEWER] == 1
    assert report["logins"] == {ACCOUNTS[0][0]: 1}
    assert [s["account"] for s in report["sessions"]] == [ACCOUNTS[0][0]]


def test_faults_are_ordered_and_lifted_over_http(server: TwinServer, visitor: Visitor) -> None:
    with httpx.Client(base_url=server.admin_url) as admin:
        assert admin.post("faults", json={"maintenance": True}).json() == {"maintenance": True}
        assert "maintenance" in visitor.get(paths.MENU).text
        assert admin.post("faults", json={"status_5xx": 1, "nope": 1}).status_code == 400
        assert admin.get("faults").json()["set"] == {"maintenance": True}
        assert admin.request("DELETE", "faults").json() == {}
    assert not is_login(visitor.get(paths.MENU))


def test_server_errors_come_as_often_as_ordered(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("status_5xx", 2)
    assert [visitor.get(paths.MENU).status_code for _ in range(3)] == [503, 503, 200]


def test_an_expired_session_must_sign_in_again(server: TwinServer, visitor: Visitor) -> None:
    viewer = visitor.index("2784195", "Montréal")
    server.faults.set("expire_session", {"count": 1, "account": ACCOUNTS[1][0]})
    assert "Bonjour" in visitor.get(paths.MENU).text
    server.faults.set("expire_session", {"count": 1, "account": ACCOUNTS[0][0]})
    assert is_login(visitor.get(str(viewer.url)))
    assert is_login(visitor.get(paths.MENU))
    visitor.login()
    assert "n’est plus disponible" in boxed_of(visitor.get(str(viewer.url)))
    assert len(server.ledger()) == 1


def test_a_login_can_be_refused_although_it_is_right(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("refuse_login", 1)
    assert error_of(visitor.login()) != ""
    assert "Bonjour" in visitor.login().text


def test_a_download_can_be_cut_and_the_next_is_whole(server: TwinServer, visitor: Visitor) -> None:
    viewer = visitor.index("2784195", "Montréal")
    server.faults.set("truncate_pdf", 1)
    cut, whole = visitor.save(viewer).content, visitor.save(viewer).content
    assert whole.startswith(cut)
    assert len(cut) < len(whole)
    assert len(server.ledger()) == 1


def test_a_download_can_hang_and_the_twin_still_stops(server: TwinServer, visitor: Visitor) -> None:
    viewer = visitor.index("2784195", "Montréal")
    server.faults.set("no_download", 1)
    visitor.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        visitor.save(viewer)
    server.faults.set("loading_seconds", 60)
    visitor.http.timeout = httpx.Timeout(5)
    assert "en cours de chargement" in visitor.index("2784195", "Montréal").text


def test_latency_holds_every_page_and_not_the_admin_door(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("latency_ms", 60_000)
    visitor.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        visitor.get(paths.MENU)
    assert httpx.get(server.admin_url + "health", timeout=5).status_code == 200


def test_the_bill_outlives_the_twin(tmp_path: Path) -> None:
    config = TwinConfig(ledger_path=tmp_path / "ledger.jsonl", loading_seconds=0)
    for expected in (1, 2):
        with TwinServer(config) as server:
            with Visitor(server) as visiting:
                visiting.login()
                assert is_viewer(visiting.index("2784195", "Montréal"))
            assert len(server.ledger()) == expected
