"""The twin's pages over real HTTP: sessions, forms, its own door for tests and its bad manners."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from registre.document import Source
from registre.twin import paths
from registre.twin.catalogue import load_catalogue
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer
from tests.site.visitor import (
    ACCOUNTS,
    Clock,
    Visitor,
    boxed_of,
    error_of,
    is_login,
    is_viewer,
    options_of,
    selected_of,
)

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
