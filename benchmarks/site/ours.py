"""Our side, in a process of its own: the worker as `registre up` runs it, on the database, spool and buckets of its home.

Its settings are the environment's, and orders reach it through the database, as any program's do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import cast

import pykka

from actors.browser import Browser
from actors.fleet import Fleet
from actors.messages import AskStatus, BrowserStatus
from benchmarks.queue import wire
from registre.account import AccountId, Credentials
from registre.log import configure
from registre.ports import RegistrySession, Step
from registre.settings import Settings
from registre.site.registry import SiteRegistry
from registre.wiring import open_registry, open_store
from tests.waiting import until

PATIENCE_SECONDS = 60.0


class Watched:
    """The registry, remembering whose each session is."""

    def __init__(self, registry: SiteRegistry) -> None:
        self._registry = registry
        self._accounts: dict[object, AccountId] = {}

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> RegistrySession:
        session = self._registry.open_session(credentials, on_step)
        self._accounts[session] = credentials.account_id
        return session

    @property
    def assumed_idle_limit(self) -> timedelta:
        return self._registry.assumed_idle_limit

    def close(self) -> None:
        self._registry.close()

    def cells(self) -> list[dict[str, object]]:
        """The browser's process and the accounts of each cell."""
        seats = dict(self._accounts)
        return [
            {
                "browser": cell.pids["browser"],
                "accounts": [seats[s] for s in cell.sessions if s in seats],
            }
            for cell in self._registry.host.cells
        ]


@contextmanager
def fleet() -> Iterator[Watched]:
    """Signed in: every session is idle."""
    settings = Settings(_env_file=None)
    configure("ERROR")
    with (
        open_store(settings) as store,
        open_registry(settings, store.forms, say=lambda line: print(line, file=sys.stderr)) as registry,
    ):
        watched = Watched(cast(SiteRegistry, registry))
        running = Fleet(settings, store, watched)
        running.start()
        try:
            until(
                lambda: states() == ["idle"] * settings.max_sessions,
                f"{settings.max_sessions} sessions did not become idle",
                PATIENCE_SECONDS,
            )
            yield watched
        finally:
            running.drain()


def states() -> list[str]:
    """What each browser says of itself."""
    said = []
    for ref in pykka.ActorRegistry.get_by_class(Browser):
        with suppress(pykka.ActorDeadError):
            said.append(cast(BrowserStatus, ref.ask(AskStatus(), timeout=PATIENCE_SECONDS)).state)
    return said


def main() -> int:
    wire.say(ready=True)
    commands = wire.commands()
    if next(commands, None) is None:
        return 0
    with fleet() as watched:
        wire.say(ready=True)
        for _ in commands:
            wire.say(cells=watched.cells())
    return 0


if __name__ == "__main__":
    sys.exit(main())
