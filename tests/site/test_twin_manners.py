"""The twin's bad manners over real HTTP: each does what its line in the list says, and only where it was told to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from registre.document import Source
from registre.twin import paths
from registre.twin.config import TwinConfig
from registre.twin.faults import FAULTS, FaultKind
from registre.twin.places import Place
from registre.twin.server import TwinServer
from tests.site.visitor import ACCOUNTS, Visitor, error_of, is_login, is_viewer, options_of

FORM = paths.FORMS[Source.INDEX]
PATIENCE_SECONDS = 0.3


@pytest.fixture
def server() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(accounts=dict(ACCOUNTS), loading_seconds=0)) as running:
        yield running


def the_index(visitor: Visitor) -> httpx.Response:
    return visitor.index("2784195", "Montréal")


def test_a_page_fault_bites_at_its_place_and_nowhere_else(server: TwinServer, visitor: Visitor) -> None:
    for place in (Place.MENU, Place.FORM, Place.RELOAD, Place.SEARCH, Place.VIEWER):
        server.faults.set("status_5xx", {"page": place.value})
        answers = {
            Place.MENU: visitor.get(paths.MENU),
            Place.FORM: visitor.get(FORM),
            Place.RELOAD: visitor.post(FORM, selCircnFoncr="02"),
            Place.SEARCH: visitor.index("9999999", "Montréal"),
            Place.VIEWER: visitor.get(paths.VIEWER),
        }
        assert [where for where, answer in answers.items() if answer.status_code == 503] == [place]


@pytest.mark.parametrize(("fault", "words"), [("maintenance", "en maintenance"), ("closed", "heures de service")])
def test_a_notice_stands_in_the_place_of_a_page(fault: str, words: str, server: TwinServer, visitor: Visitor) -> None:
    server.faults.set(fault, {"count": 1, "page": "form"})
    answer = visitor.get(FORM)
    assert (answer.status_code, words in answer.text) == (200, True)
    assert words not in visitor.get(FORM).text


@pytest.mark.parametrize("fault", ["hang", "reset", "cut"])
def test_a_viewer_that_is_never_had_is_billed_all_the_same(fault: str, server: TwinServer, visitor: Visitor) -> None:
    visitor.http.timeout = httpx.Timeout(PATIENCE_SECONDS if fault == "hang" else 10)
    server.faults.set(fault, {"count": 1, "page": "viewer"})
    with pytest.raises(httpx.TransportError):
        the_index(visitor)
    assert [line.hit for line in server.ledger()] == [1]


def test_a_page_can_be_slower_than_all_others(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("latency_ms", [1, {"value": 60_000, "page": "menu"}])
    visitor.http.timeout = httpx.Timeout(PATIENCE_SECONDS)
    with pytest.raises(httpx.ReadTimeout):
        visitor.get(paths.MENU)
    visitor.http.timeout = httpx.Timeout(10)
    assert visitor.get(FORM).status_code == 200


def test_a_session_expires_at_the_chosen_step(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("expire_session", {"count": 1, "page": "viewer_menu"})
    viewer = the_index(visitor)
    assert is_viewer(viewer)
    assert is_login(visitor.frame(viewer, "menu"))
    assert is_login(visitor.frame(viewer, "page"))


def test_an_account_is_locked_after_three_refusals_and_the_others_are_not(server: TwinServer) -> None:
    server.faults.set("lock_after", True)
    with Visitor(server) as visiting:
        said = [error_of(visiting.login(ACCOUNTS[0][0], password)) for password in ("a", "b", "c", ACCOUNTS[0][1])]
        assert ["verrouillé" in sentence for sentence in said] == [False, False, True, True]
        assert "Bonjour" in visiting.login(*ACCOUNTS[1]).text
        server.faults.clear()
        assert "Bonjour" in visiting.login().text


def test_a_right_password_between_two_wrong_ones_starts_the_count_anew(server: TwinServer) -> None:
    server.faults.set("lock_after", 2)
    with Visitor(server) as visiting:
        passwords = ("wrong", ACCOUNTS[0][1], "wrong", ACCOUNTS[0][1])
        answers = [visiting.login(ACCOUNTS[0][0], password).text for password in passwords]
    assert ["Bonjour" in answer for answer in answers] == [False, True, False, True]


def test_an_identity_question_opens_no_session(server: TwinServer) -> None:
    server.faults.set("identity_question", 1)
    with Visitor(server) as visiting:
        page = visiting.login()
        assert 'name="txtInAfichQuestIdentPersn" value="O"' in page.text
        assert is_login(visiting.get(paths.MENU))


def test_a_notice_stands_before_every_page_until_it_is_read(server: TwinServer) -> None:
    server.faults.set("notice", 1)
    with Visitor(server) as visiting:
        page = visiting.login()
        assert "Avis important" in page.text
        assert "Avis important" in visiting.get(FORM).text
        assert "Bonjour" in visiting.submit(page, btnContn="Continuer").text
        assert error_of(visiting.get(FORM)) == ""


def test_a_renamed_field_still_searches_under_its_new_name(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("renamed_field", ["txtNumrtLot", "selCadst"])
    assert 'name="txtNumrtLot"' not in visitor.get(FORM).text
    (new,) = re.findall(r'type="text" name="([^"]+)"', visitor.get(FORM).text)
    fields = {"selCircnFoncr": "47", new: "2784195", f"selCadst{new.removeprefix('txtNumrtLot')}": "000001"}
    assert is_viewer(visitor.post(FORM, **fields, btnSoumt="Soumettre"))


def test_a_moved_field_stands_last_in_its_form(server: TwinServer, visitor: Visitor) -> None:
    before = visitor.get(FORM).text
    server.faults.set("moved_field")
    after = visitor.get(FORM).text
    assert before.index("selCircnFoncr") < before.index("btnSoumt")
    assert after.index("selCircnFoncr") > after.index("btnSoumt")
    assert sorted(before) == sorted(after)


def test_lists_of_options_grow_shrink_and_are_recoded(server: TwinServer, visitor: Visitor) -> None:
    before = options_of(visitor.get(FORM), "selCircnFoncr")
    server.faults.set("options_added", "selCircnFoncr")
    assert len(options_of(visitor.get(FORM), "selCircnFoncr")) == 2 * len(before) - 1
    server.faults.update({"options_added": None, "options_removed": "Laval"})
    gone = before.keys() - options_of(visitor.get(FORM), "selCircnFoncr").keys()
    assert [before[code].strip() for code in gone] == ["Laval"]
    server.faults.update({"options_removed": None, "options_recoded": "selCircnFoncr"})
    recoded = options_of(visitor.get(FORM), "selCircnFoncr")
    assert list(recoded.values()) == list(before.values())
    assert len(recoded.keys() & before.keys()) == 1, "only the blank keeps its value"
    (montreal,) = [value for value, label in recoded.items() if label.strip() == "Montréal"]
    page = visitor.post(FORM, selCircnFoncr=montreal, selCadst="000000", txtNumrtLot="")
    assert f'value="{montreal}" selected' in page.text


def test_the_cadastre_du_quebec_can_be_called_quebec(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("quebec_label")
    assert options_of(visitor.get(FORM), "selCadst")["000001"].strip() == "Québec"


def test_pages_can_become_windows_1252_while_the_twin_runs(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("windows_1252")
    form = visitor.get(FORM)
    assert "charset=windows-1252" in form.headers["content-type"]
    assert "Sept-Îles" in form.content.decode("windows-1252")


def test_the_acte_form_can_begin_to_reload(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("acte_form_reloads")
    assert "onchange" in visitor.get(paths.FORMS[Source.ACTE]).text


def test_a_search_can_be_refused_by_any_sentence(server: TwinServer, visitor: Visitor) -> None:
    server.faults.set("unknown_sentence", {"value": "Le <système> & vous.", "count": 1})
    assert error_of(the_index(visitor)) == "Le <système> & vous."
    assert is_viewer(the_index(visitor))


def test_downloads_go_wrong_in_every_way_and_then_right(server: TwinServer, visitor: Visitor) -> None:
    viewer = the_index(visitor)
    whole = visitor.save(viewer).content
    server.faults.update({"html_for_pdf": 1})
    page = visitor.save(viewer)
    assert (page.status_code, "content-disposition" in page.headers, "txtMotPasse" in page.text) == (200, False, True)
    server.faults.update({"html_file": 1})
    file = visitor.save(viewer)
    assert (file.headers["content-type"], b"txtMotPasse" in file.content) == ("application/pdf", True)
    server.faults.update({"other_document": 1})
    other = visitor.save(viewer).content
    assert other.startswith(b"%PDF-")
    assert other != whole
    assert visitor.save(viewer).content == whole
    server.faults.set("no_save_link", 1)
    assert "impri_sauvg" not in visitor.frame(viewer, "menu").text
    assert "impri_sauvg" in visitor.frame(viewer, "menu").text
    assert len(server.ledger()) == 1


def test_a_connection_can_stay_open_against_the_browsers_wish(server: TwinServer) -> None:
    with httpx.Client(headers={"Connection": "close"}) as asking:
        assert asking.get(server.base_url).headers.get("connection") == "close"
        server.faults.set("keep_connections")
        assert asking.get(server.base_url).headers.get("connection") is None


def test_no_fault_changes_a_page_before_it_is_set_nor_after_it_is_lifted(server: TwinServer, visitor: Visitor) -> None:
    def pages() -> list[str]:
        return [visitor.get(path).text for path in (paths.ENTRY, paths.LOGIN, paths.MENU, *paths.FORMS.values())]

    before = pages()
    server.faults.update({name: 1 if spec.kind is FaultKind.NUMBER else True for name, spec in FAULTS.items()})
    server.faults.clear()
    assert pages() == before


def test_a_twin_starts_with_the_faults_it_is_given() -> None:
    config = TwinConfig(accounts=dict(ACCOUNTS), faults={"maintenance": True})
    with TwinServer(config) as server, Visitor(server) as visiting:
        assert "en maintenance" in visiting.get(paths.ENTRY).text
    with pytest.raises(ValueError, match="there is no fault 'nope'"):
        TwinServer(replace(config, faults={"nope": 1})).__enter__()
