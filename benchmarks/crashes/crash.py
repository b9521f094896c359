"""One run: its orders worked on by a worker that is killed as planned and started again, then by a person; judged twice.

Invariant: whatever happens, no process of the run is left, and its home is removed only when no law was broken.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.crashes.books import JOBS, Books, open_books
from benchmarks.crashes.law import Breach, Kind, judge, judge_deaths, waits_rightly
from benchmarks.crashes.person import Person
from benchmarks.crashes.plan import CAPPED, FEE_CENTS, Kill, Plan
from benchmarks.crashes.stage import Place, Stage
from benchmarks.crashes.workers import Worker
from registre.budget import Period
from registre.database.gateway import DirectGateway
from registre.gates import Scope
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store
from tests.faults.worker import DEATHS
from tests.processes import environment, processes_of

HOST = "crash"
VISIBILITY_SECONDS = 2
DRAIN_SECONDS = 60
KILLED = -9
PATIENCE_SECONDS = 240.0
LOOK_EVERY_SECONDS = 0.04
HASTEN_EVERY_SECONDS = 0.3
GONE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Hands:
    """What was in the hands of those who were killed, and when."""

    at: float
    jobs: frozenset[tuple[str, int]]
    spooled: frozenset[str]


@dataclass(slots=True)
class Outcome:
    """How a run ended."""

    plan: Plan
    killed: list[Kill] = field(default_factory=list)
    delivered: int = 0
    ambiguous: int = 0
    billed: int = 0
    seconds: float = 0.0
    recovered: float | None = None
    breaches: list[Breach] = field(default_factory=list)
    kept: Path | None = None


class Run:
    """One run of one plan. `perform` once."""

    def __init__(self, stage: Stage, place: Place, plan: Plan) -> None:
        self._stage = stage
        self._place = place
        self._plan = plan
        self._folder = Path(tempfile.mkdtemp(prefix=f"registre-crash-{plan.seed}-"))
        self._home = self._folder / "home"
        self._accounts = stage.accounts()
        self._outcome = Outcome(plan)
        self._lives = 0
        self._hands: Hands | None = None
        self._pause = Event()
        self._hastened = 0.0
        self._judgements = 0
        self._judged_deaths = 0

    def perform(self) -> Outcome:
        outcome, began = self._outcome, time.monotonic()
        self._home.mkdir(mode=0o700)
        self._place.empty()
        try:
            with DirectGateway(self._place.dsn, pool_size=2) as gateway:
                self._play(make_store(gateway, LocalBuckets(self._folder / "buckets")))
            if left := self._until_none_left(lambda: processes_of(self._home)):
                outcome.breaches.append(Breach(Kind.OTHER, f"outlived the run: {left}"))
        except Exception as error:
            outcome.breaches.append(Breach(Kind.OTHER, f"the run itself failed: {error!r}"))
            (self._folder / "failure.txt").write_text(traceback.format_exc(), "utf-8")
        finally:
            outcome.seconds = time.monotonic() - began
            if outcome.breaches:
                self._keep()
            else:
                shutil.rmtree(self._folder, ignore_errors=True)
        return outcome

    def _play(self, store: Store) -> None:
        outcome = self._outcome
        for username, password in self._accounts:
            store.accounts.add(username, password)
        store.treasury.set_budget(Scope.CLIENT, CAPPED, Period.DAY, FEE_CENTS, "a plan")
        store.queue.submit(self._plan.orders)
        person = Person(store, self._plan.decisions)
        for kills, death in lives_of(self._plan.kills):
            worker = self._start(death)
            try:
                if self._was_killed(worker, kills, death, person) and not outcome.breaches:
                    continue
            finally:
                worker.end()
            break
        if not outcome.breaches:
            self._judge_the_end(store)
        for log in sorted(self._folder.glob("worker-*.log")):
            if "Traceback" in log.read_text("utf-8", "replace"):
                self._breach(Kind.OTHER, f"a traceback in {log.name}")

    def _was_killed(self, worker: Worker, kills: Sequence[Kill], death: Kill | None, person: Person) -> bool:
        """One life of a worker: until nothing moves, until its person has nothing to decide, until it has drained; True when
        it was killed before. A breach ends it too."""
        if self._live(worker, kills, death):
            return True
        while True:
            self._judge(worker)
            if self._outcome.breaches:
                return False
            if not person.decide(self._books()):
                break
            if self._live(worker, (), death):
                return True
        code = worker.finish(DRAIN_SECONDS + 30)
        if code == KILLED and death is not None:
            self._note_kill(death, self._see_hands(time.monotonic()))
            return True
        if code != 0:
            self._breach(Kind.OTHER, f"the drain ended with {code}")
        return False

    def _start(self, death: Kill | None) -> Worker:
        self._lives += 1
        point = f"{death.point}:{death.nth}" if death and death.by_the_worker else "never"
        settings = environment(
            self._home,
            DATABASE_URL=self._place.dsn,
            REGISTRE_HOST=HOST,
            REGISTRE_BUCKETS=str(self._folder / "buckets"),
            REGISTRE_CHROMIUM=str(self._stage.chromium),
            REGISTRE_VISIBILITY_SECONDS=str(VISIBILITY_SECONDS),
            REGISTRE_DRAIN_SECONDS=str(DRAIN_SECONDS),
        )
        return Worker(point, self._stage.twin.base_url, settings, self._folder / f"worker-{self._lives}.log")

    # -- until it is killed, or nothing moves any more

    def _live(self, worker: Worker, kills: Sequence[Kill], death: Kill | None) -> bool:
        """True when the worker was killed; False when everything had come to its end, or to a person, before."""
        began = time.monotonic()
        timed = [kill for kill in (*kills, death) if kill is not None and not kill.by_the_worker]
        due: dict[Kill, float] = {}
        events = self._count_events()
        while time.monotonic() < began + PATIENCE_SECONDS:
            now = time.monotonic()
            if worker.code is not None:
                if worker.code != KILLED or death is None:
                    self._breach(Kind.OTHER, f"the worker ended with {worker.code}")
                else:
                    self._note_kill(death, self._see_hands(now))
                return True
            jobs = self._look()
            happened = self._count_events() - events if timed else 0
            for kill in [kill for kill in timed if happened >= kill.nth]:
                if now < due.setdefault(kill, now + kill.delay):
                    continue
                if self._kill(worker, kill):
                    timed.remove(kill)
                if kill is death:
                    return True
            if self._is_quiet(jobs):
                return False
            self._hasten(now)
            self._pause.wait(LOOK_EVERY_SECONDS)
        self._breach(Kind.STUCK, f"not everything came to an end within {PATIENCE_SECONDS:.0f} s")
        return False

    def _look(self) -> list[dict[str, Any]]:
        jobs = self._place.read(JOBS)
        hands = self._hands
        if hands is not None and self._outcome.recovered is None:
            held = {(job["id"], job["lease_token"]) for job in jobs if job["status"] == "En traitement"}
            if not hands.jobs & held and not hands.spooled & self._spooled():
                self._outcome.recovered = time.monotonic() - hands.at
        return jobs

    def _is_quiet(self, jobs: list[dict[str, Any]]) -> bool:
        """Every order ended, or only a person can let it go on."""
        if any(job["status"] == "En traitement" for job in jobs) or self._spooled():
            return False
        waiting = [job for job in jobs if job["status"] == "En attente"]
        if not waiting:
            return True
        books = self._books()
        return all(waits_rightly(books, job) for job in waiting)

    def _hasten(self, now: float) -> None:
        """Time passes: what waits until later may be leased now."""
        if now < self._hastened + HASTEN_EVERY_SECONDS:
            return
        self._hastened = now
        self._place.write(
            "with due as (update extraction_queue set next_attempt_at = now() where status = 'En attente' and not is_due "
            "and next_attempt_at > now() returning 1) select pg_notify('registre_jobs', '') from due limit 1"
        )

    def _kill(self, worker: Worker, kill: Kill) -> bool:
        """False when there is no such process now."""
        if kill.of_the_worker:
            worker.kill()
            self._note_kill(kill, self._see_hands(time.monotonic()))
            return True
        hands = self._see_hands(time.monotonic())  # before: the worker may answer at once
        if worker.kill_one(kill.point):
            self._note_kill(kill, hands)
            return True
        return False

    def _note_kill(self, kill: Kill, hands: Hands) -> None:
        self._outcome.killed.append(kill)
        if self._hands is None and (hands.jobs or hands.spooled):
            self._hands = hands

    def _count_events(self) -> int:
        [row] = self._place.read("select count(*) as n from registre.events where job_id is not null")
        return int(row["n"])

    def _see_hands(self, now: float) -> Hands:
        held = self._place.read("select id::text, lease_token from extraction_queue where status = 'En traitement'")
        return Hands(now, frozenset((row["id"], row["lease_token"]) for row in held), frozenset(self._spooled()))

    def _spooled(self) -> set[str]:
        """What waits for its delivery, or for the removal that follows it."""
        spool = self._home / "spool"
        return {
            entry.name for part in ("ready", "done") if (spool / part).is_dir() for entry in (spool / part).iterdir()
        }

    # -- the end

    def _judge(self, worker: Worker) -> None:
        """Nothing moves any more: does the law hold? Only then is what comes next worth a look."""
        outcome = self._outcome
        if left := self._until_none_left(lambda: self._strangers(worker)):
            self._breach(Kind.OTHER, f"outlived its worker: {left}")
        books = self._books()
        if not self._judgements:
            outcome.delivered, outcome.ambiguous, outcome.billed = books.delivered, books.ambiguous, len(books.bill)
        outcome.breaches += judge(books)
        outcome.breaches += judge_deaths(books, self._new_deaths(), decided=self._judgements > 0)
        self._judgements += 1

    def _strangers(self, worker: Worker) -> list[str]:
        """Processes of this home that are not the present worker's."""
        found = processes_of(self._home)
        ours = {process.pid for process in worker.below()} | {worker.pid}
        return [line for line in found if int(line.split()[0]) not in ours]

    def _judge_the_end(self, store: Store) -> None:
        """The worker has drained: nothing is under way, nothing is held, nothing waits."""
        books = self._books()
        self._outcome.breaches += judge(books)
        for job in books.jobs:
            if job["status"] == "En attente":
                self._breach(Kind.STUCK, f"{job['source']} {job['number']} waits after a person decided: {job['why']}")
        for account in store.accounts.all():
            if account.lease_owner is not None:
                self._breach(Kind.OTHER, f"{account.username} is still leased by {account.lease_owner}")

    def _new_deaths(self) -> list[tuple[str, str]]:
        """Point and subject of each worker that killed itself since the last judgement."""
        note = self._home / DEATHS
        deaths = [json.loads(line) for line in note.read_text("utf-8").splitlines()] if note.exists() else []
        new = deaths[self._judged_deaths :]
        self._judged_deaths = len(deaths)
        return [(death["point"], death["about"]) for death in new]

    def _until_none_left(self, look: Callable[[], list[str]]) -> list[str]:
        deadline = time.monotonic() + GONE_SECONDS
        while (left := look()) and time.monotonic() < deadline:
            self._pause.wait(0.1)
        return left

    def _read_logs(self) -> None:
        for log in sorted(self._folder.glob("worker-*.log")):
            if "Traceback" in log.read_text("utf-8", "replace"):
                self._breach(Kind.OTHER, f"a traceback in {log.name}")

    def _books(self) -> Books:
        bill = self._stage.bill({username for username, _ in self._accounts})
        return open_books(self._place.read, bill, self._folder / "buckets", self._home / "spool")

    def _breach(self, kind: Kind, sentence: str) -> None:
        self._outcome.breaches.append(Breach(kind, sentence))

    def _keep(self) -> None:
        """Everything a person needs to understand what happened, beside the home."""
        books = self._books()
        story = {
            name: getattr(books, name)
            for name in Books.__dataclass_fields__
            if name not in ("bill", "buckets", "spool")
        }
        story["bill"] = [asdict(line) for line in books.bill]
        story["plan"] = asdict(self._plan)
        story["killed"] = [asdict(kill) for kill in self._outcome.killed]
        story["breaches"] = [breach.sentence for breach in self._outcome.breaches]
        (self._folder / "story.json").write_text(json.dumps(story, indent=1, ensure_ascii=False, default=str), "utf-8")
        self._outcome.kept = self._folder


def lives_of(kills: Sequence[Kill]) -> list[tuple[list[Kill], Kill | None]]:
    """The lives of a run's workers: which of their processes are killed meanwhile, and how each dies; the last does not."""
    lives: list[tuple[list[Kill], Kill | None]] = []
    meanwhile: list[Kill] = []
    for kill in kills:
        if kill.of_the_worker:
            lives.append((meanwhile, kill))
            meanwhile = []
        else:
            meanwhile.append(kill)
    return [*lives, (meanwhile, None)]
