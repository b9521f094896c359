"""What the site or the browser can do to a session: each ends in its own error, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.errors import (
    Aborted,
    AccountError,
    BrowserFailed,
    DataError,
    DocumentError,
    ErrorKind,
    LayoutChanged,
    SessionExpired,
    SiteUnavailable,
)
from registre.site.cell import Cell
from registre.site.chromium import find_chromium
from registre.site.profile import SiteProfile, load_profile
from registre.site.registry import SiteRegistry
from registre.site.scratch import sweep
from registre.site.session import SiteSession
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer

QUEBEC = "Cadastre du Québec"
ACCOUNTS = demo_accounts(3)
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", QUEBEC)
SLOW = DocumentRequest(Source.INDEX, "4 222 333", "Lévis", QUEBEC)


@pytest.fixture(scope="module")
def chromium() -> Path:
    found = find_chromium(None)
    assert found is not None, "these tests need a Chromium"
    return found


@pytest.fixture(scope="module")
def running_twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(loading_seconds=0.05)) as server:
        yield server


@pytest.fixture
def twin(running_twin: TwinServer) -> Iterator[TwinServer]:
    yield running_twin
    running_twin.faults.clear()


@pytest.fixture(scope="module")
def hasty() -> SiteProfile:
    """The real profile, with little patience."""
    profile = load_profile()
    budgets = profile.budgets.model_copy(update={"operation": 3.0, "download": 2.0, "viewer": 4.0})
    return profile.model_copy(update={"budgets": budgets})


@pytest.fixture(scope="module")
def registry(running_twin: TwinServer, chromium: Path, hasty: SiteProfile) -> Iterator[SiteRegistry]:
    registry = SiteRegistry(base_url=running_twin.base_url, profile=hasty, chromium=chromium, sessions_per_cell=2)
    yield registry
    registry.close()


@pytest.fixture
def session(registry: SiteRegistry) -> Iterator[SiteSession]:
    session = open_session(registry)
    session.sign_in()
    yield session
    session.close()


def credentials(account: int = 0, password: str | None = None) -> Credentials:
    username, right = ACCOUNTS[account]
    return Credentials(AccountId(f"account-{account}"), username, password or right)


def open_session(registry: SiteRegistry, account: int = 0, password: str | None = None) -> SiteSession:
    return registry.open_session(credentials(account, password), lambda _: None)


def in_thread(work: Callable[[], object]) -> Callable[[], BaseException | None]:
    """Start `work`; the returned call waits for it and gives what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def outcome() -> BaseException | None:
        thread.join(30)
        assert not thread.is_alive(), "the call never returned"
        return raised[0] if raised else None

    return outcome


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        threading.Event().wait(0.02)


