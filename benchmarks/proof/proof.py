"""One proof: the whole product on one host, under supervisord, while every part of it is struck and the site has its weather.

Invariant: whatever happens, no process is left, and the home is removed only when no law was broken.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from typing import LiteralString

from benchmarks.crashes.books import Books, open_books
from benchmarks.crashes.law import Breach, Kind
from benchmarks.proof.blows import Blow, deal
from benchmarks.proof.clients import AHEAD, Clients
from benchmarks.proof.ground import SESSIONS, Ground, ground
from benchmarks.proof.strike import Striker
from benchmarks.proof.watch import Struck, Watch
from benchmarks.storm.law import judge
from benchmarks.storm.person import Person
from benchmarks.storm.placing import place_orders
from benchmarks.storm.plan import make_plan
from benchmarks.storm.sky import Sky
from benchmarks.storm.tally import Tally
from registre.errors import RegistreError

LOOK_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 300.0
"""Without one order coming to its end, or a purchase being settled: then the proof counts as stuck."""
QUIET_SHARE = 0.06
"""Of the orders over HTTP: the last ones are sent, and end, in peace: they show that the last blow is recovered from, and what
is left over."""

_COUNTS: LiteralString = """
    select (select count(*) from extraction_queue) as known,
        (select count(*) from extraction_queue where status in ('Complété', 'Erreur')) as ended,
        (select count(*) from registre.purchases where settled_at is not null) as settled"""
_HASTEN: LiteralString = """
    with due as (update extraction_queue set next_attempt_at = now() where status = 'En attente' and not is_due
        and next_attempt_at > now() returning 1),
    breaker as (update registre.breaker set open_until = now() where open_until > now() + interval '1 second' returning 1)
    select pg_notify('registre_jobs', '') from (select from due union all select from breaker) x limit 1"""


@dataclass(slots=True)
class Outcome(Tally):
    """How a proof ended; `progress` is (seconds, ended)."""

    seed: int
    orders: int
    through_api: int = 0
    struck: list[Struck] = field(default_factory=list)
    left_out: frozenset[Blow] = frozenset()
    gusts: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    person: Counter[str] = field(default_factory=Counter)
    progress: list[tuple[float, int]] = field(default_factory=list)
    seconds: float = 0.0
    breaches: list[Breach] = field(default_factory=list)
    kept: Path | None = None


class Proof:
    """One proof. `perform` once."""

    def __init__(self, seed: int, orders: int, say: Callable[[str], None]) -> None:
        self._planned = make_plan(seed, orders)
        self._seed = seed
        self._say = say
        self._pause = Event()
        self._outcome = Outcome(seed, orders)
        self._began = 0.0

    def perform(self) -> Outcome:
        outcome = self._outcome
        with ground(self._seed) as on:
            self._began = time.monotonic()
            try:
                self._play(on)
            finally:
                outcome.seconds = time.monotonic() - self._began
                on.close()
            books = self._books(on, final=True)
            outcome.breaches += judge(books, self._planned)
            outcome.breaches += self._orders_lost(books)
            for sentence in on.left_over():
                self._breach(Kind.OTHER, sentence)
            outcome.count(books)
            if outcome.breaches:
                self._keep(on, books)
        return outcome

    def _play(self, on: Ground) -> None:
        outcome = self._outcome
        straight = [planned for planned in self._planned if planned.straight]
        others = [planned for planned in self._planned if not planned.straight]
        early, through_api = others[: len(others) // 3], others[len(others) // 3 :]
        outcome.through_api = len(through_api)
        place_orders([*straight, *early], on.store, on.dsn)
        on.start()
        person = Person(on.store, on.line.read, lambda: self._books(on), on.accounts, Random(f"person/{self._seed}"))
        sky = Sky(on.twin.faults, self._seed, person.note_calm)
        outcome.person, outcome.gusts = person.did, sky.blown
        striker = Striker(on)
        outcome.left_out = striker.impossible
        self._clients = Clients(on.api_url, on.key, through_api, self._room)
        with ExitStack() as stack:
            stack.callback(sky.clear)
            self._clients.start()
            stack.callback(self._clients.stop)
            stack.callback(striker.lift_all)
            self._live(on, person, sky, striker)
        outcome.again = self._clients.again
        for sentence in self._clients.refused:
            self._breach(Kind.LOST, f"an order was refused: {sentence}")

    # -- while it blows

    _ended = 0
    _known = 0
    _is_calm = False

    def _room(self) -> int:
        """How many orders the clients may send now."""
        left = self._outcome.through_api - len(self._clients.acknowledged)
        if self._is_last(left) and not self._is_calm:
            return 0
        return AHEAD - (self._known - self._ended)

    def _is_last(self, left: int) -> bool:
        return left <= max(SESSIONS, self._outcome.through_api * QUIET_SHARE)

    def _live(self, on: Ground, person: Person, sky: Sky, striker: Striker) -> None:
        """Until every order has ended and no purchase is in doubt."""
        moved_at, before = time.monotonic(), (-1, -1)
        watch = Watch(deal(self._seed, striker.impossible), striker, on.recovered)
        self._outcome.struck = watch.struck
        while True:
            now = time.monotonic()
            [row] = on.line.read(_COUNTS)
            self._known, self._ended = row["known"], row["ended"]
            counts = (row["ended"], row["settled"])
            if counts != before:
                moved_at, before = now, counts
                self._outcome.progress.append((now - self._began, self._ended))
                self._say(
                    f"{self._ended} of {len(self._planned)} ended, {row['settled']} settled; {sky.name}; {watch.name}"
                )
            if now > moved_at + PATIENCE_SECONDS:
                self._breach(Kind.STUCK, f"nothing came to an end for {PATIENCE_SECONDS:.0f} s")
                return
            in_doubt = True
            with suppress(RegistreError):  # a person finds the database away, and comes again
                in_doubt = person.mend(sky.weather)
            over = self._clients.are_done and self._ended >= len(self._planned)
            if over and not in_doubt and watch.is_calm:
                return
            quiet = self._is_last(self._outcome.through_api - len(self._clients.acknowledged))
            if quiet:
                sky.clear()
            else:
                sky.change(self._ended, now)
            watch.go_on(now - self._began, quiet=quiet)
            self._is_calm = watch.is_calm or watch.is_waiting
            on.line.write(_HASTEN)
            self._pause.wait(LOOK_EVERY_SECONDS)

    # -- the end

    def _books(self, on: Ground, *, final: bool = False) -> Books:
        if final:
            on.bucket.copy_to(on.buckets)
        bill = [line for line in on.twin.ledger() if line.account in on.accounts]
        return open_books(on.line.read, bill, on.buckets, on.spool)

    def _orders_lost(self, books: Books) -> list[Breach]:
        """Every order is one row, and what was acknowledged is there."""
        found = []
        if len(books.jobs) != len(self._planned):
            kind = Kind.LOST if len(books.jobs) < len(self._planned) else Kind.TWICE
            found.append(Breach(kind, f"{len(self._planned)} orders were given, the table has {len(books.jobs)}"))
        ids = {job["id"] for job in books.jobs}
        answered = list(self._clients.acknowledged.values())
        if len(set(answered)) != len(answered):
            found.append(Breach(Kind.LOST, "two orders were acknowledged with one id"))
        found += [
            Breach(Kind.LOST, f"order {job} was acknowledged and is not in the table") for job in set(answered) - ids
        ]
        return found

    def _breach(self, kind: Kind, sentence: str) -> None:
        self._outcome.breaches.append(Breach(kind, sentence))

    def _keep(self, on: Ground, books: Books) -> None:
        names = ("jobs", "purchases", "events", "attempts", "accounts", "gates")
        story: dict[str, object] = {name: getattr(books, name) for name in names}
        story["bill"] = [asdict(line) for line in books.bill]
        story["breaches"] = [breach.sentence for breach in self._outcome.breaches]
        kept = on.keep()
        (kept / "story.json").write_text(json.dumps(story, indent=1, ensure_ascii=False, default=str), "utf-8")
        self._outcome.kept = kept
