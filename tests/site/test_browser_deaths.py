"""What can happen to a session's browser, its driver or its program: each ends in its own error, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from registre.errors import (
    Aborted,
    BrowserFailed,
)
from registre.site.cell import Cell
from registre.site.profile import SiteProfile, load_profile
from registre.site.registry import SiteRegistry
from registre.site.scratch import sweep
from registre.site.session import SiteSession
from registre.twin.server import TwinServer
from tests.site.sessions import ACCOUNTS, INDEX, SLOW, browsers_of, in_thread, open_session
from tests.waiting import until


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
    until(lambda: cell.generation > generation, "its browser was not replaced")  # nobody need ask for it
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
    until(lambda: sum(twin.twin.traffic.paths.values()) > asked, "nothing was asked of the site")
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
    until(lambda: any(path.endswith("atent.asp") for path in twin.twin.traffic.paths), "the page was not asked for")
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
    until(
        lambda: not [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE],
        "a browser lives on",
    )
    sweep()
    assert not [folder for folder in folders if folder.exists()]