def browsers_of(pid: int) -> list[psutil.Process]:
    return [p for p in psutil.Process(pid).children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


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


# -- the browser ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["browser", "driver"])
def test_a_killed_browser_or_driver_costs_its_cell_only_and_is_replaced(
    victim: str, registry: SiteRegistry, twin: TwinServer
) -> None:
    sessions = [open_session(registry, i) for i in range(3)]
    for each in sessions:
        each.sign_in()
    hit, cell = sessions[0], sessions[0]._cell
    spared = next(each for each in sessions if each._cell is not cell)
    logins = dict(twin.twin.traffic.logins)
    assert cell is not None
    driver, generation = cell.pids["driver"], cell.generation
    os.kill(cell.pids[victim], signal.SIGKILL)
    with pytest.raises(BrowserFailed):
        hit.fill(INDEX)
    spared.fill(INDEX)
    until(lambda: cell.generation > generation)  # nobody need ask for it
    assert (cell.pids["driver"] == driver) is (victim == "browser"), "the driver outlives its browser"
    hit.close()
    again = open_session(registry, 0)
    again.sign_in()
    again.fill(INDEX)
    assert dict(twin.twin.traffic.logins) == logins, "the session was taken up again without a new login"
    for each in (again, *sessions):
        each.close()
    assert len(registry.host.cells) == 2
    for each_cell in registry.host.cells:
        assert set(each_cell.pids) == {"driver", "browser"}
        assert not each_cell.sessions


@pytest.mark.parametrize("victim", ["browser", "driver"])
def test_a_submission_whose_browser_or_driver_dies_ends_at_once(
    victim: str, running_twin: TwinServer, twin: TwinServer, chromium: Path
) -> None:
    """The answer to a click is waited for as an event, for minutes; no event of a dead driver comes."""
    registry = SiteRegistry(base_url=running_twin.base_url, profile=load_profile(), chromium=chromium)
    session = open_session(registry)
    session.sign_in()
    session.fill(INDEX)
    assert session._cell is not None
    asked = sum(twin.twin.traffic.paths.values())
    twin.faults.set("latency_ms", 60_000)
    outcome = in_thread(lambda: session.submit(INDEX))
    until(lambda: sum(twin.twin.traffic.paths.values()) > asked)
    os.kill(session._cell.pids[victim], signal.SIGKILL)
    assert isinstance(outcome(), BrowserFailed)
    twin.faults.clear()
    session.close()
    registry.close()


def test_a_driver_that_dies_while_it_starts_is_a_browser_failure(
    registry: SiteRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying:
        async def start(self) -> None:
            raise Exception("Connection closed while reading from the driver")  # noqa: TRY002 - Playwright's own class

    cell = Cell(registry.host._chromium, registry.host._profile, registry.host._reach, asyncio.Lock())
    monkeypatch.setattr("registre.site.cell.async_playwright", Dying)
    with pytest.raises(BrowserFailed, match="Connection closed while reading"):
        asyncio.run(cell.start())


def test_a_stopped_browser_is_not_taken_for_a_slow_site_and_is_replaced(registry: SiteRegistry) -> None:
    session = open_session(registry)
    session.sign_in()
    assert session._cell is not None
    stopped = session._cell.pids["browser"]
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(BrowserFailed):
        session.fill(INDEX)
    session.close()
    again = open_session(registry)
    again.sign_in()
    again.fill(INDEX)
    again.close()
    assert not psutil.pid_exists(stopped) or psutil.Process(stopped).status() == psutil.STATUS_ZOMBIE


def test_an_interrupt_ends_the_call_under_way_and_every_later_one(registry: SiteRegistry, twin: TwinServer) -> None:
    session = open_session(registry)
    session.sign_in()
    session.fill(SLOW)
    outcome = in_thread(lambda: session.submit(SLOW))
    until(lambda: any(path.endswith("atent.asp") for path in twin.twin.traffic.paths))
    started = time.monotonic()
    session.interrupt()
    assert isinstance(outcome(), Aborted)
    assert time.monotonic() - started < 1
    with pytest.raises(Aborted):
        session.fill(INDEX)
    session.close()


def test_a_closed_session_says_so_and_closing_twice_is_fine(session: SiteSession, tmp_path: Path) -> None:
    session.close()
    session.close()
    with pytest.raises(BrowserFailed, match="closed"):
        session.fill(INDEX)
    assert session.collect_evidence(tmp_path, "closed", Exception()) is None


def test_a_chromium_that_is_not_there_is_a_browser_failure_and_leaves_nothing(
    running_twin: TwinServer, hasty: SiteProfile, tmp_path: Path
) -> None:
    before = {p.pid for p in browsers_of(os.getpid())}
    registry = SiteRegistry(base_url=running_twin.base_url, profile=hasty, chromium=tmp_path / "chromium")
    with pytest.raises(BrowserFailed, match="No browser could be started"):
        open_session(registry)
    registry.close()
    assert {p.pid for p in browsers_of(os.getpid())} <= before


def test_closing_the_registry_ends_calls_and_processes_and_leaves_no_file(
    running_twin: TwinServer, chromium: Path, hasty: SiteProfile
) -> None:
    registry = SiteRegistry(base_url=running_twin.base_url, profile=hasty, chromium=chromium)
    session = open_session(registry, 2)
    session.sign_in()
    session.fill(SLOW)
    (cell,) = registry.host.cells
    started = [psutil.Process(pid) for pid in cell.pids.values()]
    started += [child for process in started for child in process.children(recursive=True)]
    folders = [folder for folder in cell.folders if folder.exists()]
    assert folders
    outcome = in_thread(lambda: session.submit(SLOW))
    registry.close()
    registry.close()
    assert isinstance(outcome(), Aborted)
    assert not [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not [folder for folder in folders if folder.exists()]
    with pytest.raises(BrowserFailed, match="closed"):
        open_session(registry)


CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    from registre.account import AccountId, Credentials
    from registre.site.profile import load_profile
    from registre.site.registry import SiteRegistry
    registry = SiteRegistry(base_url=sys.argv[1], profile=load_profile(), chromium=Path(sys.argv[2]))
    session = registry.open_session(Credentials(AccountId("a"), sys.argv[3], sys.argv[4]), lambda _: None)
    session.sign_in()
    print("ready", flush=True)
    sys.stdin.readline()
    session.close()
    registry.close()
    print("closed", flush=True)
""")


@pytest.fixture
def child(running_twin: TwinServer, chromium: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a signed-in session, in a process group of its own."""
    arguments = [running_twin.base_url, str(chromium), *ACCOUNTS[2]]
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_ctrl_c_leaves_the_browser_to_the_program(child: subprocess.Popen[str]) -> None:
    (driver,) = psutil.Process(child.pid).children()
    driver.send_signal(signal.SIGINT)
    child.communicate("go on\n", timeout=30)
    assert child.returncode == 0


def test_no_browser_outlives_a_python_that_is_killed(child: subprocess.Popen[str]) -> None:
    started = browsers_of(child.pid)
    profiles = [argument for p in started for argument in p.cmdline() if argument.startswith("--user-data-dir=")]
    folders = [Path(profile.partition("=")[2]) for profile in profiles]
    assert len(started) > 2
    assert [folder for folder in folders if folder.exists()]
    child.kill()
    child.wait()
    until(lambda: not [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])
    sweep()
    assert not [folder for folder in folders if folder.exists()]
