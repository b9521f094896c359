"""Orders of every kind, from the form to the saved file, through a real Chromium on the site's twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.errors import DataError, ErrorKind
from registre.ports import Step, ViewerReached
from registre.site.pages.lot_form import LotForm
from registre.site.profile import Reload, load_profile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer

QUEBEC = "Cadastre du Québec"
ACCOUNTS = demo_accounts(3)
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", QUEBEC)
ACTE = DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte")
PLAN = DocumentRequest(Source.PLAN, "2 784 195", "Montréal", QUEBEC)
_DISABLE_FOR_A_MOMENT = """
(selector) => {
  const select = document.querySelector(selector);
  select.disabled = true;
  setTimeout(() => { select.disabled = false; }, 200);
}
"""
OLD_LOT = DocumentRequest(Source.INDEX, "24A", "Gaspé", "Village de Gaspé", "Rang 1")


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(loading_seconds=0.05)) as server:
        yield server


@pytest.fixture(scope="module")
def registry(twin: TwinServer, chromium: Path) -> Iterator[SiteRegistry]:
    registry = SiteRegistry(base_url=twin.base_url, profile=load_profile(), chromium=chromium)
    yield registry
    registry.close()


@pytest.fixture(scope="module")
def session(registry: SiteRegistry) -> Iterator[SiteSession]:
    session = open_session(registry)
    yield session
    session.close()


def open_session(
    registry: SiteRegistry, account: int = 0, on_step: Callable[[Step], None] = lambda _: None
) -> SiteSession:
    username, password = ACCOUNTS[account]
    session = registry.open_session(Credentials(AccountId(f"account-{account}"), username, password), on_step)
    session.sign_in()
    return session


def obtain(session: SiteSession, request: DocumentRequest, target: Path) -> ViewerReached:
    session.fill(request.validate())
    reached = session.submit(request)
    session.save(target)
    return reached


def text_of(pdf: Path) -> str:
    return "".join(page.extract_text() for page in PdfReader(pdf).pages)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(INDEX, id="an index"),
        pytest.param(ACTE, id="an acte"),
        pytest.param(PLAN, id="a plan, after its confirmation"),
        pytest.param(OLD_LOT, id="an old lot with its désignation"),
        pytest.param(replace(INDEX, circonscription="Montreal"), id="a name without its accent"),
        pytest.param(
            DocumentRequest(Source.INDEX, "3 000 101", "Saint-Anne-des-Monts", QUEBEC),
            id="a name with one right answer",
        ),
        pytest.param(DocumentRequest(Source.INDEX, "2 784 195", "", QUEBEC), id="a renovated lot without its place"),
        pytest.param(DocumentRequest(Source.INDEX, "4 111 222", "Québec", QUEBEC), id="a large index, confirmed"),
        pytest.param(
            DocumentRequest(Source.ACTE, "18 500 500", "Laval", acte_type="Acte"), id="a large acte, confirmed"
        ),
        pytest.param(
            DocumentRequest(Source.ACTE, "12345678", "Québec", acte_type="Acte"), id="an acte among similar ones"
        ),
        pytest.param(DocumentRequest(Source.ACTE, "T12345", "Montréal", acte_type="Radiation"), id="a radiation"),
        pytest.param(DocumentRequest(Source.PLAN, "PC-12345", "Montréal", QUEBEC), id="a plan complémentaire"),
        pytest.param(DocumentRequest(Source.INDEX, "4300002", "Laval", QUEBEC), id="a save link known by its address"),
        pytest.param(DocumentRequest(Source.INDEX, "4300003", "Laval", QUEBEC), id="a save link known by its script"),
        pytest.param(DocumentRequest(Source.INDEX, "4300004", "Laval", QUEBEC), id="a save link known by its words"),
    ],
)
def test_a_document_is_bought_once_and_saved(
    request_: DocumentRequest, session: SiteSession, twin: TwinServer, tmp_path: Path
) -> None:
    before = len(twin.ledger())
    target = tmp_path / "document.pdf"
    assert obtain(session, request_, target).notes == ()
    assert request_.number_normalized in "".join(text_of(target).split())
    bought = twin.ledger()[before:]
    assert [(line.source, line.number_normalized) for line in bought] == [(request_.source, request_.number_normalized)]


def test_the_form_read_back_is_the_order(session: SiteSession) -> None:
    filled = session.fill(OLD_LOT)
    assert filled.circonscription is not None
    assert filled.cadastre is not None
    assert filled.designation is not None
    assert (filled.number, filled.circonscription.label, filled.cadastre.value, filled.designation.label) == (
        "24A",
        "Gaspé",
        "020200",
        "Rang 1",
    )
    assert filled.acte_type is None


@pytest.mark.parametrize(
    ("lot", "latest"), [("3 456 789", "2019-11-04"), ("3 456 800", "2015-01-20")], ids=["versions", "a foreign row"]
)
def test_the_latest_plan_of_the_lot_is_taken(lot: str, latest: str, session: SiteSession, tmp_path: Path) -> None:
    place = "Laval" if lot.endswith("800") else "Montréal"
    obtain(session, DocumentRequest(Source.PLAN, lot, place, QUEBEC), tmp_path / "plan.pdf")
    assert latest in text_of(tmp_path / "plan.pdf")


def test_an_inactive_lots_plan_is_taken_and_the_fact_is_noted(session: SiteSession, tmp_path: Path) -> None:
    reached = obtain(session, DocumentRequest(Source.PLAN, "2 111 333", "Québec", QUEBEC), tmp_path / "plan.pdf")
    assert [note for note in reached.notes if "inactive" in note]
    assert "2006-01-17" in text_of(tmp_path / "plan.pdf")


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        pytest.param(
            DocumentRequest(Source.ACTE, "11222333", "Montréal", acte_type="Acte"),
            ErrorKind.ONLY_SIMILAR,
            "11 222 338",
            id="only similar",
        ),
        pytest.param(
            DocumentRequest(Source.ACTE, "53850", "Québec", acte_type="Acte"),
            ErrorKind.PAPER_ONLY,
            "papier",
            id="paper",
        ),
        pytest.param(
            replace(ACTE, acte_type="Radiation"), ErrorKind.ONLY_SIMILAR, "Radiation 25616321", id="another type"
        ),
        pytest.param(
            DocumentRequest(Source.INDEX, "9999999", "", QUEBEC), ErrorKind.NOT_FOUND, "fiche immobilière", id="no lot"
        ),
        pytest.param(
            DocumentRequest(Source.ACTE, "99999999", "Montréal", acte_type="Acte"),
            ErrorKind.NOT_FOUND,
            "inexistant",
            id="no acte",
        ),
        pytest.param(
            DocumentRequest(Source.PLAN, "8888888", "", QUEBEC), ErrorKind.NOT_FOUND, "Aucune information", id="no plan"
        ),
        pytest.param(
            DocumentRequest(Source.INDEX, "2 111 333", "Québec", QUEBEC),
            ErrorKind.LOT_INACTIVE,
            "est inactif",
            id="inactive",
        ),
        pytest.param(
            DocumentRequest(Source.PLAN, "3 456 810", "Laval", QUEBEC), ErrorKind.AMBIGUOUS_PLAN, "plan A", id="undated"
        ),
        pytest.param(
            DocumentRequest(Source.INDEX, "5 555 666", "Montréal", QUEBEC),
            ErrorKind.UNKNOWN_SENTENCE,
            "suspendue",
            id="unknown sentence",
        ),
    ],
)
def test_an_order_the_site_refuses_ends_in_its_own_words_and_costs_nothing(
    request_: DocumentRequest, kind: ErrorKind, words: str, session: SiteSession, twin: TwinServer
) -> None:
    before = len(twin.ledger())
    session.fill(request_)
    with pytest.raises(DataError, match=words) as refusal:
        session.submit(request_)
    assert refusal.value.kind is kind
    assert refusal.value.needs_review is (kind is ErrorKind.UNKNOWN_SENTENCE)
    assert len(twin.ledger()) == before


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        pytest.param(
            DocumentRequest(Source.INDEX, "12", "Chicoutimi", "Chicoutimi"), "Paroisse de Chicoutimi", id="cadastre"
        ),
        pytest.param(replace(INDEX, circonscription="Bonaventure"), "Bonaventure 1", id="circonscription"),
        pytest.param(replace(OLD_LOT, designation="Rang 77"), "Rang 77", id="désignation"),
        pytest.param(replace(INDEX, designation="Rang 1"), "Rang 1", id="désignation where there is none"),
        pytest.param(replace(ACTE, acte_type="Hypothèque"), "Hypothèque", id="type of acte"),
    ],
)
def test_a_name_that_means_no_one_option_is_refused_before_anything_is_submitted(
    request_: DocumentRequest, words: str, session: SiteSession
) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        session.fill(request_)
    assert refusal.value.kind is ErrorKind.AMBIGUOUS_OPTION


def test_the_choices_of_one_job_do_not_leak_into_the_next(session: SiteSession) -> None:
    session.fill(OLD_LOT)
    filled = session.fill(DocumentRequest(Source.INDEX, "2 784 195", "", QUEBEC))
    assert filled.circonscription is None or not any(c.isalnum() for c in filled.circonscription.label)
    assert filled.designation is None
    assert filled.cadastre is not None
    assert filled.cadastre.value == "000001"
    with_place = session.fill(replace(OLD_LOT, designation=""))
    assert with_place.designation is not None
    assert not any(c.isalnum() for c in with_place.designation.label)


def test_a_select_that_cannot_be_chosen_yet_is_waited_for(session: SiteSession) -> None:
    tab = session._tab
    assert tab is not None
    form = LotForm(tab, Source.INDEX, tab.profile.forms[Source.INDEX])
    selector = tab.profile.forms[Source.INDEX].circonscription

    async def choose() -> None:
        await form.open()
        select = await form.read(selector)
        assert select is not None
        option = form.offered(select)[3]
        await tab.page.evaluate(_DISABLE_FOR_A_MOMENT, selector)
        await form.choose(selector, option, select, Reload.ALWAYS)
        after = await form.read(selector)
        assert after is not None
        assert after.chosen == option

    session._host.run(choose, 20, "choosing")


def test_a_session_outlives_its_page(session: SiteSession, tmp_path: Path) -> None:
    for _ in range(load_profile().session.jobs_per_page + 1):
        with pytest.raises(DataError):
            session.fill(replace(ACTE, acte_type="Hypothèque"))
    obtain(session, ACTE, tmp_path / "acte.pdf")


def test_the_steps_are_told_in_their_order(registry: SiteRegistry, twin: TwinServer, tmp_path: Path) -> None:
    steps: list[Step] = []
    twin.faults.set("loading_seconds", {"value": 0.5, "count": 1})  # a shorter one may be gone before it is seen
    session = open_session(registry, 1, steps.append)
    obtain(session, DocumentRequest(Source.PLAN, "3 456 789", "Montréal", QUEBEC), tmp_path / "plan.pdf")
    session.close()
    assert steps == [
        Step.SIGNING_IN,
        Step.FORM,
        Step.SUBMITTING,
        Step.CHOOSING,
        Step.CONFIRMING,
        Step.WAITING_VIEWER,
        Step.SAVING,
    ]


def test_a_document_may_be_saved_again_from_its_viewer(session: SiteSession, twin: TwinServer, tmp_path: Path) -> None:
    before = len(twin.ledger())
    obtain(session, INDEX, tmp_path / "first.pdf")
    session.save(tmp_path / "second.pdf")
    assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "second.pdf").read_bytes()
    assert len(twin.ledger()) == before + 1


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(TwinConfig(loading_seconds=0, acte_form_reloads=True), id="the acte form reloads"),
        pytest.param(TwinConfig(loading_seconds=0, encoding="windows-1252"), id="windows-1252"),
        pytest.param(TwinConfig(loading_seconds=0, inline_pdf=True), id="the viewer holds the PDF itself"),
    ],
)
def test_the_sites_unknown_manners_make_no_difference(config: TwinConfig, chromium: Path, tmp_path: Path) -> None:
    with TwinServer(config) as twin:
        registry = SiteRegistry(base_url=twin.base_url, profile=load_profile(), chromium=chromium)
        session = open_session(registry)
        for i, request in enumerate((replace(ACTE, circonscription="Montreal"), INDEX, OLD_LOT)):
            obtain(session, request, tmp_path / f"{i}.pdf")
            assert request.number_normalized in "".join(text_of(tmp_path / f"{i}.pdf").split())
        registry.close()
        assert len(twin.ledger()) == 3
