"""The two sides as a run sees them: opened with so many sessions, given documents to fetch, looked at, closed.

Invariant: a number is given out only after the twin's own bill says that this side bought exactly what it was asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, Protocol

import httpx
import psycopg
from psycopg.rows import dict_row

from benchmarks.queue.wire import Child, ChildFailed, children
from benchmarks.site.mixture import Wish
from benchmarks.site.tree import Tree, Used
from registre.cli.serve import running_twin
from registre.database.server import read_address
from registre.job import JobId, Order
from registre.settings import Settings
from registre.site.chromium import ensure_chromium
from registre.site.profile import load_profile
from registre.twin.config import demo_accounts
from registre.wiring import Store, open_store

ACCOUNTS = 20
LOOK_EVERY_SECONDS = 0.1
DOCUMENT_SECONDS = 60.0
"""So long without the end of any document, and a side counts as stuck."""


@dataclass(frozen=True, slots=True)
class Work:
    """So many documents, all of them delivered, in `seconds`, for `processor` seconds of each part."""

    documents: int
    seconds: float
    processor: Used

    @property
    def a_minute(self) -> float:
        return 60 * self.documents / self.seconds


class Twin:
    """The twin's own door."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._admin = httpx.Client(base_url=base_url.split("/Sirf/", maxsplit=1)[0] + "/_twin/")

    def wait_before_each_page(self, milliseconds: int) -> None:
        """And no loading page: what it lasts would be the twin's time, not a side's."""
        self._ask("POST", "faults", {"latency_ms": milliseconds or None, "loading_seconds": 0})

    def billed(self) -> int:
        return len(self._ask("GET", "ledger"))

    def _ask(self, method: str, path: str, content: Any = None) -> Any:
        answer = self._admin.request(method, path, json=content)
        answer.raise_for_status()
        return answer.json()

    def close(self) -> None:
        self._admin.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """What one run has: a twin, a Chromium, and our home with its database running."""

    twin: Twin
    chromium: Path
    home: Path
    store: Store
    connection: psycopg.Connection[dict[str, Any]]
    keeper: int
    version: str

    def read(self, statement: LiteralString, **values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(statement, values).fetchall()


@contextmanager
def stage(home: Path) -> Iterator[Stage]:
    """The settings of our side are put into this process's environment, which its children inherit."""
    chromium = ensure_chromium(os.environ.get("REGISTRE_CHROMIUM"), say=lambda line: print(line, file=sys.stderr))
    for name in [name for name in os.environ if name.startswith(("REGISTRE_", "REGISTRY_"))]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    with ExitStack() as stack:
        base_url = stack.enter_context(running_twin(home / "twin.jsonl", accounts=ACCOUNTS))
        twin = Twin(base_url)
        stack.callback(twin.close)
        os.environ |= {
            "REGISTRE_HOME": str(home),
            "REGISTRE_HOST": "bench",
            "REGISTRE_CHROMIUM": str(chromium),
            "REGISTRY_BASE_URL": base_url,
        }
        store = stack.enter_context(open_store(Settings(_env_file=None)))
        address = read_address(home)
        assert address is not None
        for username, password in demo_accounts(ACCOUNTS):
            store.accounts.add(username, password)
        store.gates.set_rule("pace_seconds", 0, "bench")
        connection = stack.enter_context(psycopg.connect(address.dsn, autocommit=True, row_factory=dict_row))
        told = subprocess.run([str(chromium), "--version"], capture_output=True, text=True, check=True).stdout.strip()
        yield Stage(twin, chromium, home, store, connection, address.keeper_pid, told)


class Side(Protocol):
    """One side, signed in."""

    tree: Tree

    def work(self, wishes: Sequence[Wish]) -> Work:
        """Fetch these, with all sessions. ChildFailed when one of them is not bought exactly once."""


class Ours:
    def __init__(self, stage: Stage, child: Child) -> None:
        self._stage = stage
        self.child = child
        self.tree = Tree(child.pid, stage.keeper)

    def work(self, wishes: Sequence[Wish]) -> Work:
        with _checked(self._stage.twin, len(wishes)):
            before, began = self.tree.seconds(), time.time()
            ids = self._stage.store.queue.submit([Order(wish.request, client="bench") for wish in wishes])
            ended = self._await(ids)
            return Work(len(wishes), ended - began, self.tree.seconds() - before)

    def _await(self, ids: Sequence[JobId]) -> float:
        """When the last of them was closed, by the database, whose clock is this machine's."""
        done, moved = -1, time.monotonic()
        while True:
            [row] = self._stage.read(
                "select count(*) filter (where status = 'Complété') as done, max(finished_at) as last, "
                "min(title_of) filter (where status = 'Erreur') as failed from (select status, finished_at, "
                "document_source || ' ' || document_number || ': ' || error_message as title_of "
                "from extraction_queue where id = any(%(ids)s::uuid[])) q",
                ids=list(ids),
            )
            if row["failed"]:
                raise ChildFailed(f"ours did not deliver {row['failed']}")
            if row["done"] == len(ids):
                return float(row["last"].timestamp())
            if row["done"] != done:
                done, moved = row["done"], time.monotonic()
            if time.monotonic() - moved > DOCUMENT_SECONDS:
                raise ChildFailed(f"ours delivered {done} of {len(ids)} and no more")
            time.sleep(LOOK_EVERY_SECONDS)


class Bare:
    def __init__(self, stage: Stage, child: Child) -> None:
        self._stage = stage
        self._child = child
        self.tree = Tree(child.pid)

    def work(self, wishes: Sequence[Wish]) -> Work:
        with _checked(self._stage.twin, len(wishes)):
            before = self.tree.seconds()
            self._child.tell("work", wishes=[wish.for_the_wire() for wish in wishes])
            answer = self._child.hear(DOCUMENT_SECONDS + DOCUMENT_SECONDS * len(wishes) / 10)
            return Work(len(wishes), float(answer["seconds"]), self.tree.seconds() - before)


@contextmanager
def _checked(twin: Twin, documents: int) -> Iterator[None]:
    before = twin.billed()
    yield
    if (billed := twin.billed() - before) != documents:
        raise ChildFailed(f"{documents} documents were asked for and {billed} were billed")


@contextmanager
def open_ours(stage: Stage, sessions: int) -> Iterator[Ours]:
    os.environ["REGISTRE_MAX_SESSIONS"] = str(sessions)
    with children(lambda: Child(Path(sys.executable), "benchmarks.site.ours", "", "")) as (child,):
        child.tell("open")
        child.hear(DOCUMENT_SECONDS)
        yield Ours(stage, child)


@contextmanager
def open_bare(stage: Stage, sessions: int) -> Iterator[Bare]:
    folder = stage.home / "bare"
    folder.mkdir(exist_ok=True)
    settings: Mapping[str, Any] = {
        "base_url": stage.twin.base_url,
        "accounts": demo_accounts(sessions),
        "chromium": str(stage.chromium),
        "arguments": list(load_profile().browser.arguments),
    }
    with children(lambda: Child(Path(sys.executable), "benchmarks.site.bare", str(folder), "")) as (child,):
        child.tell("open", **settings)
        child.hear(DOCUMENT_SECONDS)
        yield Bare(stage, child)


SIDES: Mapping[str, Callable[[Stage, int], AbstractContextManager[Side]]] = {"ours": open_ours, "bare": open_bare}
