"""Sessions on the twin, for the tests of what the site or the browser does to one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psutil

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin.config import demo_accounts

QUEBEC = "Cadastre du Québec"
ACCOUNTS = demo_accounts(3)
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", QUEBEC)
SLOW = DocumentRequest(Source.INDEX, "4 222 333", "Lévis", QUEBEC)


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


def browsers_of(pid: int) -> list[psutil.Process]:
    return [p for p in psutil.Process(pid).children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
