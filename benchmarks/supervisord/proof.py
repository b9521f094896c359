"""One proof: mixed orders on a host under supervisord, each of whose programs is killed once while they are bought.

Invariant: whatever happens, no process is left, and the folder is removed only when no law was broken.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, LiteralString

from benchmarks.crashes.books import Books, open_books
from benchmarks.crashes.law import Breach, Kind
from benchmarks.crashes.stage import Place, Stage
from benchmarks.storm.law import judge
from benchmarks.storm.person import Person
from benchmarks.storm.plan import make_plan
from benchmarks.storm.tally import Tally
from registre.database.gateway import DirectGateway
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store
from tests.processes import processes_of
from tests.redis_server import free_port, server
from tests.supervised import WITH_BROKER, Host
from tests.waiting import until

ACCOUNTS = 5
LOOK_EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 180.0
"""Without one order coming to its end: then the proof counts as stuck."""
DRAIN_SECONDS = 60

_COUNTS: LiteralString = """
    select (select count(*) from extraction_queue where status in ('Complété', 'Erreur')) as ended,
        (select count(*) from registre.purchases where state = 'ambiguous' and settled_at is null) as in_doubt,
        (select count(*) from registre.purchases where settled_at is not null) as settled"""


@dataclass(frozen=True, slots=True)
class Killing:
    """`after` so many orders had ended; `seconds` until supervisord had the program up again."""

    program: str
    after: int
    seconds: float


@dataclass(slots=True)
class Outcome(Tally):
    """How a proof ended. `person` counts what only a person could decide."""

    seed: int
    orders: int
    killings: list[Killing] = field(default_factory=list)
    person: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    breaches: list[Breach] = field(default_factory=list)
    kept: Path | None = None


def make_killings(seed: int, orders: int) -> list[tuple[str, int]]:
    """Each program once, and after how many orders; spread over the proof, in an order and at moments that the seed picks."""
    chance = Random(f"killings/{seed}")
    programs = chance.sample(WITH_BROKER, len(WITH_BROKER))
    span = orders * 0.8 / len(programs)
    return [(program, int(span * (i + chance.uniform(0.2, 1)))) for i, program in enumerate(programs)]


class Proof:
    """`perform` once."""

    def __init__(self, stage: Stage, place: Place, seed: int, orders: int, say: Callable[[str], None]) -> None:
        self._stage = stage
        self._place = place
        self._planned = make_plan(seed, orders)
        self._killings = make_killings(seed, orders)
        self._say = say
        self._folder = Path(tempfile.mkdtemp(prefix="rg-"))  # short, as the path of a socket must be
        self._home = self._folder / "home"
        self._accounts = dict(
            itertools.islice(itertools.chain.from_iterable(stage.accounts() for _ in range(ACCOUNTS)), ACCOUNTS)
        )
        self._pause = Event()
        self._outcome = Outcome(seed, orders)

    def perform(self) -> Outcome:
        outcome, began = self._outcome, time.monotonic()
        self._home.mkdir(mode=0o700)
        self._place.empty()
        try:
            with DirectGateway(self._place.dsn, pool_size=2) as gateway:
                self._play(make_store(gateway, LocalBuckets(self._folder / "buckets")))
        finally:
            outcome.seconds = time.monotonic() - began
            books = self._books()
            outcome.count(books)
            if outcome.breaches:
                self._keep(books)
            else:
                shutil.rmtree(self._folder, ignore_errors=True)
        return outcome

    def _play(self, store: Store) -> None:
        for username, password in self._accounts.items():
            store.accounts.add(username, password)
        store.queue.submit([planned.order for planned in self._planned])
        host = self._host()
        try:
            self._live(host, store)
        finally:
            host.close()
        for program in WITH_BROKER:
            if "Traceback" in host.log(program):
                self._breach(Kind.OTHER, f"a traceback in {program}.log")
        if left := processes_of(self._home):
            self._breach(Kind.OTHER, f"outlived the proof: {left}")
        self._outcome.breaches += judge(self._books(), self._planned)

    def _host(self) -> Host:
        return Host(
            self._home,
            "--with-redis",
            programs=WITH_BROKER,
            PATH=f"{server().parent}{os.pathsep}{os.environ['PATH']}",
            DATABASE_URL=self._place.dsn,
            REGISTRY_BASE_URL=self._stage.twin.base_url,
            REGISTRE_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0",
            REGISTRE_HOST="proof",
            REGISTRE_BUCKETS=str(self._folder / "buckets"),
            REGISTRE_CHROMIUM=str(self._stage.chromium),
            REGISTRE_MAX_SESSIONS=str(ACCOUNTS),
            REGISTRE_VISIBILITY_SECONDS="6",
            REGISTRE_DRAIN_SECONDS=str(DRAIN_SECONDS),
        )

    # -- while it works

    def _live(self, host: Host, store: Store) -> None:
        """Until every order has ended, every program was killed and is up again, and no purchase is in doubt."""
        moved_at, before = time.monotonic(), (-1, -1)
        killings = list(self._killings)
        # Only settles: with the site as it is, nothing else may ever need a person.
        person = Person(store, self._place.read, self._books, self._accounts, Random(f"person/{self._outcome.seed}"))
        self._outcome.person = person.did
        until(lambda: host.are_up_since({}), "the programs do not start")
        while True:
            [row] = self._place.read(_COUNTS)
            if (counts := (row["ended"], row["settled"])) != before:
                moved_at, before = time.monotonic(), counts
                self._say(f"{counts[0]} of {len(self._planned)} ended")
            if time.monotonic() > moved_at + PATIENCE_SECONDS:
                self._breach(Kind.STUCK, f"nothing came to an end for {PATIENCE_SECONDS:.0f} s")
                return
            if killings and row["ended"] >= killings[0][1]:
                self._kill(host, killings.pop(0)[0], row["ended"])
            elif row["in_doubt"]:
                person.settle_all()
            elif row["ended"] == len(self._planned) and not killings:
                return
            self._pause.wait(LOOK_EVERY_SECONDS)

    def _kill(self, host: Host, program: str, ended: int) -> None:
        began = time.monotonic()
        killed = {program: host.kill(program)}
        until(lambda: host.are_up_since(killed), f"{program} does not come back")
        self._outcome.killings.append(Killing(program, ended, time.monotonic() - began))

    # -- the end

    def _books(self) -> Books:
        return open_books(
            self._place.read, self._stage.bill(set(self._accounts)), self._folder / "buckets", self._home / "spool"
        )

    def _breach(self, kind: Kind, sentence: str) -> None:
        self._outcome.breaches.append(Breach(kind, sentence))

    def _keep(self, books: Books) -> None:
        story: dict[str, Any] = {
            name: getattr(books, name) for name in ("jobs", "purchases", "events", "attempts", "accounts", "gates")
        }
        story["bill"] = [asdict(line) for line in books.bill]
        story["breaches"] = [breach.sentence for breach in self._outcome.breaches]
        (self._folder / "story.json").write_text(json.dumps(story, indent=1, ensure_ascii=False, default=str), "utf-8")
        self._outcome.kept = self._folder
