"""What no state machine reaches of the store in memory: bells, buckets, and input it must refuse as the real one does."""

from __future__ import annotations

import hashlib
from datetime import time, timedelta
from pathlib import Path

import pytest

from registre.budget import Period
from registre.document import DocumentRequest, Source
from registre.errors import InvalidInput, NotFound, Refused
from registre.gates import Scope, ServiceHours
from registre.job import JobFilter, JobId, Order
from tests.memory.state import EVENTS_CHANNEL, JOBS_CHANNEL
from tests.memory.store import MemoryStore

LOT = DocumentRequest(Source.INDEX, "24A", "Montréal", "Paroisse de Montréal")


def test_a_listener_is_rung_at_once_and_whenever_there_is_something_to_lease_until_it_stops() -> None:
    store, rung = MemoryStore(), list[tuple[str, str]]()
    stop = store.queue.listen(lambda channel, payload: rung.append((channel, payload)))
    assert sorted(rung) == [(EVENTS_CHANNEL, ""), (JOBS_CHANNEL, "")]
    rung.clear()
    [job_id] = store.queue.submit([Order(LOT)])
    assert sorted(rung) == [(EVENTS_CHANNEL, job_id), (JOBS_CHANNEL, "")]
    rung.clear()
    stop()
    store.queue.submit([Order(LOT)])
    assert rung == []


def test_a_bell_may_call_the_store_back() -> None:
    store, seen = MemoryStore(), list[int]()
    store.queue.listen(lambda _channel, _payload: seen.append(len(store.views.jobs())))
    store.queue.submit([Order(LOT)])
    assert seen[-1] == 1


def test_a_refused_submission_leaves_nothing_behind() -> None:
    store = MemoryStore()
    with pytest.raises(Refused):
        store.queue.submit([Order(LOT), Order(DocumentRequest(Source.INDEX, "24\x00", "Montréal", "x"))])
    assert store.views.jobs() == []
    assert store.views.events_after("") == []


def test_what_is_no_id_or_no_cursor_is_refused_and_what_names_nothing_is_not_found() -> None:
    store, nobody = MemoryStore(), JobId("00000000-0000-0000-0000-000000000000")
    for refused in (
        lambda: store.views.job(JobId("twelve")),
        lambda: store.views.page(JobFilter(), "page two"),
        lambda: store.views.events_after("page two"),
    ):
        with pytest.raises(Refused):
            refused()
    with pytest.raises(NotFound):
        store.views.job(nobody)
    with pytest.raises(NotFound):
        store.gates.why(nobody)


@pytest.mark.parametrize(
    ("name", "value"), [("pace", 1), ("attempt_seconds", 0), ("rebuys_per_day", 0.5), ("pace_seconds", None)]
)
def test_a_rule_that_cannot_be_is_refused(name: str, value: float | None) -> None:
    store = MemoryStore()
    before = store.gates.rules()
    with pytest.raises(Refused):
        store.gates.set_rule(name, value, "a test")
    assert store.gates.rules() == before


def test_settings_that_cannot_be_name_what_to_mend() -> None:
    store = MemoryStore()
    with pytest.raises(InvalidInput, match="scope"):
        store.gates.pause(Scope.BATCH, "x", "a test", "lunch")
    with pytest.raises(InvalidInput, match="weekday"):
        store.gates.set_hours([ServiceHours(8, time(8), time(17))], "a test")
    with pytest.raises(InvalidInput, match="opens"):
        store.gates.set_hours([ServiceHours(1, time(17), time(8))], "a test")
    with pytest.raises(InvalidInput, match="period"):
        store.treasury.set_budget(Scope.SITE, "", Period.TOTAL, 100, "a test")


def test_a_closed_gate_says_why_in_the_order_in_which_gates_are_asked() -> None:
    store = MemoryStore()
    [job_id] = store.queue.submit([Order(LOT)])
    assert store.gates.why(job_id) == "account: no account is free"
    store.treasury.set_budget(Scope.SITE, "", Period.DAY, 0, "a test")
    assert store.gates.why(job_id).startswith("budget: ")
    store.gates.pause(Scope.SOURCE, "index", "marie", "lunch")
    assert store.gates.why(job_id) == "pause: paused by marie: lunch"
    for _ in range(store.gates.rules().breaker_failures):
        store.gates.site_away("503")
    assert store.gates.why() == store.gates.why(job_id) == "breaker: the site is away: 503"


def test_a_bucket_keeps_what_it_has(tmp_path: Path) -> None:
    bucket, path = MemoryStore().bucket, tmp_path / "a.pdf"
    contents = {content: hashlib.sha256(content).hexdigest() for content in (b"one", b"two")}
    for content in (b"one", b"one"):
        path.write_bytes(content)
        bucket.put("index", "k.pdf", path, contents[content])
    path.write_bytes(b"two")
    for sha256 in contents.values():
        with pytest.raises(Refused):
            bucket.put("index", "k.pdf", path, sha256)
    assert bucket.fetch("index", "k.pdf") == b"one"
    with pytest.raises(NotFound):
        bucket.fetch("index", "other.pdf")


def test_a_lease_is_leased_once_by_two_calls_at_the_same_instant() -> None:
    store = MemoryStore()
    store.accounts.add("marie", "secret")
    [(seat, _)] = store.accounts.claim("host-a/1", 1, timedelta(hours=1))
    store.queue.submit([Order(LOT)])
    leases = [store.queue.lease_next("host-a/1", [seat], timedelta(minutes=1)) for _ in range(2)]
    assert [len(given) for given in leases] == [1, 0]
