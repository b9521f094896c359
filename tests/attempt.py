"""One attempt at one job with all that it works with, each of which notes when it was called and may fail then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from registre import fate
from registre.account import AccountId
from registre.document import DocumentRequest, Source
from registre.errors import (
    Aborted,
    ErrorKind,
)
from registre.extraction import Ended, Extraction, Means, Outcome
from registre.idleness import IdleEnd
from registre.job import JobId, Lease, LeaseToken, Order, Renewal, Settlement
from registre.ledger import Delivery, Intent, LedgerLine, PurchaseId, SecuredFile, Verdict
from registre.ports import FilledForm, Step, ViewerReached
from registre.sentences import Heard, Sentence
from registre.spool import Spool, SpoolEntry
from tests.fakes import document_of

LOT = DocumentRequest(Source.INDEX, "2784195", "Montréal", "Cadastre du Québec")
DOCUMENT = document_of("2784195")
NOW = datetime(2026, 3, 2, tzinfo=UTC)

Effect = Exception | Callable[[], None]


class Script:
    """Everything that was called, in order, and what is to happen at a call: each effect once, in its turn."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._effects: dict[str, list[Effect | None]] = {}

    def at(self, call: str, *effects: Effect | None) -> None:
        self._effects.setdefault(call, []).extend(effects)

    def happens(self, call: str) -> None:
        self.calls.append(call)
        effects = self._effects.get(call, [])
        effect = effects.pop(0) if effects else None
        if isinstance(effect, Exception):
            raise effect
        if effect is not None:
            effect()

    def count(self, call: str) -> int:
        return self.calls.count(call)

    def before(self, first: str, second: str) -> bool:
        return self.calls.index(first) < self.calls.index(second)


