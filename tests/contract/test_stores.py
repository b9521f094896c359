"""The ports over a real database: what goes in comes out, and errors are the core's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registre.account import AccountId, Seat
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind, LeaseLost, NotFound, Refused
from registre.job import JobId, Lease, Order, Status
from registre.ledger import Delivery, PurchaseId, PurchaseState, SecuredFile, Verdict
from registre.wiring import Store
from tests.desk import Desk

OWNER = "host-a/boot-1"
MINUTE = timedelta(minutes=1)
ACTE = DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte")
LOT = DocumentRequest(Source.INDEX, "24A", "Saint-Hyacinthe", "Paroisse de Saint-Denis", "Rang 2, bloc ½")
FILE = SecuredFile("c" * 64, 123_456_789_012, 7)


def lease(store: Store, *requests: DocumentRequest) -> tuple[list[Lease], list[Seat]]:
    for number in range(len(requests)):
        store.accounts.add(f"account-{number}", "secret")
    store.queue.submit([Order(request) for request in requests])
    seats = [seat for seat, _ in store.accounts.claim(OWNER, len(requests), MINUTE)]
    return store.queue.lease_next(OWNER, seats, MINUTE), seats


def test_an_order_comes_back_as_it_was_given(store: Store) -> None:
    orders = [Order(ACTE, "étude Tremblay", 5, 7), Order(LOT)]
    jobs = [store.views.job(job_id) for job_id in store.queue.submit(orders)]
    assert [job.request for job in jobs] == [ACTE, LOT]
    assert (jobs[0].client, jobs[0].max_attempts, jobs[0].status) == ("étude Tremblay", 7, Status.WAITING)
    assert abs(jobs[0].created_at - datetime.now(UTC)) < MINUTE


def test_all_orders_go_in_or_none(store: Store) -> None:
    with pytest.raises(Refused):
        store.queue.submit([Order(LOT), Order(DocumentRequest(Source.INDEX, "24\x00", "Montréal", "x"))])
    assert sum(store.views.counts().values()) == 0


def test_no_orders_are_no_trouble(store: Store) -> None:
    assert store.queue.submit([]) == []


def test_a_lease_carries_the_request_and_its_fence(store: Store) -> None:
    [given], [seat] = lease(store, ACTE)
    assert given.request == ACTE
    assert (given.owner, given.account_id, given.attempt, given.max_attempts) == (OWNER, seat.account_id, 1, 3)
    assert MINUTE / 2 < given.until - datetime.now(UTC) <= MINUTE


def test_a_renewal_says_what_is_kept_and_what_is_cancelled(store: Store) -> None:
    leases, seats = lease(store, ACTE, LOT)
    store.queue.cancel(leases[1].job_id, "a test")
    store.accounts.release(seats[1])
    kept = store.queue.renew(OWNER, leases, seats, MINUTE)
    assert kept.jobs == {given.job_id for given in leases}
    assert kept.cancelled == {leases[1].job_id}
    assert kept.accounts == {seats[0].account_id}
    assert store.queue.renew(OWNER, [], [], MINUTE).jobs == frozenset()


def test_a_job_tells_its_whole_story(store: Store) -> None:
    [given], _ = lease(store, ACTE)
    store.queue.note_step(given, "filling the form")
    intent = store.ledger.intend(given, "host-a")
    assert intent.verdict is Verdict.GRANTED
    assert intent.purchase_id is not None
    store.ledger.charge(intent.purchase_id, given, ["Lot inactif"])
    store.ledger.secure(intent.purchase_id, FILE)
    assert store.ledger.deliver(Delivery(intent.purchase_id, FILE.sha256, "actes", "k.pdf")) == "completed"
    job = store.views.job(given.job_id)
    assert (job.status, job.supabase_path, job.notes, job.cost_cents) == (
        Status.DONE,
        "actes/k.pdf",
        ("Lot inactif",),
        150,
    )
    [line] = store.ledger.lines(given.job_id)
    assert (line.state, line.sha256, line.size_bytes, line.pages) == (
        PurchaseState.DELIVERED,
        FILE.sha256,
        FILE.size_bytes,
        7,
    )
    assert line.account == "account-0"
    assert [attempt.ending for attempt in store.views.attempts(given.job_id)] == ["secured"]
    kinds = [event.kind for event in store.views.story(given.job_id)]
    assert kinds == [
        "job.submitted",
        "job.leased",
        "job.step",
        "purchase.intended",
        "purchase.charged",
        "purchase.secured",
        "purchase.delivered",
        "job.completed",
    ]
    assert store.views.counts() == {Status.WAITING: 0, Status.RUNNING: 0, Status.DONE: 1, Status.FAILED: 0}


def test_each_end_of_a_lease_is_written(store: Store) -> None:
    leases, _ = lease(store, *[DocumentRequest(Source.INDEX, str(n), "Montréal", "x") for n in range(5, 9)])
    store.queue.release(leases[0], "drained")
    store.queue.snooze(leases[1], MINUTE, "the site is away", rescued=True)
    store.queue.retry(leases[2], ErrorKind.SESSION_EXPIRED, "expired", MINUTE)
    store.queue.fail(leases[3], ErrorKind.UNKNOWN_SENTENCE, "Phrase inconnue", needs_review=True)
    seen = [store.views.job(given.job_id) for given in leases]
    assert [job.status for job in seen] == [Status.WAITING, Status.WAITING, Status.WAITING, Status.FAILED]
    assert [job.attempts for job in seen] == [0, 0, 1, 1]
    assert [job.next_attempt_at is not None for job in seen] == [False, True, True, False]
    assert (seen[3].error_kind, seen[3].error_message) == ("unknown_sentence", "Phrase inconnue")
    for given in leases:
        with pytest.raises(LeaseLost):
            store.queue.release(given, "once more")


def test_reclaim_leaves_living_owners_alone(store: Store) -> None:
    lease(store, ACTE)
    assert store.queue.reclaim(MINUTE, MINUTE, MINUTE) == []


def test_ids_that_name_nothing_are_not_found(store: Store) -> None:
    nobody = JobId("00000000-0000-0000-0000-000000000000")
    with pytest.raises(NotFound):
        store.views.job(nobody)
    with pytest.raises(NotFound):
        store.queue.requeue(nobody, "a test")
    with pytest.raises(NotFound):
        store.ledger.secure(PurchaseId(nobody), FILE)


def test_what_is_no_id_at_all_is_refused_in_a_sentence(store: Store) -> None:
    with pytest.raises(Refused, match="invalid input syntax for type uuid"):
        store.views.job(JobId("twelve"))


def test_jobs_are_listed_newest_first_and_by_status(store: Store) -> None:
    ids = [store.queue.submit([Order(LOT)])[0] for _ in range(3)]
    assert [job.id for job in store.views.jobs()] == ids[::-1]
    assert [job.id for job in store.views.jobs(limit=1)] == ids[-1:]
    assert store.views.jobs(Status.DONE) == []
    assert len(store.views.jobs(Status.WAITING)) == 3


def test_a_row_with_a_source_nobody_knows_is_still_shown(store: Store) -> None:
    [job_id] = store.queue.submit([Order(DocumentRequest("testament", "5"))])  # type: ignore[arg-type]
    assert str(store.views.job(job_id).request.source) == "testament"


def test_what_workers_say_of_themselves_is_replaced_and_ends_with_their_host(store: Store, desk: Desk) -> None:
    [job_id] = store.queue.submit([Order(LOT)])
    store.fleet.register_host("host-a", "boot-1", "1.0")
    store.fleet.report_worker("host-a/marie", "idle", None, None)
    store.fleet.report_worker("host-a/marie", "busy", AccountId("7"), job_id)
    store.fleet.report_worker("host-b/marie", "idle", None, None)
    [said] = desk.sql("select * from worker_status where worker_id = 'host-a/marie'")
    assert (said["status"], said["account_id"], str(said["current_job_id"])) == ("busy", "7", job_id)
    store.fleet.register_host("host-a", "boot-2", "1.0")
    assert desk.sql("select worker_id from worker_status") == [{"worker_id": "host-b/marie"}]


def test_an_attempt_keeps_where_its_evidence_is_even_after_its_end(store: Store) -> None:
    [given], _ = lease(store, ACTE)
    store.queue.fail(given, ErrorKind.UNKNOWN_SENTENCE, "Une phrase inconnue.")
    store.queue.note_evidence(given, "/evidence/unknown")
    [attempt] = store.views.attempts(given.job_id)
    assert (attempt.ending, attempt.evidence) == ("failed", "/evidence/unknown")
