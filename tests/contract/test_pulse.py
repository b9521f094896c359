"""How orders ended lately, what failed by its cause, who has waited longest. Over both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from registre.access import Role, make_key, make_session, session_digest
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.gates import Scope
from registre.job import JobId, Lease, Order
from registre.ledger import Delivery, SecuredFile
from registre.pulse import Span
from registre.wiring import Store
from tests.desk import Desk
from tests.memory.store import MemoryStore

MINUTE = timedelta(minutes=1)
FILE = SecuredFile("c" * 64, 1000, 2)
AnyStore = Store | MemoryStore


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> AnyStore:
    return request.getfixturevalue("store") if request.param == "postgres" else MemoryStore()


def leased(store: AnyStore, *requests: DocumentRequest) -> list[Lease]:
    for number in range(len(requests)):
        store.accounts.add(f"account-{number}", "secret")
    store.queue.submit([Order(request) for request in requests])
    seats = [seat for seat, _ in store.accounts.claim("host-a/boot-1", len(requests), MINUTE)]
    found = store.queue.lease_next("host-a/boot-1", seats, MINUTE)
    return sorted(found, key=lambda lease: lease.request.number)


def lot(number: int, source: Source = Source.INDEX) -> DocumentRequest:
    return DocumentRequest(source, str(number), "Montréal", "Cadastre du Québec")


def complete(store: AnyStore, lease: Lease) -> None:
    intent = store.ledger.intend(lease, "host-a")
    assert intent.purchase_id is not None
    store.ledger.charge(intent.purchase_id, lease, [])
    store.ledger.secure(intent.purchase_id, FILE)
    store.ledger.deliver(Delivery(intent.purchase_id, FILE.sha256, "index", f"{lease.job_id}.pdf"))


def test_a_pulse_counts_ends_and_times_the_work(ports: AnyStore) -> None:
    done, failed, waiting = leased(ports, lot(5), lot(6), lot(7))
    complete(ports, done)
    ports.queue.fail(failed, ErrorKind.NOT_FOUND, "Aucun document.")
    ports.queue.release(waiting, "drained")
    for span in Span:
        pulse = ports.views.pulse(span)
        assert (pulse.completed, pulse.failed, len(pulse.beats)) == (1, 1, span.buckets)
        assert sum(beat.completed for beat in pulse.beats) == sum(beat.failed for beat in pulse.beats) == 1
        assert pulse.p50_seconds == pulse.p95_seconds
        assert pulse.p50_seconds is not None
        assert 0 <= pulse.p50_seconds < 60
        ends = [beat for beat in pulse.beats if beat.completed or beat.p50_seconds is not None]
        assert [beat.p50_seconds for beat in ends] == [pulse.p50_seconds]
        starts = [beat.at for beat in pulse.beats]
        assert {later - before for before, later in pairwise(starts)} == {timedelta(seconds=span.step_seconds)}
        assert starts[-1] <= datetime.now(UTC) < starts[-1] + timedelta(seconds=span.step_seconds + 5)


def test_a_document_already_owned_is_no_work(ports: AnyStore) -> None:
    [first] = leased(ports, lot(5))
    complete(ports, first)
    again = ports.queue.submit([Order(lot(5))])[0]
    assert ports.views.job(again).supabase_path
    assert ports.views.pulse(Span.HOUR).completed == 1


def test_a_pulse_of_nothing_is_all_zeros(ports: AnyStore) -> None:
    pulse = ports.views.pulse(Span.HOUR)
    assert (pulse.completed, pulse.failed, pulse.p50_seconds, pulse.p95_seconds) == (0, 0, None, None)
    assert {(beat.completed, beat.failed, beat.p50_seconds) for beat in pulse.beats} == {(0, 0, None)}


def test_percentiles_lie_between_the_durations(desk: Desk, store: Store) -> None:
    for seconds in (10, 20, 30, 40, 100):
        held = desk.leased(number=seconds)
        purchase = desk.intend(held)
        desk.pass_time(seconds)
        desk.secure(purchase)
        desk.deliver(purchase, key=f"{seconds}.pdf")
    *beats, whole = desk.gateway.call("pulse", step_seconds=3600.0, buckets=24, now=desk.now)
    assert (whole["completed"], whole["p50_seconds"], round(whole["p95_seconds"], 6)) == (5, 30, 88)
    desk.pass_time(25 * 3600)
    *beats, whole = desk.gateway.call("pulse", step_seconds=3600.0, buckets=24, now=desk.now)
    assert (len(beats), whole["completed"], whole["p50_seconds"]) == (24, 0, None)


def test_failures_are_grouped_by_cause_the_most_frequent_first(ports: AnyStore) -> None:
    assert ports.views.causes() == []
    one, two, three, four = leased(ports, lot(5), lot(6, Source.PLAN), lot(7), lot(8))
    ports.queue.fail(one, ErrorKind.NOT_FOUND, "Aucun document.")
    ports.queue.fail(two, ErrorKind.AMBIGUOUS_OPTION, "Deux cadastres conviennent.")
    ports.queue.fail(three, ErrorKind.NOT_FOUND, "Aucun document pour ce lot.")
    ports.queue.release(four, "drained")
    frequent, rare = ports.views.causes()
    assert (frequent.kind, frequent.jobs, frequent.is_exact, rare.kind, rare.jobs) == (
        "not_found",
        2,
        True,
        "ambiguous_option",
        1,
    )
    assert (rare.source, rare.message) == ("plan_cadastraux", "Deux cadastres conviennent.")
    assert abs(rare.at - datetime.now(UTC)) < MINUTE
    ports.queue.requeue(JobId(two.job_id), "a test")
    assert [cause.kind for cause in ports.views.causes()] == ["not_found"]


def test_causes_are_counted_no_further_than_asked(desk: Desk) -> None:
    for number in (5, 6, 7):
        desk.fail(desk.leased(number=number))
    [cause] = desk.gateway.call("causes", limit=2)
    assert cause["jobs"] == 2


def test_the_oldest_that_waits_is_found_among_all_sources(ports: AnyStore) -> None:
    assert ports.views.oldest_waiting() is None
    first = ports.queue.submit([Order(lot(5, Source.PLAN))])[0]
    ports.queue.submit([Order(lot(6)), Order(lot(7, Source.PLAN))])
    assert ports.views.oldest_waiting() == ports.views.job(first).created_at
    ports.queue.cancel(first, "a test")
    assert ports.views.oldest_waiting() != ports.views.job(first).created_at


def test_what_people_did_is_told_newest_first_and_page_by_page(ports: AnyStore) -> None:
    ports.accounts.add("99X9999", "secret", "marie")
    job_id = ports.queue.submit([Order(lot(5))])[0]
    ports.queue.cancel(job_id, "jean")
    ports.queue.requeue(job_id, "jean")
    ports.gates.pause(Scope.SITE, "", "marie", "the invoice")
    done = ports.views.deeds()
    assert [(event.kind, event.data["author"]) for event in done] == [
        ("gate.paused", "marie"),
        ("job.requeued", "jean"),
        ("job.failed", "jean"),
        ("account.added", "marie"),
    ]
    assert ports.views.deeds(limit=1) == done[:1]
    assert [event.kind for event in ports.views.deeds(done[0].cursor)] == [
        "job.requeued",
        "job.failed",
        "account.added",
    ]
    assert "secret" not in str(done)


def test_a_session_stands_for_its_key_until_it_ends(ports: AnyStore) -> None:
    key, other = make_key(), make_key()
    ports.keys.add(key, "marie", Role.OPERATOR, "a test")
    ports.keys.add(other, "jean", Role.VIEWER, "a test")
    session = session_digest(make_session())
    assert ports.keys.find_session(session) is None
    ports.keys.open_session(session, key.prefix)
    found = ports.keys.find_session(session)
    assert found is not None
    assert (found.prefix, found.role, found.is_revoked) == (key.prefix, Role.OPERATOR, False)
    ports.keys.revoke(key.prefix, "a test")
    revoked = ports.keys.find_session(session)
    assert revoked is not None
    assert revoked.is_revoked
    ports.keys.close_session(session)
    assert ports.keys.find_session(session) is None


def test_a_session_lasts_no_longer_than_it_was_given(desk: Desk) -> None:
    key = make_key()
    desk.gateway.call("add_key", prefix=key.prefix, digest=key.digest, name="marie", role="viewer", author="a test")
    desk.gateway.call("open_web_session", digest="d", prefix=key.prefix, seconds=60.0, now=desk.now)
    assert len(desk.gateway.call("find_web_session", digest="d", now=desk.now)) == 1
    desk.pass_time(61)
    assert desk.gateway.call("find_web_session", digest="d", now=desk.now) == []
    desk.gateway.call("open_web_session", digest="e", prefix=key.prefix, seconds=60.0, now=desk.now)
    assert [row["digest"] for row in desk.sql("select digest from registre.web_sessions")] == ["e"]
