"""The trace of a job that failed is beside its evidence, and holds neither a password nor a cookie."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.errors import DocumentError, SessionExpired
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.site.trace import JobTrace
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer

PASSWORD = "Écrit à+la*main~&<1>"
WRITTEN = (b"crit \xc3\xa0", b"crit \xe0", b"crit%20", b"crit+", b"main~", b"main%7E", b"crit\\u00")
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")
USER = "99T0001"


@pytest.fixture(scope="module")
def running_twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig({USER: PASSWORD}, loading_seconds=0)) as server:
        yield server


@pytest.fixture(scope="module")
def registry(running_twin: TwinServer) -> Iterator[SiteRegistry]:
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    profile = load_profile()
    hasty = profile.model_copy(update={"budgets": profile.budgets.model_copy(update={"operation": 3.0})})
    registry = SiteRegistry(base_url=running_twin.base_url, profile=hasty, chromium=chromium, evidence_bytes=50_000_000)
    yield registry
    registry.close()


@pytest.fixture
def session(registry: SiteRegistry, running_twin: TwinServer) -> Iterator[SiteSession]:
    session = registry.open_session(Credentials(AccountId(USER), USER, PASSWORD), lambda _: None)
    session.sign_in()
    yield session
    running_twin.faults.clear()
    session.close()


def members(trace: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(trace) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_trace_of_a_job_that_signed_in_again_holds_its_steps_and_no_secret(
    session: SiteSession, running_twin: TwinServer, tmp_path: Path
) -> None:
    cookies = [live.token for live in running_twin.twin.sessions._by_account.values()]
    running_twin.faults.set("expire_session", {"count": 1, "page": "search"})
    session.fill(INDEX)
    with pytest.raises(SessionExpired):
        session.submit(INDEX)
    session.sign_in()
    session.fill(INDEX)
    running_twin.faults.set("no_save_link", {"count": 1})
    session.submit(INDEX)
    cookies += [live.token for live in running_twin.twin.sessions._by_account.values()]
    with pytest.raises(DocumentError) as failed:
        session.save(tmp_path / "document.pdf")
    place = session.collect_evidence(tmp_path / "evidence", "job-1", failed.value)
    assert place is not None
    assert {path.name for path in place.iterdir()} == {f"job-1.{e}" for e in ("png", "html", "url.txt", "trace.zip")}
    kept = members(place / "job-1.trace.zip")
    assert any(b"selCircnFoncr" in content for name, content in kept.items() if name.endswith(".trace"))
    assert len(set(cookies)) == 2
    for name, content in [*kept.items(), *((p.name, p.read_bytes()) for p in place.iterdir())]:
        assert not [cookie for cookie in cookies if cookie.encode() in content], name
        assert not [written for written in WRITTEN if written in content], name
        assert b"txtVaCodeUtils" not in content, "nothing was recorded while the password was typed"
    assert session._cell is not None
    assert not list(session._cell.folders[0].rglob("*.zip")), "what was not yet clean is gone"


def test_a_trace_begins_with_its_job(session: SiteSession, running_twin: TwinServer, tmp_path: Path) -> None:
    other = DocumentRequest(Source.INDEX, "4 300 002", "Laval", "Cadastre du Québec")
    session.fill(other)
    session.submit(other)
    session.save(tmp_path / "other.pdf")
    session.fill(INDEX)
    error = DocumentError("made up")
    place = session.collect_evidence(tmp_path / "evidence", "job-2", error)
    assert place is not None
    steps = b"".join(c for name, c in members(place / "job-2.trace.zip").items() if name.endswith(".trace"))
    assert b"2784195" in steps
    assert b"4300002" not in steps, "a job that ended well leaves nothing"


def test_traces_nobody_wants_do_not_pile_up_on_the_disk(session: SiteSession) -> None:
    assert session._cell is not None
    folder, counts = session._cell.folders[0], list[int]()
    session.fill(INDEX)
    first = set(folder.rglob("*.trace"))  # among them what earlier sessions of this browser may have left
    for _ in range(4):
        session.fill(INDEX)
        counts.append(len(list(folder.rglob("*.trace"))))
    assert counts == [len(first)] * 4
    assert session.sign_out()
    session.close()
    assert len(list(folder.rglob("*.trace"))) == len(first) - 1


def test_a_trace_that_cannot_be_had_costs_no_other_evidence(
    session: SiteSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_: JobTrace, path: Path) -> bool:
        raise TimeoutError

    monkeypatch.setattr(JobTrace, "take", hangs)
    session.fill(INDEX)
    place = session.collect_evidence(tmp_path / "evidence", "job-3", DocumentError("made up"))
    assert place is not None
    assert {path.suffix for path in place.iterdir()} == {".png", ".html", ".txt"}


def test_the_evidence_stays_within_the_bytes_allowed(session: SiteSession, tmp_path: Path) -> None:
    session._evidence_bytes = 20_000
    session.fill(INDEX)
    for number in range(3):
        session.collect_evidence(tmp_path / "evidence", f"job-{number}", DocumentError("made up"))
    assert sum(f.stat().st_size for f in (tmp_path / "evidence").rglob("*") if f.is_file()) <= 20_000
