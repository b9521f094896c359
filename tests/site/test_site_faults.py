"""What the site can do to a session: each ends in its own error, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.document import DocumentRequest, Source
from registre.errors import (
    AccountError,
    BrowserFailed,
    DataError,
    DocumentError,
    ErrorKind,
    LayoutChanged,
    SessionExpired,
    SiteUnavailable,
)
from registre.site.profile import SiteProfile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin.server import TwinServer
from tests.site.sessions import ACCOUNTS, INDEX, QUEBEC, SLOW, open_session

# -- sign-in ----------------------------------------------------------------------------------------------------------


def test_a_refused_password_is_the_accounts_error_in_the_sites_words_and_is_typed_once(
    registry: SiteRegistry, twin: TwinServer
) -> None:
    session = open_session(registry, 1, "wrong-secret")
    with pytest.raises(AccountError, match="invalide") as refusal:
        session.sign_in()
    session.close()
    assert refusal.value.kind is ErrorKind.LOGIN_REFUSED
    assert "wrong-secret" not in repr(refusal.value)
    assert twin.twin.traffic.logins_refused[ACCOUNTS[1][0]] == 1


def test_evidence_holds_the_page_and_no_secret(registry: SiteRegistry, twin: TwinServer, tmp_path: Path) -> None:
    session = open_session(registry, 1, "wrong-secret")
    with pytest.raises(AccountError) as refusal:
        session.sign_in()
    folder = session.collect_evidence(tmp_path / "evidence", "refused login/1", refusal.value)
    session.close()
    assert folder is not None
    assert folder.parent.name.startswith("login_refused-"), "kept with the evidence of like errors"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["refused_login_1.html", "refused_login_1.png", "refused_login_1.url.txt"]
    for path in folder.iterdir():
        assert b"wrong-secret" not in path.read_bytes()
    assert "invalide" in (folder / names[0]).read_text("utf-8")
    assert "pf_14_06_01_reglr" in (folder / names[2]).read_text("utf-8")


def test_an_account_that_comes_back_takes_up_its_session_without_its_password(
    session: SiteSession, registry: SiteRegistry, twin: TwinServer
) -> None:
    logins = twin.twin.traffic.logins[ACCOUNTS[0][0]]
    session.close()
    again = open_session(registry)
    again.sign_in()
    again.fill(INDEX)
    again.close()
    assert twin.twin.traffic.logins[ACCOUNTS[0][0]] == logins


def test_an_account_whose_session_died_meanwhile_signs_in_again(
    session: SiteSession, registry: SiteRegistry, twin: TwinServer
) -> None:
    logins = twin.twin.traffic.logins[ACCOUNTS[0][0]]
    session.close()
    twin.faults.set("expire_session", 1)
    again = open_session(registry)
    again.sign_in()
    again.fill(INDEX)
    again.close()
    assert twin.twin.traffic.logins[ACCOUNTS[0][0]] == logins + 1


# -- the site ---------------------------------------------------------------------------------------------------------


def test_an_expired_session_is_told_before_the_form_and_after_it(
    session: SiteSession, registry: SiteRegistry, twin: TwinServer
) -> None:
    twin.faults.set("expire_session", 1)
    with pytest.raises(SessionExpired):
        session.fill(INDEX)
    session.close()
    again = open_session(registry)
    again.sign_in()
    before = len(twin.ledger())
    again.fill(INDEX)
    twin.faults.set("expire_session", 1)
    with pytest.raises(SessionExpired):
        again.submit(INDEX)
    again.close()
    assert len(twin.ledger()) == before


def test_maintenance_is_the_sites_failure_wherever_it_begins(session: SiteSession, twin: TwinServer) -> None:
    session.fill(INDEX)
    twin.faults.set("maintenance")
    with pytest.raises(SiteUnavailable, match="maintenance"):
        session.submit(INDEX)
    with pytest.raises(SiteUnavailable, match="maintenance"):
        session.fill(INDEX)


def test_a_5xx_is_the_sites_failure_before_the_submission_and_leaves_it_open_after(
    session: SiteSession, twin: TwinServer
) -> None:
    twin.faults.set("status_5xx", 1)
    with pytest.raises(SiteUnavailable, match="503"):
        session.fill(INDEX)
    session.fill(INDEX)
    twin.faults.set("status_5xx", 1)
    with pytest.raises(BrowserFailed, match="503 after the submission"):
        session.submit(INDEX)


def test_a_site_that_does_not_answer_is_unavailable_and_not_a_broken_browser(
    session: SiteSession, twin: TwinServer
) -> None:
    twin.faults.set("latency_ms", 5000)
    with pytest.raises(SiteUnavailable, match="within 3 s"):
        session.fill(INDEX)


def test_a_site_that_is_not_there_is_unavailable(chromium: Path, hasty: SiteProfile) -> None:
    registry = SiteRegistry(base_url="http://127.0.0.1:9/Sirf/", profile=hasty, chromium=chromium)
    session = open_session(registry)
    with pytest.raises(SiteUnavailable, match="ERR_"):
        session.sign_in()
    registry.close()


def test_a_form_without_its_landmark_freezes_its_source(
    session: SiteSession, registry: SiteRegistry, running_twin: TwinServer, chromium: Path, hasty: SiteProfile
) -> None:
    session.close()
    forms = dict(hasty.forms)
    forms[Source.PLAN] = forms[Source.PLAN].model_copy(update={"path": "Script/13_01_11/pf_13_01_11_01_menu.asp"})
    changed = SiteRegistry(
        base_url=running_twin.base_url, profile=hasty.model_copy(update={"forms": forms}), chromium=chromium
    )
    other = open_session(changed, 2)
    other.sign_in()
    with pytest.raises(LayoutChanged) as change:
        other.fill(DocumentRequest(Source.PLAN, "2 784 195", "Montréal", QUEBEC))
    changed.close()
    assert (change.value.source, change.value.landmark) == (Source.PLAN, "#selCircnFoncr")


def test_a_slow_site_still_gives_its_document(session: SiteSession, twin: TwinServer, tmp_path: Path) -> None:
    twin.faults.set("latency_ms", 250)
    session.fill(INDEX)
    session.submit(INDEX)
    session.save(tmp_path / "index.pdf")
    assert (tmp_path / "index.pdf").read_bytes().startswith(b"%PDF-")


def test_a_document_that_loads_too_long_leaves_it_open(session: SiteSession, twin: TwinServer) -> None:
    twin.faults.set("loading_seconds", 60)
    session.fill(INDEX)
    with pytest.raises(BrowserFailed, match="still loading after 4 s"):
        session.submit(INDEX)


def test_a_download_that_never_starts_is_asked_for_again_from_the_same_viewer(
    session: SiteSession, twin: TwinServer, tmp_path: Path
) -> None:
    twin.faults.set("no_download", 1)
    session.fill(INDEX)
    session.submit(INDEX)
    before = len(twin.ledger())
    with pytest.raises(DocumentError, match="within 2 s"):
        session.save(tmp_path / "index.pdf")
    assert not (tmp_path / "index.pdf").exists()
    session.save(tmp_path / "index.pdf")
    assert (tmp_path / "index.pdf").read_bytes().startswith(b"%PDF-")
    assert len(twin.ledger()) == before


def test_a_form_is_submitted_for_the_order_it_was_filled_for_and_once(session: SiteSession, twin: TwinServer) -> None:
    before = len(twin.ledger())
    session.fill(INDEX)
    with pytest.raises(BrowserFailed, match="not filled"):
        session.submit(SLOW)
    missing = DocumentRequest(Source.INDEX, "9999999", "", QUEBEC)
    session.fill(missing)
    with pytest.raises(DataError):
        session.submit(missing)
    with pytest.raises(BrowserFailed, match="not filled"):
        session.submit(missing)
    assert len(twin.ledger()) == before
