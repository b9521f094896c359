"""A session's life on the twin: how it idles, is kept, leaves, and changes its page, its context and its browser.

site.md 1: an expired session is one that ends on the login page · 6: the idle limit · 10: an idle session died.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.errors import Aborted, LayoutChanged, SessionExpired, SiteUnavailable
from registre.idleness import IdleEnd
from registre.inspection import inspect_pdf
from registre.site import host as host_module
from registre.site.chromium import find_chromium
from registre.site.processes import memory_of
from registre.site.profile import SiteProfile, load_profile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin import paths
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from tests.site.clock import Clock
from tests.waiting import until

QUEBEC = "Cadastre du Québec"
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", QUEBEC)
ACCOUNTS = demo_accounts(4)
INDEX_FORM = paths.FORMS[Source.INDEX]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def running_twin(clock: Clock) -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(dict(ACCOUNTS), loading_seconds=0.05, clock=clock.now)) as server:
        yield server


@pytest.fixture
def twin(running_twin: TwinServer) -> Iterator[TwinServer]:
    yield running_twin
    running_twin.faults.clear()


def with_session(profile: SiteProfile, **changes: Any) -> SiteProfile:
    return profile.model_copy(update={"session": profile.session.model_copy(update=changes)})


@pytest.fixture(scope="module")
def registry(running_twin: TwinServer, clock: Clock) -> Iterator[SiteRegistry]:
    """Two sessions a browser; a context serves three jobs or an hour."""
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    profile = with_session(load_profile(), jobs_per_context=3, context_age=3600.0, idle_limit=1200.0)
    registry = SiteRegistry(
        base_url=running_twin.base_url,
        profile=profile,
        chromium=chromium,
        sessions_per_cell=2,
        clock=clock.seconds,
    )
    yield registry
    registry.close()


def signed_in(registry: SiteRegistry, account: int = 0) -> SiteSession:
    username, password = ACCOUNTS[account]
    session = registry.open_session(Credentials(AccountId(username), username, password), lambda _: None)
    session.sign_in()
    return session


@pytest.fixture
def session(registry: SiteRegistry) -> Iterator[SiteSession]:
    session = signed_in(registry)
    yield session
    session.sign_out()
    session.close()


def asked(twin: TwinServer, path: str = INDEX_FORM) -> int:
    return twin.twin.traffic.paths[path]


def logins(twin: TwinServer) -> int:
    return sum(twin.twin.traffic.logins.values())


def live(twin: TwinServer) -> list[str]:
    return [account for account, _ in twin.twin.sessions.live()]


def roughly(seconds: float) -> Any:
    """What the clock was put forward by, and a little of real time."""
    return pytest.approx(seconds, abs=60)


# -- idling


def test_a_session_knows_how_long_it_idles_and_that_it_lived_through_it(session: SiteSession, clock: Clock) -> None:
    session.fill(INDEX)
    session.idle_end()
    clock.pass_time(1100)
    assert session.idle_seconds == roughly(1100)
    session.fill(INDEX)
    assert session.idle_end() == IdleEnd(roughly(1100), survived=True)
    assert session.idle_end() is None, "it is told once"
    assert session.idle_seconds < 60


def test_a_session_found_expired_on_its_first_page_tells_after_how_long(session: SiteSession, clock: Clock) -> None:
    clock.pass_time(1201)
    with pytest.raises(SessionExpired):
        session.fill(INDEX)
    assert session.idle_end() == IdleEnd(roughly(1201), survived=False)
    session.sign_in()
    session.fill(INDEX)


def test_a_session_that_expires_on_a_later_page_says_nothing_of_idleness(
    session: SiteSession, twin: TwinServer
) -> None:
    twin.faults.set("expire_session", {"count": 1, "page": "reload"})
    with pytest.raises(SessionExpired):
        session.fill(INDEX)
    assert session.idle_end() is None
    session.sign_in()


def test_keeping_alive_is_one_free_page_that_starts_the_sites_idle_clock_anew(
    session: SiteSession, clock: Clock, twin: TwinServer
) -> None:
    bill, before = len(twin.ledger()), asked(twin)
    for _ in range(3):
        clock.pass_time(1000)
        session.keep_alive()
        assert session.idle_end() == IdleEnd(roughly(1000), survived=True)
    assert asked(twin) == before + 3
    assert len(twin.ledger()) == bill
    session.fill(INDEX)


def test_a_session_that_died_before_it_was_kept_alive_says_so(session: SiteSession, clock: Clock) -> None:
    clock.pass_time(1300)
    with pytest.raises(SessionExpired):
        session.keep_alive()
    assert session.idle_end() == IdleEnd(roughly(1300), survived=False)
    session.sign_in()


def test_a_site_that_is_away_when_a_session_is_to_be_kept_says_nothing_of_idleness(
    session: SiteSession, twin: TwinServer
) -> None:
    twin.faults.set("maintenance", {"count": 1, "page": "form"})
    with pytest.raises(SiteUnavailable):
        session.keep_alive()
    assert session.idle_end() is None


def test_a_session_is_not_taken_for_kept_by_a_page_that_is_not_the_form(session: SiteSession, twin: TwinServer) -> None:
    twin.faults.set("renamed_field", "selCircnFoncr")
    with pytest.raises(LayoutChanged, match="did not open"):
        session.keep_alive()
    assert session.idle_end() is None


# -- leaving


def test_signing_out_ends_the_session_at_the_site_and_forgets_its_cookies(
    registry: SiteRegistry, twin: TwinServer
) -> None:
    session = signed_in(registry, 1)
    before = logins(twin)
    assert session.sign_out()
    session.close()
    assert ACCOUNTS[1][0] not in live(twin)
    assert twin.twin.report()["sign_outs"] == {**dict(twin.twin.traffic.sign_outs), ACCOUNTS[1][0]: 1}
    again = signed_in(registry, 1)
    assert logins(twin) == before + 1, "there was nothing to take up again"
    again.sign_out()
    again.close()


def test_a_session_signs_out_from_the_viewer_too(session: SiteSession, twin: TwinServer) -> None:
    session.fill(INDEX)
    session.submit(INDEX)
    assert session.sign_out()
    assert live(twin) == []


def test_signing_out_of_a_session_that_died_is_no_trouble(
    session: SiteSession, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.pass_time(1201)
    assert session.sign_out()
    assert session.idle_end() == IdleEnd(roughly(1201), survived=False)
    assert "not signed out" not in caplog.text


def test_a_session_closed_without_a_sign_out_is_taken_up_again(registry: SiteRegistry, twin: TwinServer) -> None:
    """As after an error: closing keeps the cookies."""
    signed_in(registry, 2).close()
    before = logins(twin)
    again = signed_in(registry, 2)
    assert logins(twin) == before
    again.sign_out()
    again.close()


def test_a_site_without_the_link_keeps_the_session_to_be_taken_up_again(
    registry: SiteRegistry, twin: TwinServer
) -> None:
    session = signed_in(registry, 2)
    twin.faults.set("maintenance", {"count": 1, "page": "form"})
    assert not session.sign_out()
    session.close()
    before = logins(twin)
    again = signed_in(registry, 2)
    assert logins(twin) == before
    again.sign_out()
    again.close()


def test_nothing_is_asked_of_the_site_after_an_interrupt(registry: SiteRegistry, twin: TwinServer) -> None:
    session = signed_in(registry, 1)
    session.interrupt()
    before = sum(twin.twin.traffic.paths.values())
    assert not session.sign_out()
    with pytest.raises(Aborted):
        session.keep_alive()
    assert sum(twin.twin.traffic.paths.values()) == before
    session.close()


# -- recycling


def test_a_context_is_replaced_after_so_many_jobs_with_its_cookies_and_never_within_a_job(
    session: SiteSession, twin: TwinServer, tmp_path: Path
) -> None:
    before, contexts = logins(twin), list[object]()
    for number in range(5):
        session.fill(INDEX)
        context = session._the_tab.page.context
        session.submit(INDEX)
        target = tmp_path / f"{number}.pdf"
        session.save(target)
        inspect_pdf(target, INDEX)
        assert session._the_tab.page.context is context
        contexts.append(context)
    assert [context is contexts[0] for context in contexts] == [True, True, True, False, False]
    assert contexts[3] is contexts[4]
    assert logins(twin) == before
    assert session._cell is not None
    assert session._cell.sessions == {session}


def test_a_context_is_replaced_when_it_is_old_and_its_idle_clock_goes_on(
    session: SiteSession, clock: Clock, twin: TwinServer
) -> None:
    session.fill(INDEX)
    context, before = session._the_tab.page.context, logins(twin)
    for _ in range(3):
        clock.pass_time(1100)
        session.keep_alive()
    assert session._the_tab.page.context is context
    clock.pass_time(500)
    session.idle_end()
    session.fill(INDEX)
    assert session._the_tab.page.context is not context
    assert session.idle_end() == IdleEnd(roughly(500), survived=True)
    assert logins(twin) == before


def test_a_context_that_cannot_be_replaced_is_used_further(
    session: SiteSession, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session.fill(INDEX)
    context = session._the_tab.page.context

    async def cannot(_: object) -> object:
        raise TimeoutError

    assert session._cell is not None
    monkeypatch.setattr(session._cell, "new_context", cannot)
    clock.pass_time(1100)
    session.keep_alive()
    clock.pass_time(1100)
    session.keep_alive()
    clock.pass_time(1100)
    session.keep_alive()
    clock.pass_time(400)
    session.fill(INDEX)
    assert session._the_tab.page.context is context
    assert "could not be replaced" in caplog.text


def test_a_browser_that_grew_too_large_ends_when_its_sessions_have_moved_and_no_other_is_touched(
    registry: SiteRegistry, twin: TwinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [signed_in(registry, account) for account in range(3)]
    before = logins(twin)
    large = next(s._cell for s in sessions if s._cell is not None and len(s._cell.sessions) == 2)
    inside, (outside,) = [s for s in sessions if s._cell is large], [s for s in sessions if s._cell is not large]
    other, page = outside._cell, outside._the_tab.page
    assert other is not None
    generation, pids = other.generation, dict(large.pids)

    def used(roots: Iterable[psutil.Process]) -> int:
        return 10**12 if {process.pid for process in roots} == set(pids.values()) else 1

    monkeypatch.setattr(host_module, "WEIGH_EVERY", 1)
    monkeypatch.setattr(host_module, "memory_of", used)
    for each in (inside[0], outside):
        each.fill(INDEX)
    until(lambda: large.retiring, "nobody saw how large it is")
    assert inside[0]._cell is large, "not within a job"
    for each in inside:
        each.fill(INDEX)
        assert each._cell is not large
    until(lambda: large not in registry.host.cells, "the empty browser was not closed")
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids.values()), "its processes were left")
    assert (outside._cell, other.generation, other.retiring) == (other, generation, False)
    assert outside._the_tab.page is page
    assert logins(twin) == before, "nobody signed in again"
    for each in sessions:
        each.fill(INDEX)
        assert each.sign_out()
        each.close()


def test_the_memory_of_a_browser_is_measured_with_all_it_started(session: SiteSession) -> None:
    assert session._cell is not None
    processes = session._cell.processes
    assert len(processes) == 2
    whole = memory_of(processes)
    assert 50_000_000 < whole < 3_000_000_000
    assert memory_of(processes[1:]) < whole, "the driver counts too"
    assert memory_of([]) == 0
