"""From the spool to the closed row: every step may be repeated, and what cannot be delivered stops its job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registre.delivery import Deliverer
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable, NotFound, Refused, RegistreError, StoreUnavailable
from registre.inspection import inspect_pdf
from registre.job import Lease
from registre.ledger import Delivery, Intent, LedgerLine, PurchaseId, SecuredFile
from registre.spool import Spool
from registre.storage.local import LocalBuckets
from tests.fakes import document_of

LOT = DocumentRequest(Source.INDEX, "2784195", "Montréal", "Cadastre du Québec")
AT = datetime(2026, 3, 2, tzinfo=UTC)
KEY = LOT.object_key(AT)
P1 = PurchaseId("11111111-aaaa")
DOCUMENT = document_of("2784195")
SHA = hashlib.sha256(DOCUMENT).hexdigest()


class NotedLedger:
    """Notes what it is told, and breaks where a test says."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.breaks: dict[str, RegistreError] = {}

    def _note(self, what: str, detail: str) -> None:
        if what in self.breaks:
            raise self.breaks[what]
        self.told.append((what, detail))

    def secure(self, purchase: PurchaseId, file: SecuredFile) -> None:
        assert purchase == P1
        self._note("secure", file.sha256)

    def lose(self, purchase: PurchaseId, reason: str) -> None:
        assert purchase == P1
        self._note("lose", reason)

    def note_undelivered(self, purchase: PurchaseId, reason: str) -> None:
        assert purchase == P1
        self._note("undelivered", reason)

    def deliver(self, delivery: Delivery) -> str:
        assert (delivery.purchase_id, delivery.sha256) == (P1, SHA)
        self._note("deliver", f"{delivery.bucket}/{delivery.object_key}")
        return "completed" if self.told.count(self.told[-1]) == 1 else "repeated"

    def intend(self, lease: Lease, host: str) -> Intent:
        raise AssertionError("a deliverer buys nothing")

    def void(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        raise AssertionError("a deliverer voids nothing")

    def charge(self, purchase: PurchaseId, lease: Lease, notes: object) -> None:
        raise AssertionError("a deliverer charges nothing")

    def mark_ambiguous(self, purchase: PurchaseId, lease: Lease, reason: str) -> None:
        raise AssertionError("a deliverer holds no lease")

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        raise NotImplementedError

    def lines(self, job_id: object = None) -> list[LedgerLine]:
        return []


@pytest.fixture
def ledger() -> NotedLedger:
    return NotedLedger()


@pytest.fixture
def deliverer(tmp_path: Path, ledger: NotedLedger) -> Deliverer:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    return Deliverer(spool, LocalBuckets(tmp_path / "buckets"), ledger)


def bought(deliverer: Deliverer) -> Path:
    target = deliverer.spool.begin(P1, LOT, AT)
    target.write_bytes(DOCUMENT)
    return deliverer.spool.keep(P1, inspect_pdf(target, LOT)).path


def test_a_document_goes_to_its_bucket_and_its_copy_last(deliverer: Deliverer, ledger: NotedLedger) -> None:
    bought(deliverer)
    assert deliverer.pending() == [P1]
    assert deliverer.deliver(P1) == "completed"
    # the line a crash may have left unwritten first
    assert ledger.told == [("secure", SHA), ("deliver", f"index/{KEY}")]
    assert deliverer.bucket.fetch("index", KEY) == DOCUMENT
    assert deliverer.pending() == []
    assert deliverer.deliver(P1) == "gone"


def test_a_bucket_that_is_away_loses_nothing(
    deliverer: Deliverer, ledger: NotedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(deliverer)

    def away(*_: object) -> None:
        raise StoreUnavailable("The bucket is away.")

    with monkeypatch.context() as while_away:
        while_away.setattr(LocalBuckets, "put", away)
        with pytest.raises(StoreUnavailable):
            deliverer.deliver(P1)
    assert deliverer.pending() == [P1]
    assert ("deliver", f"index/{KEY}") not in ledger.told
    assert deliverer.deliver(P1) == "completed"


@pytest.mark.parametrize("broken", ["secure", "deliver"])
def test_a_database_that_is_away_loses_nothing(deliverer: Deliverer, ledger: NotedLedger, broken: str) -> None:
    bought(deliverer)
    ledger.breaks[broken] = DatabaseUnavailable("The database does not answer.")
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            deliverer.deliver(P1)
    assert deliverer.pending() == [P1]
    ledger.breaks.clear()
    assert deliverer.deliver(P1) == "completed"
    assert deliverer.bucket.fetch("index", KEY) == DOCUMENT


@pytest.mark.parametrize("refusal", [Refused("This purchase was void."), NotFound("No purchase has this id.")])
def test_a_file_the_ledger_refuses_is_held_for_a_person(
    deliverer: Deliverer, ledger: NotedLedger, tmp_path: Path, refusal: RegistreError
) -> None:
    bought(deliverer)
    ledger.breaks["secure"] = refusal
    assert deliverer.deliver(P1) == "held"
    assert (tmp_path / "spool" / "held" / P1 / "document.pdf").read_bytes() == DOCUMENT
    assert deliverer.pending() == []
    assert ledger.told == []


def test_a_name_taken_by_another_document_does_not_stop_the_delivery(
    deliverer: Deliverer, ledger: NotedLedger, tmp_path: Path
) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(b"another")
    deliverer.bucket.put("index", KEY, other, hashlib.sha256(b"another").hexdigest())
    bought(deliverer)
    ledger.breaks["deliver"] = DatabaseUnavailable("The database does not answer.")
    with pytest.raises(DatabaseUnavailable):
        deliverer.deliver(P1)
    ledger.breaks.clear()
    assert deliverer.deliver(P1) == "completed"
    own = f"{KEY.removesuffix('.pdf')}-11111111.pdf"
    assert ledger.told[-1] == ("deliver", f"index/{own}")
    assert deliverer.bucket.fetch("index", own) == DOCUMENT
    assert deliverer.bucket.fetch("index", KEY) == b"another"
    assert sorted(f.name for f in (tmp_path / "buckets" / "index").iterdir()) == sorted([KEY, own])


@pytest.mark.parametrize("damaged", ["document.pdf", "manifest.json"])
def test_a_file_damaged_on_the_disk_is_held_and_its_job_told(
    deliverer: Deliverer, ledger: NotedLedger, tmp_path: Path, damaged: str
) -> None:
    folder = bought(deliverer).parent
    (folder / damaged).write_bytes(b"%PDF-1.7 damaged")
    assert deliverer.deliver(P1) == "held"
    assert [what for what, _ in ledger.told][-1] == "lose"
    assert (tmp_path / "spool" / "held" / P1).is_dir()
    assert deliverer.pending() == []
    with pytest.raises(NotFound):
        deliverer.bucket.fetch("index", KEY)


def test_a_damaged_file_waits_until_its_job_can_be_told(deliverer: Deliverer, ledger: NotedLedger) -> None:
    folder = bought(deliverer).parent
    (folder / "manifest.json").write_bytes(b"")
    ledger.breaks["lose"] = DatabaseUnavailable("The database does not answer.")
    with pytest.raises(DatabaseUnavailable):
        deliverer.deliver(P1)
    assert deliverer.pending() == [P1]


def test_a_document_that_another_process_delivers_meanwhile_is_gone_and_no_error(
    deliverer: Deliverer, ledger: NotedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(deliverer)

    def put(*_: object) -> None:
        monkeypatch.undo()
        assert Deliverer(deliverer.spool, deliverer.bucket, ledger).deliver(P1) == "completed"
        raise StoreUnavailable("The file to store is not there.")

    monkeypatch.setattr(LocalBuckets, "put", put)
    assert deliverer.deliver(P1) == "gone"


def test_a_failure_is_noted_in_one_sentence_and_a_database_that_is_away_hears_of_the_next(
    deliverer: Deliverer, ledger: NotedLedger
) -> None:
    deliverer.note_failure(P1, StoreUnavailable("The bucket is away."))
    deliverer.note_failure(P1, ZeroDivisionError("division by zero"))
    assert ledger.told == [
        ("undelivered", "The bucket is away"),
        ("undelivered", "An unexpected error stopped the delivery"),
    ]
    ledger.breaks["undelivered"] = DatabaseUnavailable("It does not answer.")
    deliverer.note_failure(P1, StoreUnavailable("The bucket is away."))


def test_the_ledger_is_told_of_what_the_spool_holds_and_nothing_is_delivered(
    deliverer: Deliverer, ledger: NotedLedger
) -> None:
    folder = bought(deliverer).parent
    deliverer.report()
    assert ledger.told == [("secure", SHA)]
    for unusable in (Refused("This purchase was void."), NotFound("No purchase has this id.")):
        ledger.breaks["secure"] = unusable
        deliverer.report()
    ledger.breaks["secure"] = DatabaseUnavailable("It does not answer.")
    with pytest.raises(DatabaseUnavailable):
        deliverer.report()
    (folder / "manifest.json").write_bytes(b"")
    deliverer.report()
    assert deliverer.pending() == [P1], "a delivery judges what cannot be reported"


# -- after a crash


def test_a_whole_document_that_was_not_yet_renamed_is_recovered(deliverer: Deliverer, ledger: NotedLedger) -> None:
    deliverer.spool.begin(P1, LOT, AT).write_bytes(DOCUMENT)
    assert deliverer.recover() == [P1]
    assert deliverer.recover() == []
    assert deliverer.deliver(P1) == "completed"
    assert ledger.told == [("secure", SHA), ("deliver", f"index/{KEY}")]


def test_a_document_kept_but_for_the_rename_is_recovered(deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch) -> None:
    target = deliverer.spool.begin(P1, LOT, AT)
    target.write_bytes(DOCUMENT)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            deliverer.spool.keep(P1, inspect_pdf(target, LOT))
    assert deliverer.recover() == [P1]


@pytest.mark.parametrize("content", [b"", DOCUMENT[:-200], b"<html>", document_of("2784196")])
def test_a_document_that_is_not_the_answer_is_held(deliverer: Deliverer, tmp_path: Path, content: bytes) -> None:
    deliverer.spool.begin(P1, LOT, AT).write_bytes(content)
    assert deliverer.recover() == []
    assert deliverer.pending() == []
    assert (tmp_path / "spool" / "held" / P1 / "document.pdf").read_bytes() == content


def test_an_intent_without_a_document_leaves_nothing(deliverer: Deliverer, tmp_path: Path) -> None:
    deliverer.spool.begin(P1, LOT, AT)
    assert deliverer.recover() == []
    assert list((tmp_path / "spool" / "incoming").iterdir()) == []