class NotedQueue:
    """A queue of one job that notes how its lease ended."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.ended: list[tuple[str, object]] = []
        self.evidence: list[str] = []

    def _end(self, how: str, detail: object) -> None:
        self._script.happens(how)
        self.ended.append((how, detail))

    def release(self, lease: Lease, message: str) -> None:
        self._end("release", message)

    def snooze(
        self, lease: Lease, delay: timedelta, message: str, *, kind: ErrorKind | None = None, rescued: bool = False
    ) -> None:
        self._end("snooze", kind or rescued)

    def retry(self, lease: Lease, kind: ErrorKind, message: str, delay: timedelta) -> None:
        self._end("retry", kind)

    def fail(self, lease: Lease, kind: ErrorKind, message: str, *, needs_review: bool = False) -> None:
        self._end("fail", kind)

    def submit(self, orders: Sequence[Order]) -> list[JobId]:
        raise NotImplementedError

    def lease_next(self, owner: str, seats: object, visibility: timedelta) -> list[Lease]:
        raise NotImplementedError

    def renew(self, owner: str, jobs: object, seats: object, visibility: timedelta) -> Renewal:
        raise NotImplementedError

    def note_step(self, lease: Lease, step: str) -> None:
        raise NotImplementedError

    def note_evidence(self, lease: Lease, place: str) -> None:
        self.evidence.append(place)

    def reclaim(self, *_: object, limit: int = 100) -> list[tuple[JobId, str]]:
        raise NotImplementedError

    def requeue(self, job_id: JobId, author: str) -> None:
        raise NotImplementedError

    def cancel(self, job_id: JobId, author: str) -> str:
        raise NotImplementedError

    def settle(self, job_id: JobId, decision: Settlement, author: str, *, billed: bool = True) -> None:
        raise NotImplementedError

    def listen(self, ring: object) -> Callable[[], None]:
        raise NotImplementedError


class NotedLedger:
    """A ledger that grants every intent, unless a test says otherwise, and notes what it is told."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.verdict = Verdict.GRANTED
        self.opened = 0
        self.notes: list[str] = []
        self.reasons: list[str] = []

    def intend(self, lease: Lease, host: str) -> Intent:
        self._script.happens("intend")
        if self.verdict is not Verdict.GRANTED:
            return Intent(self.verdict, None, None)
        self.opened += 1
        return Intent(Verdict.GRANTED, PurchaseId(f"purchase-{self.opened}"), NOW)

    def void(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        assert purchase == f"purchase-{self.opened}"
        self._script.happens("void")

    def charge(self, purchase: PurchaseId, lease: Lease, notes: Sequence[str]) -> None:
        self.notes += notes
        self._script.happens("charge")

    def secure(self, purchase: PurchaseId, file: SecuredFile) -> None:
        assert purchase == f"purchase-{self.opened}"
        self._script.happens("secure")

    def mark_ambiguous(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        assert purchase == f"purchase-{self.opened}"
        self.reasons.append(reason)
        self._script.happens("ambiguous")

    def lose(self, purchase: PurchaseId, reason: str) -> None:
        raise NotImplementedError

    def note_undelivered(self, purchase: PurchaseId, reason: str) -> None:
        raise AssertionError("an attempt delivers nothing")

    def deliver(self, delivery: Delivery) -> str:
        raise NotImplementedError

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        raise NotImplementedError

    def lines(self, job_id: object = None) -> list[LedgerLine]:
        raise NotImplementedError


class NotedSession:
    """A session that does what the script says; `saves` are the contents of the files it saves, the last one for ever."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.saves = [DOCUMENT]
        self.interrupted = False

    def _at(self, call: str) -> None:
        self._script.happens(call)
        if self.interrupted:
            raise Aborted("The work was interrupted.")

    def sign_in(self) -> None:
        self._at("sign_in")

    def fill(self, request: DocumentRequest) -> FilledForm:
        self._at("fill")
        return FilledForm(request.number_normalized, None, None, None, None)

    def submit(self, request: DocumentRequest) -> ViewerReached:
        self._at("submit")
        return ViewerReached(("Lot inactif",))

    def save(self, target: Path) -> None:
        self._at("save")
        target.write_bytes(self.saves.pop(0) if len(self.saves) > 1 else self.saves[0])

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        self._script.happens("evidence")
        return folder / label

    @property
    def idle_seconds(self) -> float:
        raise AssertionError("its browser cares for an idle session")

    def idle_end(self) -> IdleEnd | None:
        raise AssertionError("its browser cares for an idle session")

    def keep_alive(self) -> None:
        raise AssertionError("its browser cares for an idle session")

    def sign_out(self) -> bool:
        raise AssertionError("its browser cares for an idle session")

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        raise AssertionError("its browser closes a session")


class NotedSpool(Spool):
    """The real spool, which also notes what it does."""

    script: Script

    def begin(self, purchase_id: PurchaseId, request: DocumentRequest, intended_at: datetime) -> Path:
        self.script.happens("begin")
        return super().begin(purchase_id, request, intended_at)

    full_for = 0
    """So many looks find the disk full."""

    def has_room(self) -> bool:
        self.full_for -= 1
        return self.full_for < 0 and super().has_room()

    def keep(self, purchase_id: PurchaseId, file: SecuredFile) -> SpoolEntry:
        self.script.happens("keep")
        return super().keep(purchase_id, file)

    def hold(self, purchase_id: PurchaseId) -> Path:
        self.script.happens("hold")
        return super().hold(purchase_id)


class NotedSentences:
    """Notes what it is given to keep."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.heard: list[tuple[Heard, JobId | None]] = []

    def note(self, heard: Heard, job_id: JobId | None) -> None:
        self._script.happens("note")
        self.heard.append((heard, job_id))

    def all(self, *, review: bool = False, frequent: bool = False, limit: int = 100) -> list[Sentence]:
        raise NotImplementedError


class Attempt:
    """One attempt, with all that it works with."""

    def __init__(self, folder: Path) -> None:
        self.script = Script()
        self.queue = NotedQueue(self.script)
        self.ledger = NotedLedger(self.script)
        self.session = NotedSession(self.script)
        self.sentences = NotedSentences(self.script)
        self.spool = NotedSpool(folder / "spool")
        self.spool.script = self.script
        self.spool.prepare()
        self.request = LOT
        self.steps: list[Step] = []
        self.extraction: Extraction | None = None

    def make(self) -> Extraction:
        means = Means(self.queue, self.ledger, self.spool, "host-a", Path("evidence"), self.sentences)
        lease = Lease(
            JobId("job"), LeaseToken(3), "host-a/1", AccountId("a"), NOW + timedelta(minutes=1), 1, 3, self.request
        )
        self.extraction = Extraction(means, lease, self.session, self.steps.append)
        return self.extraction

    def run(self) -> Outcome:
        return (self.extraction or self.make()).run()

    def ends(self) -> fate.Fate:
        outcome = self.run()
        assert isinstance(outcome, Ended)
        return outcome.fate
