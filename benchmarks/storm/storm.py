"""One storm: orders worked on by the real fleet while the twin's weather changes, and a person mends what only a person can.

Invariant: whatever happens, no process is left, and the home is removed only when no law was broken.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from random import Random
from threading import Event
from typing import LiteralString

from benchmarks.crashes.books import Books, open_books
from benchmarks.crashes.law import Breach, Kind
from benchmarks.crashes.stage import Place, Stage
from benchmarks.crashes.workers import Worker
from benchmarks.storm.law import judge
from benchmarks.storm.person import Person
from benchmarks.storm.placing import place_orders
from benchmarks.storm.plan import make_plan
from benchmarks.storm.sky import Sky
from benchmarks.storm.tally import Tally
from registre.database.gateway import DirectGateway
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store
from tests.processes import environment, processes_of

SESSIONS = 4
LOOK_EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 240.0
"""Without one order coming to its end, or a purchase being settled: then the storm counts as stuck."""
DRAIN_SECONDS = 90
BUDGETS = {"operation": 4.0, "login": 12.0, "fill": 30.0, "viewer": 8.0, "download": 3.0}
"""Shorter than in life, so that a page that never comes costs seconds and not minutes."""

_COUNTS: LiteralString = """
    select (select count(*) from extraction_queue where status in ('Complété', 'Erreur')) as ended,
        (select count(*) from registre.purchases where settled_at is not null) as settled"""
_HASTEN: LiteralString = """
    with due as (update extraction_queue set next_attempt_at = now() where status = 'En attente' and not is_due
        and next_attempt_at > now() returning 1),
    breaker as (update registre.breaker set open_until = now() where open_until > now() + interval '1 second' returning 1)
    select pg_notify('registre_jobs', '') from (select from due union all select from breaker) x limit 1"""


@dataclass(slots=True)
class Outcome(Tally):
    """How a storm ended."""

    seed: int
    orders: int
    gusts: Counter[str] = field(default_factory=Counter)
    person: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    breaches: list[Breach] = field(default_factory=list)
    kept: Path | None = None


class Storm:
    """One storm. `perform` once."""

    def __init__(self, stage: Stage, place: Place, seed: int, orders: int, say: Callable[[str], None]) -> None:
        self._stage = stage
        self._place = place
        self._planned = make_plan(seed, orders)
        self._say = say
        self._folder = Path(tempfile.mkdtemp(prefix=f"registre-storm-{seed}-"))
        self._home = self._folder / "home"
        self._accounts = dict(itertools.chain.from_iterable(stage.accounts() for _ in range(SESSIONS // 2)))
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
            self._stage.twin.faults.clear()
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
        place_orders(self._planned, store, self._place.dsn)
        worker = Worker("never", self._stage.twin.base_url, self._settings(), self._folder / "worker.log")
        try:
            self._live(worker, store)
            self._stage.twin.faults.clear()
            code = worker.finish(DRAIN_SECONDS + 30)
            if code != 0:
                self._breach(Kind.OTHER, f"the drain ended with {code}")
        finally:
            worker.end()
        if left := processes_of(self._home):
            self._breach(Kind.OTHER, f"outlived the storm: {left}")
        self._outcome.breaches += judge(self._books(), self._planned)
        if "Traceback" in (self._folder / "worker.log").read_text("utf-8", "replace"):
            self._breach(Kind.OTHER, "a traceback in worker.log")

    def _settings(self) -> Mapping[str, str]:
        profile = self._home / "site.toml"
        profile.write_text(hasty_profile(), "utf-8")
        return environment(
            self._home,
            DATABASE_URL=self._place.dsn,
            REGISTRE_HOST="storm",
            REGISTRE_BUCKETS=str(self._folder / "buckets"),
            REGISTRE_CHROMIUM=str(self._stage.chromium),
            REGISTRE_SITE_PROFILE=str(profile),
            REGISTRE_VISIBILITY_SECONDS="6",
            REGISTRE_DRAIN_SECONDS=str(DRAIN_SECONDS),
        )

    # -- while it blows

    def _live(self, worker: Worker, store: Store) -> None:
        """Until every order has ended and no purchase is in doubt."""
        person = Person(store, self._place.read, self._books, self._accounts, Random(f"person/{self._outcome.seed}"))
        sky = Sky(self._stage.twin.faults, self._outcome.seed, person.note_calm)
        self._outcome.person, self._outcome.gusts = person.did, sky.blown
        moved_at, before = time.monotonic(), (-1, -1)
        while True:
            now = time.monotonic()
            [row] = self._place.read(_COUNTS)
            counts = (row["ended"], row["settled"])
            if counts != before:
                moved_at, before = now, counts
                self._say(f"{counts[0]} of {len(self._planned)} ended, {counts[1]} settled; {sky.name}")
            if worker.code is not None:
                self._breach(Kind.OTHER, f"the worker ended with {worker.code}")
                return
            if now > moved_at + PATIENCE_SECONDS:
                self._breach(Kind.STUCK, f"nothing came to an end for {PATIENCE_SECONDS:.0f} s")
                return
            if not person.mend(sky.weather) and counts[0] == len(self._planned):
                return
            sky.change(counts[0], now)
            self._place.write(_HASTEN)
            self._pause.wait(LOOK_EVERY_SECONDS)

    # -- the end

    def _books(self) -> Books:
        return open_books(
            self._place.read, self._stage.bill(set(self._accounts)), self._folder / "buckets", self._home / "spool"
        )

    def _breach(self, kind: Kind, sentence: str) -> None:
        self._outcome.breaches.append(Breach(kind, sentence))

    def _keep(self, books: Books) -> None:
        story = {
            name: getattr(books, name) for name in ("jobs", "purchases", "events", "attempts", "accounts", "gates")
        }
        story["bill"] = [asdict(line) for line in books.bill]
        story["breaches"] = [breach.sentence for breach in self._outcome.breaches]
        (self._folder / "story.json").write_text(json.dumps(story, indent=1, ensure_ascii=False, default=str), "utf-8")
        self._outcome.kept = self._folder


def hasty_profile() -> str:
    """The program's own profile with shorter budgets."""
    lines = files("registre.site").joinpath("foncier.toml").read_text("utf-8").splitlines()
    hasty: list[str] = []
    inside = False
    for line in lines:
        inside = line.startswith("[budgets]") if line.startswith("[") else inside
        name = line.split("=")[0].strip()
        hasty.append(f"{name} = {BUDGETS[name]}" if inside and name in BUDGETS else line)
    return "\n".join(hasty) + "\n"
